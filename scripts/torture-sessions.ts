/**
 * `npm run torture:sessions [-- --seconds 120 --sessions 500 --seed 1]`: sessions that come and vanish at every moment and in every way, in both transports,
 * at a real node over real sockets. When it is over nothing may be left: no connection, handle, timer or fiber, and no memory. Ends with
 * `N passed, N failed`; a failure names the seed.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import * as V8 from "node:v8"
import { type ConnectOptions, type PeerSession, connect } from "@satwire/client"
import { ChaChaRandom } from "@satwire/crypto"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { Node } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { Dialer, Listener, type Endpoint } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "120" },
    sessions: { type: "string", default: "500" },
    seed: { type: "string", default: "1" }
  }
})
const [seconds, sessions, seed] = [Number(values.seconds), Number(values.sessions), Number(values.seed)]
const random = ChaChaRandom.fromNumber(seed)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Megabytes that are still reachable may grow by so much: caches of the engine, compiled code. */
const GROWTH_MB = 4

const heapMB = (): number => {
  for (let i = 0; i < 4; i++) globalThis.gc?.()
  return process.memoryUsage().heapUsed / 1e6
}

/** How many fibers are reachable, where the runtime tells it. */
const fiberCount = Effect.sync((): number | undefined => {
  const fiber = Fiber.getCurrent()
  const kind = fiber?.constructor
  if (kind === undefined || !("queryObjects" in V8)) return undefined
  globalThis.gc?.()
  return (V8.queryObjects as unknown as (of: object, options: object) => number)(kind, { format: "count" })
})

const socketCount = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length

interface Tally {
  shaken: number
  failed: number
  interrupted: number
}

/** One life: dials, perhaps shakes hands, perhaps says something, and goes, in order or in the middle of anything. */
const life = (endpoint: Endpoint, tally: Tally): Effect.Effect<void, never, Dialer> => {
  const options: ConnectOptions = {
    params: regtest,
    sha256: platformSha256,
    aead: platformAead,
    v2transport: random.below(2) === 0 ? "never" : "prefer"
  }
  const talk = (session: PeerSession) =>
    Effect.gen(function* () {
      tally.shaken += 1
      if (random.below(2) === 0) yield* session.ping
      if (random.below(2) === 0) yield* session.headers([regtest.genesisHash], undefined)
      yield* Effect.sleep(random.below(200))
    })
  const whole = Effect.scoped(Effect.flatMap(connect(endpoint, options), talk)).pipe(
    Effect.catch(() => Effect.sync(() => (tally.failed += 1)))
  )
  if (random.below(2) === 0) return Effect.asVoid(whole)
  return Effect.asVoid(
    Effect.timeoutOrElse(whole, {
      duration: random.below(300),
      orElse: () => Effect.sync(() => (tally.interrupted += 1))
    })
  )
}

/** So many at once, for so long. */
const storm = (endpoint: Endpoint, forSeconds: number, tally: Tally) =>
  Effect.gen(function* () {
    const until = performance.now() + 1000 * forSeconds
    const lives = Effect.suspend(() => life(endpoint, tally))
    const one = Effect.repeat(lives, { while: () => performance.now() < until })
    yield* Effect.forEach(Array.from({ length: sessions }), () => one, { concurrency: "unbounded", discard: true })
  })

/** Waits until nobody is there any more. */
const calm = (holds: () => boolean) => Effect.repeat(Effect.sleep(50), { while: () => !holds(), times: 400 })

const program = Effect.gen(function* () {
  const layer = Layer.provideMerge(
    Node.layer({
      params: regtest,
      roles: { headers: { serve: true, announce: true }, mining: undefined },
      userAgent: "/torture/",
      services: 0n,
      connect: [],
      listen: { host: "127.0.0.1", port: 0 },
      maxInbound: 2 * sessions,
      dialTimeoutMs: 5000
    }),
    Layer.merge(layerTcp, HeaderStore.layerMemory)
  )
  const context = yield* Layer.build(layer)
  const node = Context.get(context, Node)
  const [dialer, listener] = [Context.get(context, Dialer), Context.get(context, Listener)]
  const endpoint = node.listening
  if (endpoint === undefined) return yield* Effect.die(new Error("the node does not listen"))
  const isCalm = (): boolean => dialer.connections() === 0 && listener.connections() === 0

  const warmUp: Tally = { shaken: 0, failed: 0, interrupted: 0 }
  yield* Effect.provideService(storm(endpoint, Math.max(2, seconds / 10), warmUp), Dialer, dialer)
  yield* calm(isCalm)
  const before = { heap: heapMB(), fibers: yield* fiberCount, sockets: socketCount() }

  const tally: Tally = { shaken: 0, failed: 0, interrupted: 0 }
  yield* Effect.provideService(storm(endpoint, seconds, tally), Dialer, dialer)
  yield* calm(isCalm)
  yield* Effect.sleep(200)
  const after = { heap: heapMB(), fibers: yield* fiberCount, sockets: socketCount() }
  const peers = (yield* node.query("peers")).length

  say(
    `${sessions} at once for ${seconds} s: ${tally.shaken} shook hands, ${tally.interrupted} were interrupted, ${tally.failed} failed`
  )
  say(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}, ${peers} peers left`)
  return [
    ["every kind of end was met", tally.shaken > 0 && tally.interrupted > 0],
    ["no connection is left at either end", isCalm() && peers === 0],
    ["no socket is left", after.sockets === before.sockets],
    ["no fiber is left", (after.fibers ?? 0) <= (before.fibers ?? 0)],
    ["memory is what it was", after.heap < before.heap + GROWTH_MB]
  ] as const
})

const checks = await Effect.runPromise(Effect.scoped(program))
for (const [what, holds] of checks) say(`${holds ? "ok    " : "FAILED"} ${what}`)
const failed = checks.filter(([, holds]) => !holds).length
if (failed > 0)
  say(`again with: npm run torture:sessions -- --seconds ${seconds} --sessions ${sessions} --seed ${seed}`)
say(`${checks.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
