/**
 * What peers are told to announce to us: nothing that pays less than what the pool takes (BIP-0133).
 *
 * Specification: the rate is rounded to steps of a tenth, by chance mostly down; it is told when the connection begins, then every ten minutes in
 * the mean where it is another, and within five minutes where it is very different. Rationale: the exact rate, and when it changed, would tell
 * one node from all others.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`MaybeSendFeefilter`), `policy/fees/block_policy_estimator.cpp` (`FeeFilterRounder`).
 */
import { MAX_MONEY } from "@satwire/consensus"
import { Deadlines, IdMap, type Instant, type PeerId, type Random, after, exponentialMs } from "@satwire/machine"
import type { RelayPeer } from "./RelayPeer.ts"

/** Core's `AVG_FEEFILTER_BROADCAST_INTERVAL`. */
export const AVG_FEEFILTER_BROADCAST_INTERVAL_MS: number = 10 * 60_000
/** Core's `MAX_FEEFILTER_CHANGE_DELAY`. */
export const MAX_FEEFILTER_CHANGE_DELAY_MS: number = 5 * 60_000
/** Core's `FEE_FILTER_SPACING`. */
const FEE_FILTER_SPACING = 1.1
/** Core's `MAX_FILTER_FEERATE`. */
const MAX_FILTER_FEERATE = 1e7
/** Core 30's `DEFAULT_MIN_RELAY_TX_FEE`, of which half is the first step. */
export const DEFAULT_MIN_RELAY_TX_FEE = 100
/**
 * @limit peers that are told of a fee rate in one turn
 */
const TOLD_PER_TURN = 256

/** Rounds fee rates, so that they tell little of who has them. */
export class FeeFilterRounder {
  readonly #random: Random
  readonly #steps: ReadonlyArray<number>

  constructor(random: Random, minFeeRateSatPerKvb: number = DEFAULT_MIN_RELAY_TX_FEE) {
    const steps = [0]
    const first = Math.max(1, Math.floor(minFeeRateSatPerKvb / 2))
    for (let step = first; step <= MAX_FILTER_FEERATE; step *= FEE_FILTER_SPACING) steps.push(step)
    this.#random = random
    this.#steps = steps
  }

  /** What everything is rounded to that is above all steps. */
  get most(): number {
    return Math.floor(this.#steps.at(-1) as number)
  }

  round(rateSatPerKvb: number): number {
    const steps = this.#steps
    const above = steps.findIndex((step) => step >= rateSatPerKvb)
    if (above < 0) return this.most
    const isDown = above > 0 && this.#random.below(3) !== 0
    return Math.floor(steps[isDown ? above - 1 : above] as number)
  }
}

export class FeeFilters {
  readonly #random: Random
  readonly #rounder: FeeFilterRounder
  readonly #current: () => number
  readonly #times: Deadlines<PeerId> = new Deadlines(new IdMap<PeerId, number>())
  /** What was the rate when it was last looked at. */
  #seen = -1

  /**
   * @param minFeeRate what the pool takes
   * @param isCatchingUp while this holds, nothing is to be announced at all
   */
  constructor(random: Random, minFeeRate: () => number, isCatchingUp: () => boolean) {
    this.#random = random
    this.#rounder = new FeeFilterRounder(random)
    this.#current = () => (isCatchingUp() ? MAX_MONEY : minFeeRate())
  }

  get isEmpty(): boolean {
    return this.#times.size === 0
  }

  nextTimeout(): Instant | undefined {
    return this.#times.earliest()
  }

  join(peer: PeerId, now: Instant): void {
    this.#times.set(peer, now)
  }

  leave(peer: PeerId): void {
    this.#times.set(peer, undefined)
  }

  /** Tells those whose time has come, where the rate is another for them. */
  step(now: Instant, peerOf: (id: PeerId) => RelayPeer | undefined, tell: (peer: RelayPeer) => void): void {
    for (let told = 0; told < TOLD_PER_TURN; told++) {
      const id = this.#times.takeDue(now)
      if (id === undefined) return
      const peer = peerOf(id)
      if (peer === undefined) continue
      const rate = Math.max(this.#rounder.round(this.#current()), DEFAULT_MIN_RELAY_TX_FEE)
      const isAnother = rate !== peer.feeFilterSent
      peer.feeFilterSent = rate
      this.#times.set(id, after(now, exponentialMs(this.#random, AVG_FEEFILTER_BROADCAST_INTERVAL_MS)))
      if (isAnother) tell(peer)
    }
  }

  /** The rate may be another: who was told of a very different one is told sooner. */
  look(now: Instant, peers: Iterable<RelayPeer>): void {
    const current = this.#current()
    if (current === this.#seen) return
    this.#seen = current
    for (const peer of peers) {
      const due = this.#times.get(peer.id)
      const sent = peer.feeFilterSent
      if (due === undefined) continue
      // We have caught up.
      if (sent === this.#rounder.most && current < MAX_MONEY) this.#times.set(peer.id, now)
      else if (due > now + MAX_FEEFILTER_CHANGE_DELAY_MS && (current < (sent * 3) / 4 || current > (sent * 4) / 3))
        this.#times.set(peer.id, after(now, this.#random.below(MAX_FEEFILTER_CHANGE_DELAY_MS)))
    }
  }
}
