/** Who is asked for what was announced. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Announcers, Shares } from "../src/Announcers.ts"

it.effect("one who announces and never delivers has its share of the fetches, and others are asked before it", () =>
  Effect.gen(function* () {
    const shares = new Shares(2)
    const asked: Array<string> = []
    const begin = (announcers: Announcers) =>
      Effect.forkChild(
        announcers.ask((peer) =>
          Effect.andThen(
            Effect.sync(() => asked.push(peer)),
            peer === "mute" ? Effect.never : Effect.void
          )
        ),
        { startImmediately: true }
      )
    const of = () => new Announcers(shares, "mute", 0)
    const [first] = [yield* begin(of()), yield* begin(of())]
    const [waiting, other] = [of(), of()]
    other.add("good", 0)
    yield* begin(waiting)
    yield* begin(other)
    assert.deepStrictEqual(asked, ["mute", "mute", "good"])
    waiting.add("late", 0)
    yield* Effect.yieldNow
    assert.deepStrictEqual(asked, ["mute", "mute", "good", "late"])
    yield* begin(of())
    assert.strictEqual(asked.length, 4)
    yield* Fiber.interrupt(first)
    yield* Effect.yieldNow
    assert.deepStrictEqual(asked.slice(4), ["mute"])
  })
)

it.effect("nobody who waits takes a share", () =>
  Effect.gen(function* () {
    const shares = new Shares(1)
    const fibers = []
    for (let i = 0; i < 3; i++) {
      const ask = new Announcers(shares, "mute", 0).ask(() => Effect.never)
      fibers.push(yield* Effect.forkChild(ask, { startImmediately: true }))
    }
    assert.isFalse(shares.has("mute"))
    for (const fiber of fibers.toReversed()) yield* Fiber.interrupt(fiber)
    assert.isTrue(shares.has("mute"))
  })
)

it.effect("whose share comes back wakes one who waits for it, and nobody else", () =>
  Effect.gen(function* () {
    const WAITING = 3000
    let looks = 0
    const shares = new (class extends Shares {
      override has(peer: string): boolean {
        looks++
        return super.has(peer)
      }
    })(1)
    const asked: Array<number> = []
    shares.take("slow")
    const all = Array.from({ length: WAITING }, () => new Announcers(shares, "slow", 0))
    const asking = Effect.forEach(all, (one, i) => one.ask(() => Effect.sync(() => asked.push(i))), {
      concurrency: "unbounded"
    })
    const fiber = yield* Effect.forkChild(asking, { startImmediately: true })
    shares.give("slow")
    yield* Fiber.join(fiber)
    assert.deepStrictEqual(
      asked,
      all.map((_, i) => i)
    )
    assert.isAtMost(looks, 4 * WAITING)
  })
)

it.effect("who is given a share as he is interrupted passes it on", () =>
  Effect.gen(function* () {
    const shares = new Shares(1)
    shares.take("slow")
    const ask = new Announcers(shares, "slow", 0).ask(() => Effect.never)
    const fiber = yield* Effect.forkChild(ask, { startImmediately: true })
    shares.give("slow")
    fiber.interruptUnsafe()
    yield* Fiber.await(fiber)
    assert.isTrue(shares.has("slow"))
  })
)

it.effect("are told of as another one joins them, or at once where one was not asked", () =>
  Effect.gen(function* () {
    const announcers = new Announcers(new Shares(1), "first", 0)
    yield* announcers.told
    yield* announcers.ask(() => Effect.void)
    const fiber = yield* Effect.forkChild(announcers.told, { startImmediately: true })
    assert.isUndefined(fiber.pollUnsafe())
    announcers.add("second", 0)
    yield* Fiber.join(fiber)
  })
)
