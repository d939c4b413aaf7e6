/** What a relay keeps of one peer: who it is, and how much of it is taken. */
import type { Instant, PeerId } from "@satwire/machine"
import type { RelayRates } from "./RelayOptions.ts"

/**
 * Small faults that honest nodes commit as well, by a slow clock or a full table: so many of a peer at once, and one more each ten seconds.
 *
 * @limit replayed, looping or expired messages that are forgiven at once
 */
export const FORGIVEN_FAULTS = 16
const FORGIVE_ONE_MS = 10_000

/** What a peer may still spend; it comes back with time. */
class Allowance {
  readonly #perMs: number
  readonly most: number
  #left: number
  #at: Instant

  constructor(perSecond: number, most: number, now: Instant) {
    this.#perMs = perSecond / 1000
    this.most = most
    this.#left = most
    this.#at = now
  }

  /** What is left after `cost`, below zero where it is overspent. */
  spend(cost: number, now: Instant): number {
    this.#left = Math.min(this.most, this.#left + (now - this.#at) * this.#perMs) - cost
    this.#at = now
    return this.#left
  }

  /** Milliseconds until half of it is there. */
  untilHalf(now: Instant): number {
    return Math.max(0, (this.most / 2 - this.spend(0, now)) / this.#perMs)
  }
}

export class RelayPeer {
  readonly id: PeerId
  readonly nodeId: string
  /** Its number among the peers, by which is kept what it sent. */
  readonly slot: number
  readonly #messages: Allowance
  readonly #bytes: Allowance
  readonly #faults: Allowance
  readonly #patienceMs: number
  /** Since when it has not been below its rates; `undefined` while it is. */
  #fastSince: Instant | undefined = undefined
  isPaused = false

  constructor(id: PeerId, nodeId: string, slot: number, rates: RelayRates, now: Instant) {
    this.id = id
    this.nodeId = nodeId
    this.slot = slot
    this.#messages = new Allowance(rates.messagesPerSecond, rates.burstMessages, now)
    this.#bytes = new Allowance(rates.bytesPerSecond, rates.burstBytes, now)
    this.#faults = new Allowance(1000 / FORGIVE_ONE_MS, FORGIVEN_FAULTS, now)
    this.#patienceMs = rates.patienceMs
  }

  /**
   * Counts what came. `paused`: nothing more should be read of it. `flooding`: it went on all the same for as much again as it may send at
   * once, or is faster than it may be for longer than we are patient.
   */
  count(messages: number, bytes: number, now: Instant): "fine" | "paused" | "flooding" {
    const left = this.#messages.spend(messages, now)
    const leftBytes = this.#bytes.spend(bytes, now)
    if (left < -this.#messages.most || leftBytes < -this.#bytes.most) return "flooding"
    if (left >= 0 && leftBytes >= 0) {
      // After a pause half is there: who has more than three quarters again was slower.
      if (4 * left > 3 * this.#messages.most && 4 * leftBytes > 3 * this.#bytes.most) this.#fastSince = undefined
      return "fine"
    }
    this.#fastSince ??= now
    return now - this.#fastSince >= this.#patienceMs ? "flooding" : "paused"
  }

  /** When it may be read again, in milliseconds. */
  pauseMs(now: Instant): number {
    return Math.max(this.#messages.untilHalf(now), this.#bytes.untilHalf(now))
  }

  /** Counts a small fault; whether it is one too many. */
  faulted(now: Instant): boolean {
    return this.#faults.spend(1, now) < 0
  }
}
