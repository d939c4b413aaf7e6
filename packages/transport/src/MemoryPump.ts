/**
 * What moves everything in a memory network: one fiber that runs queued actions in order, at once or after the latency, on Effect's
 * clock. A handler that throws is a bug of whoever wrote it, and surfaces as it would from a socket: uncaught.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { Carrier } from "./MemoryConnection.ts"

/** How many actions run before other fibers may. */
const ACTIONS_A_TURN = 1024

interface Due {
  readonly at: number
  readonly action: () => void
}

export interface Pump extends Pick<Carrier, "soon" | "later" | "timer"> {
  /** Runs what is ready now, and what that adds: for the end, when the fiber will run nothing more. */
  readonly flush: () => void
}

/** A pump that runs as long as the scope. */
export const makePump: (latencyMs: number) => Effect.Effect<Pump, never, Scope.Scope> = Effect.fnUntraced(function* (
  latencyMs: number
) {
  const clock = yield* Clock.Clock
  const nowMs = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const work = yield* Latch.make()
  const sleepers = yield* FiberSet.makeRuntime()
  const ready = new Ready()
  /** In order of `at`, since the latency is one for all. */
  const crossing: Array<Due> = []

  const soon = (action: () => void): void => {
    ready.push(action)
    work.openUnsafe()
  }
  const later = (action: () => void): void => {
    if (latencyMs === 0) return soon(action)
    crossing.push({ at: nowMs() + latencyMs, action })
    work.openUnsafe()
  }
  const timer = (ms: number, action: () => void): (() => void) => {
    const fiber = sleepers(
      Effect.andThen(
        Effect.sleep(ms),
        Effect.sync(() => soon(action))
      )
    )
    return () => fiber.interruptUnsafe()
  }

  yield* Effect.forkScoped(
    Effect.gen(function* () {
      for (;;) {
        // Opening the latch resumes this fiber inside the caller (measured): only after this does it run from the event loop.
        yield* Effect.yieldNow
        work.closeUnsafe()
        if (crossing.length > 0) collect(crossing, nowMs(), ready)
        ready.run(ACTIONS_A_TURN)
        const next = crossing[0]
        if (!ready.isEmpty) continue
        if (next === undefined) yield* work.await
        else yield* Effect.raceFirst(Effect.sleep(Math.max(next.at - nowMs(), 0)), work.await)
      }
    })
  )
  const flush = (): void => {
    while (!ready.isEmpty) ready.run(ACTIONS_A_TURN)
  }
  return { soon, later, timer, flush }
})

/** Actions in order. An action may run the rest itself (a scope that closes does), so each is taken before it runs. */
class Ready {
  readonly #actions: Array<() => void> = []
  #next = 0

  get isEmpty(): boolean {
    return this.#actions.length === 0
  }

  push(action: () => void): void {
    this.#actions.push(action)
  }

  /** Runs up to `most` actions, with those that are added meanwhile. */
  run(most: number): void {
    for (let done = 0; done < most && this.#next < this.#actions.length; done++) {
      try {
        ;(this.#actions[this.#next++] as () => void)()
      } catch (thrown) {
        // Rejected and left so on purpose: the process sees it, and the network goes on.
        void Promise.reject(thrown)
      }
    }
    this.#actions.splice(0, this.#next)
    this.#next = 0
  }
}

/** Moves what has crossed to what is ready. */
const collect = (crossing: Array<Due>, now: number, ready: Ready): void => {
  let arrived = 0
  for (const due of crossing) {
    if (due.at > now) break
    ready.push(due.action)
    arrived++
  }
  crossing.splice(0, arrived)
}
