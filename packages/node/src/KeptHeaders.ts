/** Between the header tree and the store: what is accepted is written in the order of its acceptance. */
import { concat } from "@satwire/bytes"
import { HEADER_SIZE } from "@satwire/primitives"
import { type DiskFull, HeaderStore, MAX_COMMIT_HEADERS, type StoreError } from "@satwire/store"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { FIRST_PAUSE_MS, nextPauseMs } from "@satwire/runtime"

/**
 * How many bytes of accepted headers may wait for a slow disk. While more do, nothing is read from any peer, until half of it is written;
 * what peers sent before is still taken in.
 *
 * @limit bytes of headers that wait for the store before reading from peers stops
 */
export const HEADER_BYTES_WAITING = 4_000_000

export interface HeaderKeeperOptions {
  /** So many more headers are safe. */
  readonly stored: (count: number) => void
  /** More waits for the store than it should, or no longer. */
  readonly behind: (isBehind: boolean) => void
  /** The disk is full: it is tried again in so long. */
  readonly full: (error: DiskFull, retryInMs: number) => void
  /** There is room again, and what waited is kept. */
  readonly roomAgain: () => void
  /** The store gave up; nothing more is kept. */
  readonly failed: (cause: Cause.Cause<StoreError>) => void
}

/**
 * Writes headers to the store in order, all that wait in one commit. What waits when the scope closes is written before it has closed.
 * What it gives takes `count` headers whose memory is the keeper's from then on.
 */
export const keepHeaders = (
  options: HeaderKeeperOptions
): Effect.Effect<(headers: Uint8Array, count: number) => void, never, HeaderStore | Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* HeaderStore
    const waiting = yield* Queue.unbounded<{ readonly headers: Uint8Array; readonly count: number }, Cause.Done>()
    const closing = yield* Deferred.make<void>()
    let bytes = 0
    let isBehind = false
    const append = storing(store, options, closing)
    const weigh = (change: number): void => {
      bytes += change
      const most = isBehind ? HEADER_BYTES_WAITING / 2 : HEADER_BYTES_WAITING
      if (bytes > most === isBehind) return
      isBehind = !isBehind
      options.behind(isBehind)
    }
    const writer = yield* Effect.forkScoped(
      Stream.fromQueue(waiting).pipe(
        Stream.runForEachArray((batches) => {
          const count = batches.reduce((sum, batch) => sum + batch.count, 0)
          const headers = joined(batches.map((batch) => batch.headers))
          return Effect.map(append(headers, count), () => {
            weigh(-headers.length)
            options.stored(count)
          })
        }),
        Effect.catchCause((cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.void
          return Effect.map(Queue.shutdown(waiting), () => options.failed(cause))
        })
      )
    )
    yield* Effect.addFinalizer(() =>
      Effect.andThen(Deferred.succeed(closing, undefined), Queue.end(waiting)).pipe(Effect.andThen(Fiber.await(writer)))
    )
    return (headers, count) => {
      if (Queue.offerUnsafe(waiting, { headers, count })) weigh(headers.length)
    }
  })

/** A limit on the size of this process's files, which nobody can lift while it runs. */
const SIZE_LIMIT = "EFBIG"

/** An append that outlasts a full disk, which somebody may make room on. Who closes waits no longer: then it is tried once more. */
const storing = (
  store: HeaderStore["Service"],
  { full, roomAgain }: Pick<HeaderKeeperOptions, "full" | "roomAgain">,
  closing: Deferred.Deferred<void>
): ((headers: Uint8Array, count: number) => Effect.Effect<void, StoreError>) => {
  const appendOne = Effect.fnUntraced(function* (headers: Uint8Array, count: number) {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = nextPauseMs(pauseMs)) {
      const outcome = yield* Effect.result(store.append(headers, count))
      if (Result.isSuccess(outcome)) {
        if (pauseMs > FIRST_PAUSE_MS) roomAgain()
        return
      }
      const error = outcome.failure
      if (error._tag !== "DiskFull" || error.code === SIZE_LIMIT || (yield* Deferred.isDone(closing)))
        return yield* error
      full(error, pauseMs)
      yield* Effect.raceFirst(Effect.sleep(pauseMs), Deferred.await(closing))
    }
  })
  // One commit each: of a longer run a part would be there already when it is tried again.
  return Effect.fnUntraced(function* (headers: Uint8Array, count: number) {
    for (let from = 0; from < count; from += MAX_COMMIT_HEADERS) {
      const run = Math.min(count - from, MAX_COMMIT_HEADERS)
      yield* appendOne(headers.subarray(from * HEADER_SIZE, (from + run) * HEADER_SIZE), run)
    }
  })
}

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : concat(parts)
}
