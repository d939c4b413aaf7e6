/**
 * Application messages through three nodes in a line over loopback TCP, all in this one process: how many a second cross each hop. What the
 * nodes in between do for each message is all there: frame, decode, id, dedup, deliver, pass on. By the clock, and by the processor time of the one
 * thread that does it all, which is what counts on a machine that others use.
 *
 *   node --conditions=@satwire/source packages/overlay-session/bench/relay.bench.ts [messages] [body bytes]
 */
import { platformSha256 } from "@satwire/crypto/node"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import { makeOverlay } from "../src/index.ts"

const MESSAGES = Number(process.argv[2] ?? 300_000)
const BODY = Uint8Array.of(0xc4, 32, ...new Uint8Array(Math.max(0, Number(process.argv[3] ?? 34) - 2)))
const ROUNDS = 5
/** How many may be under way: what is measured is the relay and not how long a queue grows. */
const WINDOW = 4096
const unlimited = { messagesPerSecond: 1e9, burstMessages: 1e9, bytesPerSecond: 1e12, burstBytes: 1e12 }
/** Processor time of this thread, in milliseconds. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
const anywhere = { host: "127.0.0.1", port: 0 }

const round = Effect.gen(function* () {
  let heard = 0
  const options = { sha256: platformSha256, rates: unlimited }
  const a = yield* makeOverlay({ ...options, nodeId: "a" })
  const b = yield* makeOverlay({ ...options, nodeId: "b" })
  const c = yield* makeOverlay({ ...options, nodeId: "c", onMessage: () => void heard++ })
  yield* a.connect((yield* b.listen(anywhere)).endpoint)
  yield* b.connect((yield* c.listen(anywhere)).endpoint)
  const start = performance.now()
  const startCpu = cpuMs()
  for (let sent = 0; sent < MESSAGES; sent++) {
    if (sent % 64 === 0) while (sent - heard > WINDOW) yield* Effect.promise(() => new Promise(setImmediate))
    yield* a.send({ type: "bench/1", body: BODY })
  }
  while (heard < MESSAGES) yield* Effect.promise(() => new Promise(setImmediate))
  return { clock: (1000 * MESSAGES) / (performance.now() - start), cpu: (1000 * MESSAGES) / (cpuMs() - startCpu) }
}).pipe(Effect.scoped, Effect.provide(layerTcp))

const shown = (rate: number): string => Math.round(rate).toLocaleString("en")
const rates: Array<{ readonly clock: number; readonly cpu: number }> = []
for (let i = 0; i < ROUNDS; i++) {
  const rate = await Effect.runPromise(round)
  rates.push(rate)
  console.log(
    `round ${i + 1}: over each of two hops ${shown(rate.clock)} messages a second, ${shown(rate.cpu)} a second of thread CPU`
  )
}
const median = (values: ReadonlyArray<number>): number => values.toSorted((x, y) => x - y)[Math.floor(ROUNDS / 2)] ?? 0
console.log(
  `median: ${shown(median(rates.map(({ clock }) => clock)))} a second a hop, ${shown(median(rates.map(({ cpu }) => cpu)))} a second of thread CPU ` +
    `(${MESSAGES} messages, bodies of ${BODY.length} bytes)`
)
