/**
 * How much a relay passes on: of all that it takes, and of what one peer brings.
 *
 * Specification: it passes on half of what it takes of one peer, and of that a quarter of one. What is beyond is delivered, goes no further, and is
 * nobody's fault. Rationale: with the same rates everywhere no honest relay can be made to send what looks like a flood to the next one, however many
 * flood it within their rates; the other half is for what it sends itself. Who brings much leaves the others their share.
 */
import { type Instant, type Rate, TokenBucket } from "@satwire/machine"
import { type RelayRates, SIGNED_COSTS } from "./RelayOptions.ts"

export const PASSED_ON: number = 1 / 2
export const PASSED_ON_OF_ONE: number = 1 / 8

export class Passing {
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket

  /** @param maxBytes of one message: one of each kind passes, however low the rates are set */
  constructor(rates: RelayRates, part: number, maxBytes: number, now: Instant) {
    const { burstBytes, burstMessages, bytesPerSecond, messagesPerSecond } = rates
    this.#messages = new TokenBucket(partOf(messagesPerSecond, burstMessages, part, 1 + SIGNED_COSTS), now)
    this.#bytes = new TokenBucket(partOf(bytesPerSecond, burstBytes, part, maxBytes), now)
  }

  has(messages: number, bytes: number, now: Instant): boolean {
    return this.#messages.has(messages, now) && this.#bytes.has(bytes, now)
  }

  spend(messages: number, bytes: number, now: Instant): void {
    this.#messages.spend(messages, now)
    this.#bytes.spend(bytes, now)
  }
}

const partOf = (perSecond: number, burst: number, part: number, least: number): Rate => ({
  perSecond: perSecond * part,
  burst: Math.min(burst, Math.max(burst * part, least))
})
