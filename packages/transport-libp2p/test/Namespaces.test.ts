/** How others reach who is behind a gateway, with real gateways between: miniupnpd, the translation of addresses of this kernel. */
import type { ChildProcess } from "node:child_process"
import { createInterface } from "node:readline"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Libp2pNodeOptions, PeerConnection } from "../src/index.ts"
import { GATE_A, GATE_B, PUBLIC_HOSTS, type Networks, type Place, makeNetworks, whyNot } from "./namespaces/Networks.ts"
import type { Question } from "./namespaces/NodesElsewhere.ts"

const missing = whyNot()
if (missing !== undefined) process.stdout.write(`nodes behind gateways are not tried: ${missing}\n`)

const script = fileURLToPath(new URL("./namespaces/NodesElsewhere.ts", import.meta.url))
const runtime = "Deno" in globalThis ? ["run", "-A", "--conditions=@satwire/source"] : ["--conditions=@satwire/source"]

type Ask = Question extends infer One ? (One extends Question ? Omit<One, "node"> : never) : never

/** Nodes somewhere in these networks. */
class Elsewhere {
  readonly #child: ChildProcess
  readonly #waiting: Array<(line: string) => void> = []

  constructor(networks: Networks, place: Place, options: ReadonlyArray<Libp2pNodeOptions>) {
    this.#child = networks.start(place, process.execPath, [...runtime, script, JSON.stringify(options)])
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) =>
      this.#waiting.shift()?.(line)
    )
  }

  ask<A>(node: number, question: Ask): Effect.Effect<A> {
    return Effect.promise<A>(async () => {
      const line = await new Promise<string>((resolve) => {
        this.#waiting.push(resolve)
        this.#child.stdin?.write(`${JSON.stringify({ node, ...question })}\n`)
      })
      const { value, error } = JSON.parse(line) as { readonly value: A; readonly error?: string }
      if (error !== undefined) throw new Error(error)
      return value
    })
  }

  who(node = 0) {
    return this.ask<{ readonly peerId: string; readonly addresses: ReadonlyArray<string> }>(node, { ask: "who" })
  }

  connections(node = 0) {
    return this.ask<ReadonlyArray<PeerConnection>>(node, { ask: "connections" })
  }

  connect(to: string, node = 0) {
    return this.ask<PeerConnection>(node, { ask: "connect", to })
  }
}

/** Asked again until it is as wanted. */
const until = <A>(asked: Effect.Effect<A>, wanted: (answer: A) => boolean): Effect.Effect<A> =>
  Effect.repeat(asked, { until: wanted, schedule: Schedule.spaced(50) })

/** Whether there is a connection that a hidden node made to that peer, past any relay. */
const isDirect = (peerId: string) => (connections: ReadonlyArray<PeerConnection>) =>
  connections.some((each) => each.peerId === peerId && each.direction === "outbound" && !each.isLimited)

const TOLD_MS = 60_000

describe.skipIf(missing !== undefined)("two homes behind gateways, and a public network between", () => {
  it.live(
    "are reached by the port that a gateway opened, once others have tried it, and else through a relay until they have dialled back",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const networks = yield* makeNetworks
          yield* Effect.promise(() => networks.startGateway())
          const open = new Elsewhere(
            networks,
            "public",
            PUBLIC_HOSTS.map((host) => ({
              listen: [`/ip4/${host}/tcp/9000`],
              announce: [`/ip4/${host}/tcp/9000`],
              reachability: { autonat: true, holePunching: true, relay: {}, relayed: {} }
            }))
          )
          const others = yield* Effect.forEach(PUBLIC_HOSTS, (_, i) => open.who(i))
          const relay = others[0]?.addresses[0] as string
          const [mapped, hidden] = [
            new Elsewhere(networks, "hostA", [
              {
                listen: ["/ip4/192.168.1.2/tcp/9001"],
                reachability: { autonat: true, holePunching: true, relayed: {}, portMapping: {} }
              },
              { listen: ["/ip4/192.168.1.2/tcp/9003"], reachability: { portMapping: { natPmp: "none" } } }
            ]),
            new Elsewhere(networks, "hostB", [
              {
                listen: ["/ip4/192.168.2.2/tcp/9002"],
                reachability: { autonat: true, holePunching: true, relayed: { at: [relay] } }
              }
            ])
          ]

          // What was tried before the port was open is not tried again by the same network.
          const opened = yield* until(
            Effect.sync(() => networks.openedPorts),
            ({ length }) => length === 2
          )
          assert.deepStrictEqual(opened, [9001, 9003])
          // Whoever meets others is dialled back by them; what four networks have reached is told.
          const meet = (node: Elsewhere) =>
            Effect.forEach(others, ({ peerId, addresses: [address = ""] }) =>
              Effect.andThen(node.ask(0, { ask: "hangUp", peerId }), node.connect(address))
            )
          const told = yield* until(Effect.andThen(meet(mapped), mapped.who()), ({ addresses }) =>
            addresses.some((address) => address.includes(GATE_A))
          )
          const gate = told.addresses.find((address) => address.includes(GATE_A)) as string
          const stranger = yield* open.connect(gate, 1)
          assert.strictEqual(stranger.isLimited, false)

          // Nobody tells of an address that leads nowhere.
          const home = yield* hidden.who()
          assert.deepStrictEqual(
            home.addresses.filter((address) => address.includes(GATE_B)),
            []
          )
          const through = home.addresses.find((address) => address.includes("/p2p-circuit")) as string
          const friend = others[2] as (typeof others)[number]
          assert.isTrue((yield* open.connect(through, 2)).isLimited)
          yield* until(hidden.connections(), isDirect(friend.peerId))
          assert.isTrue((yield* mapped.connect(through)).isLimited)
          yield* until(hidden.connections(), isDirect(told.peerId))
        })
      ),
    TOLD_MS
  )
})
