/** Following the blocks of peers that serve them well and of peers that do not, over both transports. */
import { MAX_BLOCKS_AHEAD, NoPeerServes, UnknownPlace } from "@satwire/client/blocks"
import { LACKING_MS } from "@satwire/block-stream"
import { portableSha256 } from "@satwire/crypto"
import { Dialer, Listener, layerMemory } from "@satwire/transport"
import { NODE_NETWORK_LIMITED, NODE_WITNESS } from "@satwire/wire"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { HeaderStore } from "@satwire/store"
import { announce, blockAt, blocksOf, follow, mutated, placeOf, serve, take, told, up } from "./BlockChains.ts"
import { storedCount, withStore } from "./HeaderChains.ts"
import { eventually, leavingNothing, overEachTransport } from "./Transports.ts"

const LONG = blocksOf(300)
const TRUNK = blocksOf(10)
const [OLD, LONGER] = [blocksOf(3, TRUNK, 10, 1), blocksOf(5, TRUNK, 10, 2)]

overEachTransport("a block stream", (session) => {
  session(
    "gives every block of the best chain in order, with its bytes, from several peers at once",
    Effect.gen(function* () {
      const servers = [yield* serve(LONG), yield* serve(LONG), yield* serve(LONG)]
      const stream = yield* follow(servers.map(({ endpoint }) => endpoint))
      const steps = yield* take(stream, 300)
      expect(told(steps)).toEqual(up(1, 300))
      for (const { block, hash, height } of steps) {
        expect(block?.bytes).toEqual(blockAt(LONG, height).bytes)
        expect(block?.hash(portableSha256)).toEqual(hash)
      }
      expect(yield* storedCount).toBe(300)
      const { isCaughtUp, place, tip } = yield* stream.snapshot
      expect([isCaughtUp, place, tip.height]).toEqual([true, placeOf(LONG, 300), 300])
      expect(servers.flatMap(({ asked }) => asked)).toHaveLength(300)
    }).pipe(withStore)
  )

  session(
    "tells a reorganisation as the way back and the way on, to a reader who waits at the tip",
    Effect.gen(function* () {
      const server = yield* serve(OLD)
      const stream = yield* follow([server.endpoint])
      expect(told(yield* take(stream, 13))).toEqual(up(1, 13))
      const waiting = yield* Effect.forkChild(take(stream, 8))
      yield* announce(server, LONGER)
      expect(told(yield* Fiber.join(waiting))).toEqual(["-13", "-12", "-11", ...up(11, 15)])
    }).pipe(withStore)
  )

  session(
    "goes on from the place that was noted, also where that was left meanwhile",
    Effect.gen(function* () {
      const server = yield* serve(OLD)
      const read = (count: number, after: ReturnType<typeof placeOf>) =>
        Effect.scoped(Effect.flatMap(follow([server.endpoint], { after }), (stream) => take(stream, count)))
      expect(told(yield* read(4, placeOf(OLD, 9)))).toEqual(up(10, 13))
      yield* announce(server, LONGER)
      // The headers of both chains are in the store.
      expect(told(yield* read(8, placeOf(OLD, 13)))).toEqual(["-13?", "-12?", "-11?", ...up(11, 15)])
      expect(told(yield* read(1, placeOf(LONGER, 14)))).toEqual(["+15"])
      expect(server.asked.toSorted((a, b) => a - b)).toEqual([10, 11, 11, 12, 12, 13, 13, 14, 15, 15])
    }).pipe(withStore)
  )
})

