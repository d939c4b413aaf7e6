import { Instant, type Machine } from "@satwire/machine"
import { INPUTS_REPORTED, MachineFailed, OUTPUTS_KEPT, TURN_STEPS_MS, machineService } from "@satwire/runtime"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { type Input, type Output, Script, say, wake } from "./Script.ts"

const TIMEOUT: Input = { _tag: "Timeout" }

/** A script that runs, and what was performed of its outputs. */
const running = Effect.fnUntraced(function* (perform?: (output: Output) => void) {
  const machine = new Script()
  const performed: Array<string> = []
  const service = yield* machineService<Input, Output>({
    machine,
    timeout: TIMEOUT,
    perform: (output) => {
      performed.push(output._tag === "Said" ? output.word : output._tag)
      perform?.(output)
    }
  })
  return { machine, performed, service }
})

describe("a turn", () => {
  it.effect("is over, with all that it asked for, when submit returns", () =>
    Effect.gen(function* () {
      const { performed, service } = yield* running()
      service.submit(say("a"))
      expect(performed).toEqual(["a (1)", "a (2)"])
      service.submit(say("b"))
      expect(performed).toEqual(["a (1)", "a (2)", "b (1)", "b (2)"])
    }).pipe(Effect.scoped)
  )

  it.effect("comes after the one that submitted it, in order, however deep", () =>
    Effect.gen(function* () {
      const { performed, service } = yield* running((output) => {
        if (output._tag === "Said" && output.word.length < 6) service.submit(say(`${output.word}!`))
      })
      service.submit(say("a"))
      expect(performed).toEqual(["a (1)", "a (2)", "a (1)! (1)", "a (1)! (2)", "a (2)! (1)", "a (2)! (2)"])
    }).pipe(Effect.scoped)
  )

  it.effect("has nobody else running in it: fibers that it wakes run between turns", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { performed, service } = yield* running((output) => {
        if (output._tag === "Said" && output.word === "a (1)") service.between(() => seen.push(performed.join()))
      })
      yield* Effect.forkChild(
        Stream.runForEach(service.outputs, (output) =>
          Effect.sync(() => seen.push(`${output._tag === "Said" ? output.word : ""} after ${performed.length}`))
        ),
        { startImmediately: true }
      )
      service.submit(say("a"))
      yield* Effect.yieldNow
      expect(seen).toEqual(["a (1) after 2", "a (2) after 2", "a (1),a (2)"])
      service.between(() => seen.push("at once"))
      expect(seen.at(-1)).toBe("at once")
    }).pipe(Effect.scoped)
  )
})

describe("turns", () => {
  it.effect("are counted by how long they took, and with them the inputs that waited at most", () =>
    Effect.gen(function* () {
      const { service } = yield* running((output) => {
        if (output._tag === "Said" && output.word.length < 6) service.submit(say(`${output.word}!`))
      })
      service.submit(say("a"))
      // One brought about two, and each of these had its turn before the next.
      const { longestMs, mostWaiting, steps, totalMs, turns } = service.turns()
      expect([turns, mostWaiting]).toEqual([3, 2])
      expect(steps.reduce((sum, each) => sum + each, 0)).toBe(3)
      expect(steps.length).toBe(TURN_STEPS_MS.length + 1)
      expect(longestMs).toBeLessThanOrEqual(totalMs)
    }).pipe(Effect.scoped)
  )
})

describe("the one timer", () => {
  it.effect("wakes the machine at its deadline, and not before", () =>
    Effect.gen(function* () {
      const { machine, service } = yield* running()
      service.submit(wake(1000))
      yield* TestClock.adjust(999)
      expect(machine.wakings()).toEqual([])
      yield* TestClock.adjust(1)
      expect(machine.wakings()).toEqual([1000])
      yield* TestClock.adjust("1 hour")
      expect(machine.wakings()).toEqual([1000])
    }).pipe(Effect.scoped)
  )

  it.effect("is armed anew when an earlier deadline appears, and left when a later one does", () =>
    Effect.gen(function* () {
      const { machine, service } = yield* running()
      service.submit(wake(1000))
      service.submit(wake(400))
      yield* TestClock.adjust(400)
      expect(machine.wakings()).toEqual([400])
      service.submit(wake(100))
      service.submit(wake(300))
      yield* TestClock.adjust(299)
      expect(machine.wakings()).toEqual([400])
      yield* TestClock.adjust(1)
      expect(machine.wakings()).toEqual([400, 700])
    }).pipe(Effect.scoped)
  )

  it.effect("is gone with the deadline that it was armed for", () =>
    Effect.gen(function* () {
      const { machine, service } = yield* running()
      service.submit(wake(1000))
      service.submit(wake(undefined))
      const { asked } = machine
      yield* TestClock.adjust("1 hour")
      expect([machine.wakings(), machine.asked]).toEqual([[], asked])
    }).pipe(Effect.scoped)
  )

  it.effect("serves a deadline that the machine has from its beginning", () =>
    Effect.gen(function* () {
      const woken: Array<number> = []
      const machine: Machine<Input, never> = {
        handle: (_, now) => void woken.push(now.instant),
        nextTimeout: () => (woken.length === 0 ? Instant(5) : undefined)
      }
      yield* machineService({ machine, timeout: TIMEOUT })
      yield* TestClock.adjust(5)
      expect(woken).toEqual([5])
    }).pipe(Effect.scoped)
  )

  it.live("gives a machine that has a backlog its turns, and everybody else theirs", () =>
    Effect.gen(function* () {
      let left = 5000
      let others = 0
      const machine: Machine<Input, never> = {
        handle: (input) => void (input._tag === "Timeout" && left--),
        nextTimeout: () => (left > 0 ? Instant(0) : undefined)
      }
      const tick = (): void => {
        others += 1
        if (left > 0) setImmediate(tick)
      }
      setImmediate(tick)
      yield* machineService({ machine, timeout: TIMEOUT })
      yield* Effect.repeat(Effect.yieldNow, { until: () => left === 0 })
      expect(others).toBeGreaterThan(100)
    }).pipe(Effect.scoped)
  )

  it.live("wakes by the real clock as well", () =>
    Effect.gen(function* () {
      const { machine, service } = yield* running()
      const before = service.now().instant
      service.submit(wake(20.5))
      yield* service.outputs.pipe(Stream.runHead)
      const [at] = machine.wakings()
      expect((at as number) - before).toBeGreaterThanOrEqual(20.5)
    }).pipe(Effect.scoped)
  )
})

