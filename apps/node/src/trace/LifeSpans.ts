/** The life of the program as spans: its start with the steps of that, and its stop. Without traces they go nowhere, and there are five of them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"

export interface LifeSpans {
  /** A step of the start. */
  readonly step: (
    name: string
  ) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
  readonly started: Effect.Effect<void>
  readonly stopping: Effect.Effect<void>
  /** All is closed, or the start has failed. */
  readonly over: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

export const lifeSpans: Effect.Effect<LifeSpans> = Effect.gen(function* () {
  const start = yield* Effect.makeSpan("start", { root: true })
  let current: Tracer.Span | undefined = start
  const end = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
    Effect.map(Clock.currentTimeNanos, (now) => {
      current?.end(now, exit)
      current = undefined
    })
  return {
    step: (name) => (work) => Effect.withSpan(work, name, { parent: start }),
    started: end(Exit.void),
    stopping: Effect.map(Effect.makeSpan("stop", { root: true }), (span) => {
      current = span
    }),
    over: end
  }
})
