/** Lines on how something goes, at most one a second: the first change is told at once, what comes within the second after it at its end. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"

export const LINE_INTERVAL_MS = 1000
const NANOS_PER_MS = 1_000_000n

/** Two clocks: one for how long things took, and one for what time it is. */
export interface Moment {
  readonly ms: number
  readonly unix: number
}

/**
 * Writes lines until it is interrupted.
 *
 * @param news opened by whoever has any
 * @param line what to write, given how long the last line is ago; nothing where it is `undefined`
 */
export const everySecond = (
  news: Latch.Latch,
  line: (now: Moment, elapsedMs: number) => string | undefined,
  write: (line: string) => Effect.Effect<void>
): Effect.Effect<never> =>
  Effect.gen(function* () {
    let last = -Infinity
    for (;;) {
      yield* news.await
      news.closeUnsafe()
      const now = yield* moment
      const text = line(now, now.ms - last)
      last = now.ms
      if (text !== undefined) yield* write(text)
      yield* Effect.sleep(LINE_INTERVAL_MS)
    }
  })

const moment: Effect.Effect<Moment> = Effect.zipWith(
  Clock.monotonicTimeNanos,
  Clock.currentTimeMillis,
  (nanos, millis) => ({ ms: Number(nanos / NANOS_PER_MS), unix: Math.floor(millis / 1000) })
)
