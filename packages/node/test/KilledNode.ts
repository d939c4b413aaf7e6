/**
 * A node on a data directory, among peers on a network inside this process, that writes down all the time and is to be killed. One line of JSON
 * for what it found when it began, whom it dials, and what it says to have kept.
 *
 * `node KilledNode.ts <data directory> <number of this life>`
 */
import { listen } from "@satwire/client"
import { parseSubnet } from "@satwire/connections"
import { ChaChaRandom } from "@satwire/crypto"
import { UnixSeconds } from "@satwire/machine"
import { Node, layerOnDisk } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { MemoryNetwork } from "@satwire/transport"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import process from "node:process"
import { optionsOf } from "./TestNode.ts"

const PORT = 8333
const SERVICES = NODE_NETWORK | NODE_WITNESS
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
const NEIGHBOURS = [1, 2, 3, 4, 5, 6, 7, 8]
const hostOf = (n: number): string => `${50 + n}.1.0.1`

/** A peer that answers everybody, and tells of other addresses when it is asked. */
const neighbour = (n: number, seed: number) =>
  Effect.gen(function* () {
    const random = ChaChaRandom.fromNumber(1000 * seed + n)
    const edge = yield* Layer.build(Layer.fresh(MemoryNetwork.host(hostOf(n))))
    const entry = (services: bigint, ...address: ReadonlyArray<number>) => ({
      network: "ipv4" as const,
      address: Uint8Array.from(address),
      port: PORT,
      services,
      time: UnixSeconds(Math.floor(Date.now() / 1000) - 60)
    })
    // The others offer less than is wanted, so that nobody dials them and finds them dead: what is known only ever grows.
    const some = () => [
      ...NEIGHBOURS.map((other) => entry(SERVICES, 50 + other, 1, 0, 1)),
      ...Array.from({ length: 5 }, () =>
        entry(NODE_NETWORK, 101 + random.below(20), random.below(256), random.below(256), 1)
      )
    ]
    const options = { params: regtest, userAgent: "/neighbour:1.0/", services: SERVICES }
    yield* Effect.provide(
      listen({ host: hostOf(n), port: PORT }, options, (session) =>
        Stream.runForEach(session.messages, ({ _tag }) =>
          _tag === "getaddr" ? session.send({ _tag: "addrv2", addresses: some() }) : Effect.void
        )
      ),
      edge
    )
  })

const life = Effect.gen(function* () {
  const [directory = "", number = "0"] = process.argv.slice(2)
  for (const n of NEIGHBOURS) yield* neighbour(n, Number(number))
  const edges = Layer.merge(MemoryNetwork.host(hostOf(0)), layerOnDisk(directory, regtest))
  const options = optionsOf({
    services: SERVICES,
    v2transport: false,
    listen: { host: hostOf(0), port: PORT },
    maxFullRelay: 2,
    maxBlockRelayOnly: 1,
    addresses: {
      dnsSeeds: false,
      wantedServices: SERVICES,
      seedNodes: [1, 2, 3].map((n) => ({ host: hostOf(n), port: PORT }))
    }
  })
  const node = Context.get(yield* Layer.build(Layer.provide(Node.layer(options), edges)), Node)
  const known = yield* node.query("addresses")
  const bans = yield* node.query("bans")
  say({ began: { addresses: (known?.new ?? 0) + (known?.tried ?? 0), bans: bans.length } })
  yield* Effect.forkScoped(
    Stream.runForEach(node.facts, (fact) =>
      Effect.sync(() => {
        if (fact._tag === "PeersSaved") say({ saved: fact.what, count: fact.count })
        if (fact._tag === "PeerConnecting") say({ dials: fact.kind })
      })
    ),
    { startImmediately: true }
  )
  for (let n = bans.length; ; n++) {
    const subnet = parseSubnet(`10.${(n >> 8) & 255}.${n & 255}.0/24`)
    if (subnet !== undefined) yield* node.ban(subnet, 86_400)
    yield* Effect.sleep("20 millis")
  }
})

await Effect.runPromise(life.pipe(Effect.scoped, Effect.provide(Layer.fresh(MemoryNetwork.layer({ latencyMs: 1 })))))
