/** Has a file saved when what belongs in it changed, and outlasts a disk on which that fails. */
import type { StoreError } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { FIRST_PAUSE_MS, nextPauseMs } from "@satwire/runtime"

export interface SaverOptions {
  readonly save: Effect.Effect<void, StoreError>
  /** How soon after a change, so that what changes with it is saved at once. */
  readonly soonMs: number
  /** How long it is left alone after that. */
  readonly everyMs: number
  /** It could not be saved, and is tried again in so long. */
  readonly unsaved: (error: StoreError, retryInMs: number) => void
}

export interface Saver {
  /** Something changed. */
  readonly changed: () => void
  /** Saves now. Where that fails, its caller hears of it, and it is tried again all the same. */
  readonly now: Effect.Effect<void, StoreError>
}

/** What changed and waits is saved when the scope closes, if it can be. */
export const keepSaving = ({
  everyMs,
  save,
  soonMs,
  unsaved
}: SaverOptions): Effect.Effect<Saver, never, Scope.Scope> =>
  Effect.gen(function* () {
    const wanted = yield* Queue.sliding<void>(1)
    let isDirty = false
    const changed = (): void => {
      isDirty = true
      Queue.offerUnsafe(wanted, undefined)
    }
    const once = Effect.suspend(() => {
      isDirty = false
      return Effect.tapError(save, () => Effect.sync(() => (isDirty = true)))
    })
    const untilSaved = Effect.gen(function* () {
      for (let pauseMs = FIRST_PAUSE_MS; isDirty; pauseMs = nextPauseMs(pauseMs)) {
        const outcome = yield* Effect.result(once)
        if (Result.isSuccess(outcome)) return
        unsaved(outcome.failure, pauseMs)
        yield* Effect.sleep(pauseMs)
      }
    })
    yield* Effect.addFinalizer(() => Effect.suspend(() => (isDirty ? Effect.ignore(once) : Effect.void)))
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.gen(function* () {
          yield* Queue.take(wanted)
          if (soonMs > 0) yield* Effect.sleep(soonMs)
          yield* untilSaved
          if (everyMs > 0) yield* Effect.sleep(everyMs)
        })
      )
    )
    return { changed, now: Effect.tapError(once, () => Effect.sync(changed)) }
  })
