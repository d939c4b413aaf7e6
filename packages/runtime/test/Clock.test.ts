import { Entropy, machineService, nowReader, seededRandom } from "@satwire/runtime"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { type Input, type Output, Script, say } from "./Script.ts"

describe("the clock", () => {
  it.effect("moves both readings at once when it is mocked", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_500)
      const now = yield* nowReader
      expect(now()).toEqual({ instant: 0, unix: 1_700_000_000 })
      yield* TestClock.adjust("90 seconds")
      expect(now()).toEqual({ instant: 90_000, unix: 1_700_000_090 })
    })
  )

  it.effect("is what a machine is given with every input", () =>
    Effect.gen(function* () {
      const machine = new Script()
      const service = yield* machineService<Input, Output>({ machine, timeout: { _tag: "Timeout" } })
      service.submit(say("a"))
      yield* TestClock.adjust("2 seconds")
      service.submit(say("b"))
      expect(machine.turns.map(({ at, unix }) => [at, unix])).toEqual([
        [0, 0],
        [2000, 2]
      ])
      expect(service.now()).toEqual({ instant: 2000, unix: 2 })
    }).pipe(Effect.scoped)
  )

  it.live("never goes back, and tells fractions of a millisecond apart", () =>
    Effect.gen(function* () {
      const now = yield* nowReader
      const instants = Array.from({ length: 1000 }, () => now().instant)
      expect(instants).toEqual(instants.toSorted((a, b) => a - b))
      expect(instants.some((instant) => !Number.isInteger(instant))).toBe(true)
      expect(Math.abs(now().unix - Date.now() / 1000)).toBeLessThan(2)
    })
  )
})

describe("randomness", () => {
  const drawn = Effect.map(seededRandom, (random) => [random.u32(), random.u64(), random.below(1000)] as const)

  it.effect("is the same again from the same entropy", () =>
    Effect.gen(function* () {
      const seed = (fill: number) => Effect.provideService(Entropy, () => new Uint8Array(32).fill(fill))
      const [one, again, other] = [yield* seed(7)(drawn), yield* seed(7)(drawn), yield* seed(8)(drawn)]
      expect(again).toEqual(one)
      expect(other).not.toEqual(one)
    })
  )

  it.effect("is another one each time from the platform's entropy", () =>
    Effect.gen(function* () {
      expect(yield* drawn).not.toEqual(yield* drawn)
    })
  )
})
