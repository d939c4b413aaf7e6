/** A bucket of tokens: so much a second on average, and at most one burst at once. Debt is allowed, and is paid off before more is given. */
export class Bucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #at: number

  /** Full, at `nowMs`. */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
    this.#at = nowMs
  }

  /** Takes tokens, whether or not there are so many. */
  take(count: number, nowMs: number): void {
    this.#refill(nowMs)
    this.#tokens -= count
  }

  /** How many there are; negative where some are owed. */
  tokens(nowMs: number): number {
    this.#refill(nowMs)
    return this.#tokens
  }

  isFull(nowMs: number): boolean {
    return this.tokens(nowMs) >= this.#burst
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#at) * this.#perSecond) / 1000)
    this.#at = nowMs
  }
}
