/**
 * How much somebody may do in a while: so many a second, and after a pause as many at once as a few seconds give. Times are milliseconds of any clock
 * that does not go back, such as an `Instant`.
 */
export interface Rate {
  readonly perSecond: number
  /** How many at once. */
  readonly burst: number
}

export class TokenBucket {
  readonly rate: Rate
  #left: number
  #at: number

  /** @param first how many there are at the start; a burst where not given */
  constructor(rate: Rate, nowMs: number, first: number = rate.burst) {
    this.rate = rate
    this.#left = first
    this.#at = nowMs
  }

  /** How many there are; negative where some are owed. */
  tokens(nowMs: number): number {
    if (nowMs > this.#at) {
      const { burst, perSecond } = this.rate
      // What was added above a burst stays.
      if (this.#left < burst) this.#left = Math.min(burst, this.#left + ((nowMs - this.#at) / 1000) * perSecond)
      this.#at = nowMs
    }
    return this.#left
  }

  has(count: number, nowMs: number): boolean {
    return this.tokens(nowMs) >= count
  }

  /** Takes that many, or none where there are fewer. */
  take(count: number, nowMs: number): boolean {
    if (!this.has(count, nowMs)) return false
    this.#left -= count
    return true
  }

  /** Takes that many, and owes those that are not there: how many are left. */
  spend(count: number, nowMs: number): number {
    this.#left = this.tokens(nowMs) - count
    return this.#left
  }

  /** So many above what time gives. */
  add(count: number): void {
    this.#left += count
  }
}
