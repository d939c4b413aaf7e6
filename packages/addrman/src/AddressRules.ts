/**
 * What the address manager thinks of an address, from how it fared. Times are seconds; 0 means never.
 *
 * Source: Bitcoin Core 31.99 `addrman.cpp` and `addrman.h`; names and values are Core's.
 */

/** An address that nobody has heard of for this long is forgotten: Core's `ADDRMAN_HORIZON`. */
export const HORIZON_S: number = 30 * 24 * 60 * 60
/** So many attempts without any success, and a node is given up: Core's `ADDRMAN_RETRIES`. */
export const RETRIES = 3
/** So many failures in a row, at least {@link MIN_FAIL_S} after the last success: Core's `ADDRMAN_MAX_FAILURES`. */
export const MAX_FAILURES = 10
/** Core's `ADDRMAN_MIN_FAIL`. */
export const MIN_FAIL_S: number = 7 * 24 * 60 * 60
/** A tried address that answered within this time is not evicted: Core's `ADDRMAN_REPLACEMENT`. */
export const REPLACEMENT_S: number = 4 * 60 * 60
/** How long a collision may wait to be tested before the newcomer has the place: Core's `ADDRMAN_TEST_WINDOW`. */
export const TEST_WINDOW_S: number = 40 * 60
/** How long a tested address has to answer before its failure counts. */
export const TEST_ANSWER_S = 60
/**
 * How many newcomers wait for a place among the tried: Core's `ADDRMAN_SET_TRIED_COLLISION_SIZE`.
 *
 * @limit collisions of the tried table that wait to be tested
 */
export const SET_TRIED_COLLISION_SIZE = 10
/** What is taken off the age of an address that a peer tells of somebody else. Who tells of itself is believed. */
export const GOSSIP_TIME_PENALTY_S: number = 2 * 60 * 60
/** A connection moves the time of its address on when that is older than this, so that `getaddr` shows less of who is connected. */
export const CONNECTED_UPDATE_S: number = 20 * 60

/** How addresses fared, by their entries. */
export interface Fortunes {
  /** When it was last heard of or connected, as others see it. */
  readonly time: ArrayLike<number>
  readonly lastTry: ArrayLike<number>
  readonly lastSuccess: ArrayLike<number>
  /** Counted attempts since the last success. */
  readonly attempts: ArrayLike<number>
}

/** Whether an address is bad enough to be overwritten by any other, and to be told to nobody. */
export const isTerrible = (fortunes: Fortunes, entry: number, now: number): boolean => {
  const lastTry = fortunes.lastTry[entry] as number
  const time = fortunes.time[entry] as number
  // It may be about to answer.
  if (now - lastTry <= 60) return false
  // A time ahead of ours is a lie, or a broken clock.
  if (time > now + 10 * 60) return true
  if (now - time > HORIZON_S) return true
  const attempts = fortunes.attempts[entry] as number
  const lastSuccess = fortunes.lastSuccess[entry] as number
  if (lastSuccess === 0 && attempts >= RETRIES) return true
  return now - lastSuccess > MIN_FAIL_S && attempts >= MAX_FAILURES
}

/** What is left of the chance after so many failures. From eight on it stays, or the search would take for ever after an outage. */
const FAILURE_CHANCES: ReadonlyArray<number> = Array.from({ length: 9 }, (_, failures) => 0.66 ** failures)

/** The chance with which an address that was drawn is taken: less after failures, and little where it was tried just now. */
export const chanceOf = (fortunes: Fortunes, entry: number, now: number): number =>
  (FAILURE_CHANCES[Math.min(fortunes.attempts[entry] as number, 8)] as number) *
  (now - (fortunes.lastTry[entry] as number) < 10 * 60 ? 0.01 : 1)

/** Whether `time`, newly heard, moves the known time of an address on: by an hour where it seems online, by a day where not. */
export const isNews = (known: number, time: number, penaltyS: number, now: number): boolean =>
  known < time - (now - time < 24 * 60 * 60 ? 60 * 60 : 24 * 60 * 60) - penaltyS
