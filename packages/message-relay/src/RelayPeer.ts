/** What a relay keeps of one peer: who it is, and how much of it is taken. */
import { type Flow, type Instant, PASSED_ON_OF_ONE, type PeerId, TokenBucket } from "@satwire/machine"
import { passing } from "./Passing.ts"
import type { RelayRates } from "./RelayOptions.ts"

/**
 * Small faults that honest nodes commit as well, by a slow clock or a full table: so many of a peer at once, and one more each ten seconds.
 *
 * @limit replayed, looping or expired messages that are forgiven at once
 */
export const FORGIVEN_FAULTS = 16
const FORGIVE_ONE_MS = 10_000
/** How often it is told that a peer brings more than is passed on. */
const CROWDED_INTERVAL_MS = 1000

/** Milliseconds until half of a burst is there. */
const untilHalf = (bucket: TokenBucket, now: Instant): number =>
  Math.max(0, ((bucket.rate.burst / 2 - bucket.tokens(now)) * 1000) / bucket.rate.perSecond)

export class RelayPeer {
  readonly id: PeerId
  readonly nodeId: string
  /** Its number among the peers, by which is kept what it sent. */
  readonly slot: number
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket
  readonly #faults: TokenBucket
  readonly #rates: RelayRates
  /** Since when it has not been below its rates; `undefined` while it is. */
  #fastSince: Instant | undefined = undefined
  isPaused = false
  /** How much of what it brings goes on. */
  readonly passing: Flow
  /** What it brought, did not go on, and was not told of. */
  #crowded = 0
  #crowdedToldAt: Instant | undefined = undefined

  constructor(id: PeerId, nodeId: string, slot: number, rates: RelayRates, maxBytes: number, now: Instant) {
    this.id = id
    this.nodeId = nodeId
    this.slot = slot
    this.#messages = new TokenBucket({ perSecond: rates.messagesPerSecond, burst: rates.burstMessages }, now)
    this.#bytes = new TokenBucket({ perSecond: rates.bytesPerSecond, burst: rates.burstBytes }, now)
    this.#faults = new TokenBucket({ perSecond: 1000 / FORGIVE_ONE_MS, burst: FORGIVEN_FAULTS }, now)
    this.#rates = rates
    this.passing = passing(rates, PASSED_ON_OF_ONE, maxBytes, now)
  }

  /**
   * Counts what came. `paused`: nothing more should be read of it. `flooding`: it went on all the same for as much again as it may send at
   * once, or is faster than it may be for longer than we are patient.
   */
  count(messages: number, bytes: number, now: Instant): "fine" | "paused" | "flooding" {
    const left = this.#messages.spend(messages, now)
    const leftBytes = this.#bytes.spend(bytes, now)
    const { burstBytes, burstMessages } = this.#rates
    if (left < -burstMessages || leftBytes < -burstBytes) return "flooding"
    if (left >= 0 && leftBytes >= 0) {
      // After a pause half is there: who has more than three quarters again was slower.
      if (4 * left > 3 * burstMessages && 4 * leftBytes > 3 * burstBytes) this.#fastSince = undefined
      return "fine"
    }
    this.#fastSince ??= now
    return now - this.#fastSince >= this.#rates.patienceMs ? "flooding" : "paused"
  }

  /** When it may be read again, in milliseconds. */
  pauseMs(now: Instant): number {
    return Math.max(untilHalf(this.#messages, now), untilHalf(this.#bytes, now))
  }

  /** Counts a small fault; whether it is one too many. */
  faulted(now: Instant): boolean {
    return this.#faults.spend(1, now) < 0
  }

  /** Counts a message that does not go on: how many there are to tell of, at most once a second. */
  crowded(now: Instant): number {
    this.#crowded += 1
    if (this.#crowdedToldAt !== undefined && now - this.#crowdedToldAt < CROWDED_INTERVAL_MS) return 0
    const messages = this.#crowded
    this.#crowded = 0
    this.#crowdedToldAt = now
    return messages
  }
}
