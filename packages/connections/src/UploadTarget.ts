/**
 * How much may be uploaded in a day, and what is kept back of it: new blocks always find room, old ones only while there is some to spare.
 *
 * Source: Bitcoin Core 28.1 `net.cpp` (`OutboundTargetReached`, `GetMaxOutboundTimeLeftInCycle`).
 */
import { type Instant, after } from "@satwire/machine"

/** Core's `MAX_UPLOAD_TIMEFRAME`. */
export const UPLOAD_CYCLE_MS: number = 24 * 60 * 60 * 1000
/** How far blocks are apart. */
const BLOCK_INTERVAL_MS = 10 * 60 * 1000
/** A block of the greatest weight, serialized. */
const MAX_BLOCK_BYTES = 4_000_000

export class UploadTarget {
  readonly #targetBytes: number
  #cycleStart: Instant | undefined = undefined
  #sentBytes = 0

  /** @param targetBytes for a day; 0 for no target */
  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes
  }

  /** Notes bytes that leave. */
  sent(bytes: number, instant: Instant): void {
    this.#turn(instant)
    this.#sentBytes += bytes
  }

  /** Whether the target is reached; for what is historic also where the rest is needed for one new block each ten minutes. */
  isReached(isHistoric: boolean, instant: Instant): boolean {
    if (this.#targetBytes === 0) return false
    this.#turn(instant)
    if (!isHistoric) return this.#sentBytes >= this.#targetBytes
    const reserve = (this.leftMs(instant) / BLOCK_INTERVAL_MS) * MAX_BLOCK_BYTES
    return reserve >= this.#targetBytes || this.#sentBytes >= this.#targetBytes - reserve
  }

  /** Bytes of the target that are left in this cycle; `undefined` without a target. */
  leftBytes(instant: Instant): number | undefined {
    if (this.#targetBytes === 0) return undefined
    this.#turn(instant)
    return Math.max(0, this.#targetBytes - this.#sentBytes)
  }

  /** How long this cycle lasts still. */
  leftMs(instant: Instant): number {
    this.#turn(instant)
    return after(this.#cycleStart ?? instant, UPLOAD_CYCLE_MS) - instant
  }

  /** A cycle begins with the first byte after the last one's end. */
  #turn(instant: Instant): void {
    if (this.#cycleStart !== undefined && instant < after(this.#cycleStart, UPLOAD_CYCLE_MS)) return
    this.#cycleStart = instant
    this.#sentBytes = 0
  }
}
