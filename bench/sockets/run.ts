/**
 * `npm run bench:sockets [-- --peers 10000 --roles headers|all --only idle]`: what connections cost a node on real sockets, the other ends in another process.
 *
 *   idle     resident memory over the empty node, for peers that have shaken hands, and after they said nothing for a while
 *   turns    how long turns take while a thousand peers ping ten times a second
 *   connect  from the dial to hands that are shaken, a session and a node in one process
 *   flood    pings and inventories through socket, framing with checksums, peer and a handler, over one connection, wall clock
 */
import { cpus } from "node:os"
import process from "node:process"
import { parseArgs } from "node:util"
import type { NodeShape } from "@satwire/node"
import { connect } from "@satwire/client"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { regtest } from "@satwire/primitives"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import { Remotes, benchNode, turnTimes } from "./BenchNode.ts"

const { values } = parseArgs({
  options: {
    peers: { type: "string", default: "10000" },
    roles: { type: "string", default: "headers" },
    only: { type: "string" }
  }
})
const isDeno = "Deno" in globalThis
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** What is resident when everything that can be given back is: a collection as under pressure, where the runtime lets us ask for it. */
const residentMB = (): number => {
  const gc = globalThis.gc as ((options: object) => void) | undefined
  for (let i = 0; i < 3; i++) gc?.({ type: "major", execution: "sync", flavor: "last-resort" })
  return process.memoryUsage().rss / 1e6
}

const readyPeers = (node: NodeShape): Effect.Effect<number> =>
  Effect.map(node.query("peers"), (peers) => peers.filter(({ state }) => state === "ready").length)

const idle = Effect.scoped(
  Effect.gen(function* () {
    const peers = Number(values.peers)
    const node = yield* benchNode(peers, values.roles === "all")
    yield* Effect.sleep("1 second")
    const empty = residentMB()
    yield* Remotes.start(node, peers)
    yield* Effect.sleep("2 seconds")
    const full = residentMB()
    const ready = yield* readyPeers(node)
    if (ready !== peers) return yield* Effect.die(new Error(`only ${ready} of ${peers} peers are ready`))
    const each = (1000 * (full - empty)) / peers
    say(
      `idle    ${peers} peers that have shaken hands: ${(full - empty).toFixed(1)} MB over the empty node's ${empty.toFixed(1)}, ${each.toFixed(2)} kB each`
    )
  })
)

const turns = Effect.scoped(
  Effect.gen(function* () {
    const [peers, rate, seconds] = [1000, 10, 10]
    const node = yield* benchNode(peers, values.roles === "all")
    const remotes = yield* Remotes.start(node, peers)
    let answer = ""
    const times = yield* turnTimes(
      Effect.map(remotes.ask(`ping ${rate} ${seconds}`), (line) => {
        answer = line
      })
    )
    const at = (share: number): string => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(3)
    say(
      `turns   ${peers} peers at ${rate} pings a second: ${answer}; ${times.length} turns, median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`
    )
  })
)

/** Over one connection, as fast as they are taken. */
const flood = (kind: "ping" | "inv", bytes: number): Effect.Effect<void> =>
  Effect.scoped(
    Effect.gen(function* () {
      const node = yield* benchNode(1, false)
      const remotes = yield* Remotes.start(node, 1)
      const handled = Effect.map(node.query("peers"), ([peer]) => peer?.received.get(kind)?.messages ?? 0)
      const rates: Array<number> = []
      for (let round = 0; round < 5; round++) {
        const before = yield* handled
        const start = performance.now()
        const sent = Number((yield* remotes.ask(`flood ${kind} ${bytes}`)).split(" ")[1])
        while ((yield* handled) - before < sent) yield* Effect.sleep(1)
        rates.push((1000 * sent) / (performance.now() - start))
      }
      rates.sort((a, b) => a - b)
      say(`flood   ${kind}: ${Math.round((rates[2] ?? 0) / 1000)} k a second, median of 5`)
    })
  )

/** Both ends here, so that each waits for the other's mathematics: the most that it can be. */
const connecting = (transport: "v1" | "v2"): Effect.Effect<void> =>
  Effect.scoped(
    Effect.gen(function* () {
      const node = yield* benchNode(10, false)
      const endpoint = node.listening
      if (endpoint === undefined) return yield* Effect.die(new Error("the node does not listen"))
      const v2transport = transport === "v1" ? "never" : "only"
      const options = { params: regtest, sha256: platformSha256, aead: platformAead, v2transport } as const
      const times: Array<number> = []
      for (let i = 0; i < 300; i++) {
        const start = performance.now()
        const ready = Effect.map(connect(endpoint, options), () => times.push(performance.now() - start))
        yield* Effect.orDie(Effect.scoped(ready))
      }
      const settled = times.slice(100).toSorted((a, b) => a - b)
      say(`connect ${transport}: median ${settled[100]?.toFixed(2)} ms, p99 ${settled[198]?.toFixed(2)} ms`)
    })
  ).pipe(Effect.provide(layerTcp))

say(
  `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, ${isDeno ? "Deno" : `Node ${process.version}`}`
)
await Effect.runPromise(
  Effect.gen(function* () {
    yield* idle
    if (values.only === "idle") return
    yield* turns
    yield* connecting("v1")
    yield* connecting("v2")
    yield* flood("ping", 50_000_000)
    yield* flood("inv", 200_000_000)
  })
)
process.exit(0)
