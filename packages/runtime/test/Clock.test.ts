import { Entropy, MockableClock, machineService, nowReader, seededRandom } from "@satwire/runtime"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { type Input, type Output, Script, say, wake } from "./Script.ts"

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

describe("a clock whose time is set while it runs", () => {
  const START = 1_700_000_000
  type Pass = (seconds: number) => Effect.Effect<void>

  /** @param body told what sets the time, and what lets real time pass */
  const mocked = <A, E>(body: (clock: MockableClock["Service"], pass: Pass) => Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const real = yield* Clock.Clock
      yield* TestClock.setTime(START * 1000)
      const pass: Pass = (seconds) => Effect.provideService(TestClock.adjust(`${seconds} seconds`), Clock.Clock, real)
      return yield* Effect.flatMap(MockableClock, (clock) => body(clock, pass)).pipe(
        Effect.provide(MockableClock.layer())
      )
    })

  it.effect("holds the wall clock, moves instants on by a jump forward, and never back", () =>
    mocked((clock, pass) =>
      Effect.gen(function* () {
        const now = yield* nowReader
        expect(now()).toEqual({ instant: 0, unix: START })
        yield* clock.setMockTime(START + 600)
        expect(now()).toEqual({ instant: 600_000, unix: START + 600 })
        yield* pass(5)
        expect(now()).toEqual({ instant: 605_000, unix: START + 600 })
        yield* clock.setMockTime(START - 1000)
        expect(now()).toEqual({ instant: 605_000, unix: START - 1000 })
        expect(yield* clock.mockTime).toBe(START - 1000)
        yield* clock.elapse(250)
        expect(now()).toEqual({ instant: 605_250, unix: START - 1000 })
        yield* clock.setMockTime(0)
        expect(now()).toEqual({ instant: 605_250 + 1_005_000, unix: START + 5 })
        expect(yield* clock.mockTime).toBeUndefined()
      })
    )
  )

  it.effect("wakes whoever sleeps when a jump passes the deadline, and nobody before", () =>
    mocked((clock, pass) =>
      Effect.gen(function* () {
        const woken: Array<number> = []
        for (const seconds of [10, 20, 30]) {
          yield* Effect.forkChild(
            Effect.andThen(
              Effect.sleep(`${seconds} seconds`),
              Effect.sync(() => woken.push(seconds))
            ),
            { startImmediately: true }
          )
        }
        yield* clock.setMockTime(START + 15)
        expect(woken).toEqual([10])
        yield* pass(4)
        expect(woken).toEqual([10])
        yield* pass(1)
        expect(woken).toEqual([10, 20])
        yield* clock.elapse(10_000)
        expect(woken).toEqual([10, 20, 30])
      })
    )
  )

  it.effect("brings a machine its timeout at once", () =>
    mocked((clock) =>
      Effect.gen(function* () {
        const machine = new Script()
        const service = yield* machineService<Input, Output>({ machine, timeout: { _tag: "Timeout" } })
        service.submit(wake(20 * 60_000))
        yield* clock.setMockTime(START + 20 * 60)
        expect(machine.turns.map(({ at, unix }) => [at, unix])).toEqual([
          [0, START],
          [1_200_000, START + 1200]
        ])
      }).pipe(Effect.scoped)
    )
  )
})
