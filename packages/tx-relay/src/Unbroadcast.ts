/**
 * Transactions of our own that nobody has asked for yet: they are announced again now and then, as there may have been nobody to hear of them.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`ReattemptInitialBroadcast`).
 */
import { equals } from "@satwire/bytes"
import { type Instant, type Random, after } from "@satwire/machine"
import type { Wtxid } from "@satwire/primitives"

const RETRY_MS: number = 10 * 60_000
const RETRY_SPREAD_MS: number = 5 * 60_000
/**
 * @limit transactions of our own that are announced again
 */
const MAX_UNBROADCAST = 1000

export class Unbroadcast {
  readonly #random: Random
  #wtxids: Array<Wtxid> = []
  #at: Instant | undefined = undefined

  constructor(random: Random) {
    this.#random = random
  }

  get wtxids(): ReadonlyArray<Wtxid> {
    return this.#wtxids
  }

  nextTimeout(): Instant | undefined {
    return this.#at
  }

  add(wtxid: Wtxid, now: Instant): void {
    this.delete(wtxid)
    this.#wtxids.push(wtxid)
    if (this.#wtxids.length > MAX_UNBROADCAST) this.#wtxids.shift()
    this.#at ??= after(now, RETRY_MS + this.#random.below(RETRY_SPREAD_MS))
  }

  /** Somebody asked for it. */
  delete(wtxid: Uint8Array): void {
    if (this.#wtxids.length === 0) return
    this.#wtxids = this.#wtxids.filter((each) => !equals(each, wtxid))
    if (this.#wtxids.length === 0) this.#at = undefined
  }

  /** All of them, if it is time; who wants to go on adds them again. */
  takeDue(now: Instant): ReadonlyArray<Wtxid> {
    if (this.#at === undefined || this.#at > now) return []
    const due = this.#wtxids
    this.#wtxids = []
    this.#at = undefined
    return due
  }
}
