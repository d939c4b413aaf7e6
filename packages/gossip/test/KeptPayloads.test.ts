import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { KEPT_AT_LEAST_MS, KeptPayloads } from "../src/KeptPayloads.ts"

it.effect("a payload goes for another one when it was there for long enough, and no sooner", () =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    const kept = new KeptPayloads(100, () => clock.currentTimeMillisUnsafe())
    const keep = (key: string, size: number) =>
      Effect.andThen(
        kept.room(size),
        Effect.sync(() => kept.add(key, new Uint8Array(size)))
      )
    yield* keep("a", 60)
    yield* TestClock.adjust(1000)
    yield* keep("b", 40)
    yield* Effect.forkScoped(keep("c", 100), { startImmediately: true })
    const there = () => ["a", "b", "c"].filter((key) => kept.get(key) !== undefined).join("")
    yield* TestClock.adjust(KEPT_AT_LEAST_MS - 1)
    assert.strictEqual(there(), "ab")
    yield* TestClock.adjust(1)
    assert.strictEqual(there(), "c")
  }).pipe(Effect.scoped)
)
