/** How much somebody may do in a while: so many a second, and after a pause as many at once as a few seconds give. */
export interface Rate {
  readonly perSecond: number
  /** How many at once. */
  readonly burst: number
}

export class TokenBucket {
  readonly #rate: Rate
  #left: number
  #at: number

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate
    this.#left = rate.burst
    this.#at = nowMs
  }

  /** Takes that many, or none where there are fewer. */
  take(count: number, nowMs: number): boolean {
    if (!this.has(count, nowMs)) return false
    this.#left -= count
    return true
  }

  has(count: number, nowMs: number): boolean {
    if (nowMs > this.#at) {
      this.#left = Math.min(this.#rate.burst, this.#left + ((nowMs - this.#at) / 1000) * this.#rate.perSecond)
      this.#at = nowMs
    }
    return this.#left >= count
  }
}