overEachTransport("a block stream with bad peers", (session) => {
  session(
    "asks another for what one is silent about, and keeps on giving",
    Effect.gen(function* () {
      const silent = yield* serve(LONG, { gives: () => "nothing" })
      const honest = yield* serve(LONG)
      const stream = yield* follow([silent.endpoint, honest.endpoint])
      expect(told(yield* take(stream, 300))).toEqual(up(1, 300))
    }).pipe(withStore)
  )

  session(
    "drops who sends bytes that are not those of a block, and does not ask it again",
    Effect.gen(function* () {
      const liar = yield* serve(LONG, { gives: (block) => mutated(block) })
      const honest = yield* serve(LONG)
      const stream = yield* follow([liar.endpoint, honest.endpoint], { sessionsAtOnce: 1 })
      const steps = yield* take(stream, 300)
      for (const { block, height } of steps) expect(block?.bytes).toEqual(blockAt(LONG, height).bytes)
      const { peers } = yield* stream.snapshot
      expect(peers[0]).toMatchObject({
        endpoint: liar.endpoint,
        state: "spent",
        failures: 1,
        fault: { _tag: "BadBlock", rule: "bad-txnmrklroot" }
      })
      expect(liar.sessions.length).toBe(1)
    }).pipe(withStore)
  )

  session(
    "gives what it has and then fails, each peer named, when all are spent",
    Effect.gen(function* () {
      const liar = yield* serve(LONG, { gives: (block, height) => (height === 8 ? mutated(block) : block) })
      const headersOnly = yield* serve(LONG, { services: 0n })
      const stream = yield* follow([liar.endpoint, headersOnly.endpoint], { tries: 1 })
      const failed = yield* Effect.flip(stream.failure)
      const steps: Array<string> = []
      const error = yield* Effect.flip(
        Stream.runForEach(stream.blocks, (step) => Effect.sync(() => void steps.push(...told([step]))))
      )
      expect(steps).toEqual(up(1, 7))
      expect(error).toBe(failed)
      expect(error).toBeInstanceOf(NoPeerServes)
      expect(error).toMatchObject({
        peers: [
          { by: "peer", tries: 1, fault: { _tag: "BadBlock" } },
          { by: "peer", tries: 1, fault: { _tag: "NoBlocks" } }
        ]
      })
      expect(error.message).toContain("no peer serves blocks")
    }).pipe(withStore)
  )
})

it.live("a block stream tells of no block whose header is not stored yet", () => {
  const gate = Latch.makeUnsafe(false)
  const gated = Layer.effect(
    HeaderStore,
    Effect.map(HeaderStore, (store) =>
      HeaderStore.of({
        ...store,
        append: (headers, count) => Effect.andThen(gate.await, store.append(headers, count))
      })
    )
  ).pipe(Layer.provide(HeaderStore.layerMemory))
  return Effect.gen(function* () {
    const { endpoint } = yield* serve(OLD)
    const stream = yield* follow([endpoint])
    const reader = yield* Effect.forkChild(take(stream, 13))
    yield* Effect.repeat(stream.snapshot, { until: ({ blocksAhead }) => blocksAhead === 13 })
    yield* Effect.repeat(Effect.yieldNow, { times: 20 })
    expect((yield* stream.snapshot).place?.height).toBe(0)
    yield* gate.open
    expect(told(yield* Fiber.join(reader))).toEqual(up(1, 13))
  }).pipe(Effect.provide(gated, { local: true }), leavingNothing, Effect.provide(layerMemory(), { local: true }))
})

overEachTransport("a block stream that somebody reads", (session) => {
  session(
    "fetches no further ahead than it may while nobody reads, and all in the end",
    Effect.gen(function* () {
      const size = blockAt(LONG, 1).bytes.length
      const server = yield* serve(LONG)
      const stream = yield* follow([server.endpoint], { bytesAhead: 30 * size })
      expect(told(yield* take(stream, 100))).toEqual(up(1, 100))
      // Everything goes on as far as it may.
      yield* eventually(() => server.asked.length >= 120)
      yield* Effect.repeat(Effect.yieldNow, { times: 300 })
      expect(server.asked.length).toBeLessThanOrEqual(100 + 32)
      const { blocksAhead, bytesAhead } = yield* stream.snapshot
      expect(bytesAhead).toBeLessThanOrEqual(32 * size)
      expect(blocksAhead).toBeLessThan(MAX_BLOCKS_AHEAD)
      expect(told(yield* take(stream, 200))).toEqual(up(101, 300))
    }).pipe(withStore)
  )

  session(
    "gives each step to one reader, and ends with its scope, whether one waits or there is more",
    Effect.gen(function* () {
      const { endpoint } = yield* serve(OLD)
      const opened = (count: number) =>
        Effect.gen(function* () {
          const stream = yield* follow([endpoint])
          const halves = yield* Effect.all([take(stream, 6), take(stream, count - 6)], { concurrency: 2 })
          expect(halves.flatMap(told).toSorted()).toEqual(up(1, count).toSorted())
          yield* Effect.repeat(stream.snapshot, { until: ({ blocksAhead }) => blocksAhead === 13 - count })
          return stream
        })
      const waiting = Effect.flatMap(opened(13), ({ blocks }) => Effect.forkChild(Stream.runCollect(blocks)))
      expect(yield* Fiber.join(yield* Effect.scoped(waiting))).toEqual([])
      const { blocks } = yield* Effect.scoped(opened(10))
      expect(yield* Stream.runCollect(blocks)).toEqual([])
    }).pipe(withStore)
  )

  session(
    "closes every socket when it is interrupted, whatever it is doing",
    Effect.gen(function* () {
      const servers = [yield* serve(LONG), yield* serve(LONG)]
      const [dialer, listener] = [yield* Dialer, yield* Listener]
      const peers = servers.map(({ endpoint }) => endpoint)
      const reading = Effect.flatMap(follow(peers), (stream) => Stream.runDrain(stream.blocks))
      for (let turns = 0; turns < 100; turns += 10) {
        const fiber = yield* Effect.forkChild(Effect.scoped(reading).pipe(withStore))
        yield* Effect.repeat(Effect.yieldNow, { times: turns })
        yield* Fiber.interrupt(fiber)
        expect(dialer.connections()).toBe(0)
      }
      // However long it takes here: once more when there are blocks.
      const fiber = yield* Effect.forkChild(Effect.scoped(reading).pipe(withStore))
      const before = servers.flatMap(({ asked }) => asked).length
      yield* eventually(() => servers.flatMap(({ asked }) => asked).length > before)
      yield* Fiber.interrupt(fiber)
      expect(dialer.connections()).toBe(0)
      yield* eventually(() => listener.connections() === 0)
    })
  )
})

