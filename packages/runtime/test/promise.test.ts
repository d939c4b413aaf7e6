import { type Owned, acquire, promised, repeated, runPromise } from "@satwire/runtime/promise"
import { describe, expect, test } from "vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

class Broken extends Data.TaggedError("Broken")<{ readonly what: string }> {}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it was to be rejected"),
    (error: unknown) => error
  )

describe("a service as promises", () => {
  const service = {
    name: "adder",
    one: Effect.succeed(1),
    add: (a: number, b: number) => Effect.succeed(a + b),
    fail: (what: string): Effect.Effect<never, Broken> => Effect.fail(new Broken({ what })),
    never: Effect.never as Effect.Effect<number>,
    numbers: Stream.fromIterable([1, 2, 3]),
    upTo: (last: number) => Stream.range(1, last),
    double: (a: number) => 2 * a
  }

  test("has an effect as a function without arguments, and a function of effects as one of promises", async () => {
    const { one, add } = promised(service)
    expect([await one(), await add(2, 3)]).toEqual([1, 5])
  })

  test("has a stream as an iterable, a function of streams as one of iterables, and anything else as it is", async () => {
    const { numbers, upTo, name, double } = promised(service)
    const seen: Array<number> = []
    for await (const number of numbers) seen.push(number)
    for await (const number of upTo(2)) seen.push(number)
    expect([seen, name, double(4)]).toEqual([[1, 2, 3, 1, 2], "adder", 8])
  })

  test("rejects with the typed error itself, and with what an effect dies of", async () => {
    const error = await rejection(promised(service).fail("all"))
    expect(error).toBeInstanceOf(Broken)
    expect(error).toMatchObject({ what: "all" })
    const died = new Error("a bug")
    expect(await rejection(runPromise(Effect.die(died)))).toBe(died)
  })

  test("takes a signal after its arguments, and rejects with its reason", async () => {
    const { never, add } = promised(service)
    const controller = new AbortController()
    const waiting = rejection(never({ signal: controller.signal }))
    controller.abort("enough")
    expect(await waiting).toBe("enough")
    expect(await add(1, 2, { signal: new AbortController().signal })).toBe(3)
    expect(await rejection(add(1, 2, { signal: AbortSignal.abort("before") }))).toBe("before")
  })

  test("is rejected for a signal with its reason, whatever fails after it", async () => {
    const controller = new AbortController()
    const late = Effect.suspend(() => {
      controller.abort("given up")
      return Effect.failCause(Cause.combine(Cause.fail("late"), Cause.interrupt()))
    })
    expect(await rejection(runPromise(Effect.uninterruptible(late), { signal: controller.signal }))).toBe("given up")
  })

  test("is rejected for a signal only once everything is put away", async () => {
    let isAway = false
    const slow = Effect.never.pipe(
      Effect.onInterrupt(() =>
        Effect.andThen(
          Effect.sleep(1),
          Effect.sync(() => (isAway = true))
        )
      )
    )
    const controller = new AbortController()
    const waiting = rejection(runPromise(slow, { signal: controller.signal }))
    controller.abort()
    await waiting
    expect(isAway).toBe(true)
  })
})

describe("what is acquired", () => {
  /** Counts how many are open. */
  const counted = (open: { count: number }) => {
    const door = Effect.acquireRelease(
      Effect.sync(() => {
        open.count += 1
      }),
      () =>
        Effect.andThen(
          Effect.yieldNow,
          Effect.sync(() => void (open.count -= 1))
        )
    )
    return <A, E>(then: Effect.Effect<A, E>): Effect.Effect<{ readonly value: A }, E, Scope.Scope> =>
      Effect.map(Effect.andThen(door, then), (value) => ({ value }))
  }

  test("is put away by close, and whoever closes a second time waits for the first", async () => {
    const open = { count: 0 }
    const one: Owned = await acquire(counted(open)(Effect.void))
    expect(open.count).toBe(1)
    await Promise.all([one.close(), one.close()])
    expect(open.count).toBe(0)
  })

  test("is put away by `await using`", async () => {
    const open = { count: 0 }
    {
      await using _ = await acquire(counted(open)(Effect.void))
      expect(open.count).toBe(1)
    }
    expect(open.count).toBe(0)
  })

  test("is put away where acquiring fails or is given up", async () => {
    const open = { count: 0 }
    expect(await rejection(acquire(counted(open)(Effect.fail(new Broken({ what: "it" })))))).toBeInstanceOf(Broken)
    expect(open.count).toBe(0)
    const controller = new AbortController()
    const waiting = rejection(acquire(counted(open)(Effect.never), { signal: controller.signal }))
    controller.abort("no more")
    expect(await waiting).toBe("no more")
    expect(open.count).toBe(0)
  })
})

describe("an effect again and again", () => {
  const queued = (...values: ReadonlyArray<number>) => {
    const queue = Effect.runSync(Queue.unbounded<number, Broken>())
    for (const value of values) Queue.offerUnsafe(queue, value)
    return { queue, values: repeated(Queue.take(queue), ({ what }) => what === "end") }
  }

  test("ends with the orderly error, and throws any other", async () => {
    for (const what of ["end", "fire"]) {
      const { queue, values } = queued(1, 2)
      Queue.failCauseUnsafe(queue, Cause.fail(new Broken({ what })))
      const seen: Array<number> = []
      const loop = async (): Promise<void> => {
        for await (const value of values) seen.push(value)
      }
      if (what === "end") await loop()
      else expect(await rejection(loop())).toMatchObject({ what: "fire" })
      expect(seen).toEqual([1, 2])
    }
  })

  test("takes nothing that a loop did not ask for", async () => {
    const { queue, values } = queued(1, 2, 3)
    for await (const value of values) if (value === 2) break
    expect(Queue.sizeUnsafe(queue)).toBe(1)
  })

  test("tells who waits that there is no more when it is left, and takes nothing for it", async () => {
    const { queue, values } = queued()
    const iterator = values[Symbol.asyncIterator]()
    const [first, second] = [iterator.next(), iterator.next()]
    await iterator.return?.()
    expect([await first, await second, await iterator.next()]).toEqual(
      Array.from({ length: 3 }, () => ({ done: true, value: undefined }))
    )
    Queue.offerUnsafe(queue, 5)
    expect(Queue.sizeUnsafe(queue)).toBe(1)
  })
})
