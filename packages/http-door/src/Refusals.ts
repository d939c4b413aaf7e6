/** What is told of requests that were refused: one line each, and of a flood a few lines and a number. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export type RefusalReason =
  /** The address is not one that may ask: `rpcallowip`. */
  | "address"
  /** The request names a host that we are not, as a page does whose name was made to point here (DNS rebinding). */
  | "host"
  /** It comes from a page of somewhere else. */
  | "origin"
  | "credentials"
  /** This user may not call this method: `rpcwhitelist`. */
  | "method"
  | "too long"
  | "too slow"
  | "too many"
  | "malformed"

export interface Refusal {
  readonly reason: RefusalReason
  /** Who asked, as far as is known. */
  readonly from: string
  /** Half a sentence: what is wrong with it. */
  readonly why: string
}

/**
 * @limit lines of log about refused HTTP requests in a minute
 */
export const REFUSAL_LINES_PER_MINUTE = 10
const MINUTE_NANOS = 60_000_000_000n

/** Tells of a refusal, or counts it where enough was told in this minute. */
export const refusalLog = (
  tell: (line: string, refusal: Refusal) => Effect.Effect<void>
): ((refusal: Refusal) => Effect.Effect<void>) => {
  let since: bigint | undefined
  let told = 0
  let untold = 0
  return (refusal: Refusal): Effect.Effect<void> =>
    Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      if (since === undefined || now - since >= MINUTE_NANOS) {
        since = now
        told = 0
      }
      if (told >= REFUSAL_LINES_PER_MINUTE) {
        untold++
        return Effect.void
      }
      told++
      const more = untold === 0 ? "" : `; ${untold} more were refused since the line before`
      untold = 0
      return tell(`Refused an HTTP request from ${refusal.from}: ${refusal.why}${more}`, refusal)
    })
}
