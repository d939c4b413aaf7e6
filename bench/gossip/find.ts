/**
 * How long a node that knows one other takes to find a third one in the distributed hash table, over TCP on loopback: all nodes know the first one
 * alone. `--nodes N`. Ends with 1 where one took 30 seconds or more.
 */
import process from "node:process"
import { type Libp2pNodeShape, makeLibp2pNode } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"

const at = process.argv.indexOf("--nodes")
const NODES = at < 0 ? 30 : Number(process.argv[at + 1])
const MAX_MS = 30_000

const node = (bootstrap: ReadonlyArray<string>) =>
  makeLibp2pNode({
    listen: ["/ip4/127.0.0.1/tcp/0"],
    security: ["noise"],
    limits: { maxPerHostASecond: 10_000 },
    discovery: { bootstrap, dht: { mode: "server", privateAddresses: true } }
  })

const program = Effect.gen(function* () {
  const first = yield* node([])
  const all: Array<Libp2pNodeShape> = []
  for (let n = 1; n < NODES - 1; n++) all.push(yield* node(first.addresses()))
  // They have to be in the table of the one that is asked.
  while (first.connections().length < all.length) yield* Effect.sleep(50)
  const startedAt = performance.now()
  const late = yield* node(first.addresses())
  const sought = all[all.length >> 1] as Libp2pNodeShape
  yield* Effect.retry(late.routing.findPeer(sought.peerId), { while: () => performance.now() - startedAt < MAX_MS })
  const ms = performance.now() - startedAt
  process.stdout.write(`one of ${NODES} found in ${Math.round(ms)} ms, its own start included\n`)
  return ms < MAX_MS
})

process.exit((await Effect.runPromise(Effect.scoped(program))) ? 0 : 1)
