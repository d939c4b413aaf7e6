/**
 * Shapes what old blocks take of our upload, so that a few peers which fetch the chain do not crowd out what is new: they come one at a
 * time, in the order in which they were asked for, and not faster than a rate, where one is set. It knows nothing of blocks.
 *
 * Specification: one old block a turn over all peers; at most `bytesPerSecond`, saved up for a second at most; first come, first served.
 * Rationale: whoever asked first is served first whatever it asked for, so that sixteen requests of one peer wait as long as one of another.
 */
import { type Instant, type Now, after } from "@satwire/machine"
import type { HistoricAllowance } from "@satwire/peer"

/** How long one waits that is not at the head of the queue before it asks again. */
const BEHIND_OTHERS_MS = 1

export class HistoricUpload implements HistoricAllowance {
  readonly #bytesPerSecond: number
  /** Those that wait, the first one first. */
  readonly #waiting: Set<object> = new Set()
  /** What may be sent by now; below 0 after a block that was more than what was saved up. */
  #bytes: number
  #countedAt: Instant | undefined = undefined
  #takenThisTurn = false

  /** @param bytesPerSecond no bound where it is `undefined` */
  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerSecond = bytesPerSecond ?? Infinity
    this.#bytes = this.#bytesPerSecond
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size
  }

  beginTurn(): void {
    this.#takenThisTurn = false
  }

  take(who: object, sizeBytes: number, now: Now): Instant | undefined {
    this.#waiting.add(who)
    const isFirst = this.#waiting.values().next().value === who
    if (this.#takenThisTurn) return now.instant
    if (!isFirst) return after(now.instant, BEHIND_OTHERS_MS)
    if (this.#bytesPerSecond !== Infinity) {
      this.#count(now.instant)
      // A block larger than a second's worth leaves when all of a second is there.
      const needed = Math.min(sizeBytes, this.#bytesPerSecond)
      if (this.#bytes < needed) {
        return after(now.instant, Math.ceil((1000 * (needed - this.#bytes)) / this.#bytesPerSecond))
      }
      this.#bytes -= sizeBytes
    }
    this.#takenThisTurn = true
    this.#waiting.delete(who)
    return undefined
  }

  forget(who: object): void {
    this.#waiting.delete(who)
  }

  #count(instant: Instant): void {
    const elapsedMs = instant - (this.#countedAt ?? instant)
    this.#countedAt = instant
    this.#bytes = Math.min(this.#bytesPerSecond, this.#bytes + (elapsedMs * this.#bytesPerSecond) / 1000)
  }
}