describe("a machine that throws", () => {
  const broken = Effect.gen(function* () {
    const { machine, performed, service } = yield* running()
    for (let i = 0; i < 20; i++) service.submit(say("x"))
    const reading = yield* Effect.forkChild(Effect.exit(Stream.runCollect(service.outputs)), {
      startImmediately: true
    })
    service.submit({ _tag: "Break" })
    return { machine, performed, service, reading, failure: yield* Effect.flip(service.failure) }
  })

  it.effect("fails with what it threw and its last inputs, in one sentence that says whose bug it is", () =>
    Effect.gen(function* () {
      const { failure } = yield* broken
      expect(failure).toBeInstanceOf(MachineFailed)
      expect(failure.thrown).toMatchObject({ message: "the sky has fallen" })
      expect(failure.lastInputs).toEqual([...Array.from({ length: INPUTS_REPORTED - 1 }, () => "Say"), "Break"])
      expect(failure.message).toBe(
        "a machine broke its own rule: the sky has fallen (last input: Break); this is a bug of Satwire"
      )
    }).pipe(Effect.scoped)
  )

  it.effect("performs nothing of that turn, and takes no other", () =>
    Effect.gen(function* () {
      const { machine, performed, service } = yield* broken
      expect(performed).not.toContain("never heard")
      service.submit(say("late"))
      service.submit(wake(1))
      yield* TestClock.adjust("1 hour")
      expect([machine.turns.length, machine.turns.at(-1)?.input, performed.length]).toEqual([21, "Break", 40])
    }).pipe(Effect.scoped)
  )

  it.effect("fails whoever reads its outputs", () =>
    Effect.gen(function* () {
      const { reading, failure } = yield* broken
      expect(yield* Fiber.join(reading)).toEqual(Exit.fail(failure))
    }).pipe(Effect.scoped)
  )

  it.effect("fails the same when a performed output throws, and when its deadline does", () =>
    Effect.gen(function* () {
      const performing = yield* running(() => {
        throw new Error("no such peer")
      })
      performing.service.submit(say("a"))
      expect((yield* Effect.flip(performing.service.failure)).message).toContain("no such peer")
      const machine: Machine<Input, never> = {
        handle: () => {},
        nextTimeout: () => {
          throw new Error("no such timer")
        }
      }
      const service = yield* machineService({ machine, timeout: TIMEOUT })
      expect((yield* Effect.flip(service.failure)).message).toContain("no such timer (last input: none)")
    }).pipe(Effect.scoped)
  )
})

describe("the scope of a machine", () => {
  it.effect("ends all turns when it closes, the timer's too", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { machine, service } = yield* running().pipe(Scope.provide(scope))
      service.submit(wake(10))
      yield* Scope.close(scope, Exit.void)
      service.submit(say("late"))
      yield* TestClock.adjust("1 hour")
      expect(machine.turns.map(({ input }) => input)).toEqual(["Wake"])
    })
  )

  it.effect("may close within a turn, whose other outputs and inputs are dropped", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { machine, performed, service } = yield* running(() => {
        service.submit(say("queued"))
        Effect.runSync(Scope.close(scope, Exit.void))
      }).pipe(Scope.provide(scope))
      service.submit(say("a"))
      expect([performed, machine.turns.length]).toEqual([["a (1)"], 1])
    })
  )
})

describe("the outputs", () => {
  it.effect("are read in order from the moment of reading on", () =>
    Effect.gen(function* () {
      const { service } = yield* running()
      service.submit(say("before"))
      const reading = yield* Effect.forkChild(Stream.runCollect(Stream.take(service.outputs, 4)), {
        startImmediately: true
      })
      service.submit(say("a"))
      service.submit(say("b"))
      const words = (yield* Fiber.join(reading)).map((output) => (output._tag === "Said" ? output.word : ""))
      expect(words).toEqual(["a (1)", "a (2)", "b (1)", "b (2)"])
    }).pipe(Effect.scoped)
  )

  it.effect("make room for new ones when a reader is slow, and hold up no turn", () =>
    Effect.gen(function* () {
      const { performed, service } = yield* running()
      const seen: Array<string> = []
      const reading = yield* Effect.forkChild(
        Stream.runForEach(service.outputs, (output) =>
          Effect.andThen(
            Effect.sync(() => seen.push(output._tag === "Said" ? output.word : "")),
            seen.length === 0 ? Effect.sleep("1 minute") : Effect.void
          )
        ),
        { startImmediately: true }
      )
      for (let i = 0; i < 10_000; i++) service.submit(say(String(i)))
      expect(performed.length).toBe(20_000)
      yield* TestClock.adjust("1 minute")
      expect(seen.at(-1)).toBe("9999 (2)")
      expect(seen.length).toBeLessThanOrEqual(OUTPUTS_KEPT + 2)
      expect(seen.length).toBeGreaterThan(OUTPUTS_KEPT / 2)
      yield* Fiber.interrupt(reading)
    }).pipe(Effect.scoped)
  )
})