/** Under a clock that the test moves, over the memory network. */
const timed = (name: string, body: Effect.Effect<void, unknown, Dialer | Listener | HeaderStore | Scope.Scope>) =>
  it.effect(name, () =>
    Effect.andThen(TestClock.setTime(Date.UTC(2026, 0)), body).pipe(
      withStore,
      leavingNothing,
      Effect.provide(layerMemory(), { local: true })
    )
  )

/** Lets the time pass in which an effect is done, and tells how long that was. */
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    let seconds = 0
    for (; fiber.pollUnsafe() === undefined; seconds++) {
      yield* Effect.repeat(Effect.yieldNow, { times: 50 })
      yield* TestClock.adjust("1 second")
    }
    return [yield* Fiber.join(fiber), seconds] as const
  })

describe("a block stream, as time passes", () => {
  timed(
    "fails when all its peers are silent about a block, after all their tries",
    Effect.gen(function* () {
      const silent = yield* serve(OLD, { gives: () => "nothing" })
      const stream = yield* follow([silent.endpoint], { tries: 2, blockTimeoutMs: 60_000 })
      const [error, seconds] = yield* inTime(Effect.flip(stream.failure))
      expect(error).toMatchObject({ peers: [{ tries: 2, fault: { _tag: "BlockTimeout", allowedMs: 60_000 } }] })
      expect(seconds).toBeLessThan(180)
    })
  )

  timed(
    "fails soon when none of them keeps the block that is wanted next",
    Effect.gen(function* () {
      const limited = yield* serve(LONG, { services: NODE_NETWORK_LIMITED | NODE_WITNESS })
      const lacking = yield* serve(LONG, { gives: (block, height) => (height === 1 ? "notfound" : block) })
      const stream = yield* follow([limited.endpoint, lacking.endpoint])
      const [error] = yield* inTime(Effect.flip(stream.failure))
      expect(error).toMatchObject({
        peers: [
          { by: "peer", tries: 5, fault: { _tag: "BlockLacking", height: 1 } },
          { by: "peer", tries: 5, fault: { _tag: "BlockLacking", height: 1 } }
        ]
      })
      expect(error.message).toContain("it does not have block 1")
    })
  )

  timed(
    "fails when it is to begin at a place that no peer knows",
    Effect.gen(function* () {
      const server = yield* serve(OLD)
      const stream = yield* follow([server.endpoint], { after: placeOf(LONGER, 12) })
      const [error, seconds] = yield* inTime(Effect.flip(Stream.runDrain(stream.blocks)))
      expect(error).toBeInstanceOf(UnknownPlace)
      expect(error).toMatchObject(placeOf(LONGER, 12))
      expect(seconds).toBeLessThanOrEqual(LACKING_MS / 1000 + 2)
    })
  )
})
