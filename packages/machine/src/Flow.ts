/**
 * How much somebody may send in a while, in messages and in bytes, and how much of it a node passes on.
 *
 * Specification: a node passes on half of what it takes of one peer, and of that a quarter of one. What is beyond is nobody's fault. Rationale: with the
 * same rates everywhere no honest node can be made to send what looks like a flood to the next one, however many flood it within their rates; the
 * other half is for what it sends itself. Who brings much leaves the others their share.
 */
import { type Rate, TokenBucket } from "./TokenBucket.ts"

/** Of what is taken of one peer: what is passed on of all together, and of one. */
export const PASSED_ON: number = 1 / 2
export const PASSED_ON_OF_ONE: number = 1 / 8

export interface FlowRates {
  readonly messages: Rate
  readonly bytes: Rate
}

/** @param least what may go at once however small the part is, up to a whole burst */
export const partOf = ({ perSecond, burst }: Rate, part: number, least = 0): Rate => ({
  perSecond: perSecond * part,
  burst: Math.min(burst, Math.max(burst * part, least))
})

export class Flow {
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket

  constructor({ messages, bytes }: FlowRates, nowMs: number) {
    this.#messages = new TokenBucket(messages, nowMs)
    this.#bytes = new TokenBucket(bytes, nowMs)
  }

  has(messages: number, bytes: number, nowMs: number): boolean {
    return this.#messages.has(messages, nowMs) && this.#bytes.has(bytes, nowMs)
  }

  /** Takes both, or nothing where there is too little of one. */
  take(messages: number, bytes: number, nowMs: number): boolean {
    return this.#messages.has(messages, nowMs) && this.#bytes.take(bytes, nowMs) && this.#messages.take(messages, nowMs)
  }
}
