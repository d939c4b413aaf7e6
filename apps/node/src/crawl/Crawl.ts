/** Many visits, as many at a time as are allowed, in the order of a frontier, until nobody is left. */
import type { CrawlFrontier, CrawlTarget } from "@satwire/discovery"
import { nowReader } from "@satwire/runtime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Latch from "effect/Latch"

/**
 * Ends when nobody is left, or with the first visit that fails. A visit may put others into the frontier.
 *
 * @param over ends when nobody more is visited; those under way are to end by themselves
 */
export const crawl = <E, R>(
  frontier: CrawlFrontier,
  connections: number,
  visit: (target: CrawlTarget) => Effect.Effect<void, E, R>,
  over: Effect.Effect<void>
): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    const failed = yield* Deferred.make<never, E>()
    const run = yield* FiberSet.makeRuntime<R, void, never>()
    const changed = yield* Latch.make(false)
    const now = yield* nowReader
    let busy = 0
    const ended = Effect.suspend(() => {
      busy--
      return changed.open
    })
    const visiting = (target: CrawlTarget): Effect.Effect<void, never, R> =>
      visit(target).pipe(
        Effect.catchCause((cause) => Effect.asVoid(Deferred.failCause(failed, cause))),
        Effect.ensuring(ended)
      )
    const dispatching = Effect.gen(function* () {
      for (;;) {
        // Before the look, so that whatever changes after it is not slept through.
        yield* changed.close
        const { instant } = now()
        const step = busy < connections ? frontier.next(instant) : undefined
        if (step?._tag === "Visit") {
          busy++
          run(visiting(step.target))
        } else if (step?._tag === "Wait") yield* Effect.raceFirst(changed.await, Effect.sleep(step.until - instant))
        else if (busy > 0) yield* changed.await
        else return
      }
    })
    const leaving = Effect.gen(function* () {
      for (;;) {
        yield* changed.close
        if (busy === 0) return
        yield* changed.await
      }
    })
    yield* Effect.raceFirst(Effect.andThen(Effect.raceFirst(dispatching, over), leaving), Deferred.await(failed))
  }).pipe(Effect.scoped)
