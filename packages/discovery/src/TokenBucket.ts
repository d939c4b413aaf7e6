/**
 * How many addresses a peer may tell us of. What it tells beyond that is not looked at: who floods us with addresses of his own would
 * otherwise fill what we know, and what others hear from us.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`m_addr_token_bucket`).
 */
import type { Instant } from "@satwire/machine"

/**
 * Core's `MAX_ADDR_RATE_PER_SECOND`.
 *
 * @limit addresses a second that are taken from a peer
 */
export const MAX_ADDR_RATE_PER_SECOND = 0.1
/**
 * Core's `MAX_ADDR_PROCESSING_TOKEN_BUCKET`.
 *
 * @limit addresses that a peer which was silent may tell of at once
 */
export const MAX_ADDR_PROCESSING_TOKEN_BUCKET = 1000
/** A new peer may tell of itself. */
const FIRST_TOKENS = 1

export class TokenBucket {
  #tokens = FIRST_TOKENS
  #filledAt: Instant

  constructor(now: Instant) {
    this.#filledAt = now
  }

  /** Room for an answer that we asked for, above what the bucket holds otherwise. */
  add(tokens: number): void {
    this.#tokens += tokens
  }

  /** What has come together since the last time. */
  fill(now: Instant): void {
    if (this.#tokens < MAX_ADDR_PROCESSING_TOKEN_BUCKET) {
      const more = ((now - this.#filledAt) / 1000) * MAX_ADDR_RATE_PER_SECOND
      this.#tokens = Math.min(this.#tokens + more, MAX_ADDR_PROCESSING_TOKEN_BUCKET)
    }
    this.#filledAt = now
  }

  /** Takes a token, if there is one. */
  take(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
