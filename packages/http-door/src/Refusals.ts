/** What is told of requests that were refused: one line each, and of a flood a few lines and a number. */
import { LogBudget } from "@satwire/runtime"
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
const MINUTE_MS = 60_000

/** Tells of a refusal, or counts it where enough was told in this minute. */
export const refusalLog = (
  tell: (line: string, refusal: Refusal) => Effect.Effect<void>
): ((refusal: Refusal) => Effect.Effect<void>) => {
  const budget = new LogBudget({ most: REFUSAL_LINES_PER_MINUTE, periodMs: MINUTE_MS })
  return (refusal) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      // The lines together, whatever they are about.
      const untold = budget.ask("refusal", 1, Number(now) / 1e6)
      if (untold === undefined) return Effect.void
      const more = untold === 0 ? "" : `; ${untold} more were refused since the line before`
      return tell(`Refused an HTTP request from ${refusal.from}: ${refusal.why}${more}`, refusal)
    })
}
