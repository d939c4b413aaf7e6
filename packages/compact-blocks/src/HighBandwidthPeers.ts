/**
 * The peers that are asked to send new blocks as `cmpctblock` at once: the last three that were the first to deliver one.
 *
 * Specification: one of them is a peer that we chose ourselves, as long as there is one. Rationale: whoever dials us to be fast could else take
 * all three places, and keep a block from us.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`MaybeSetPeerAsAnnouncingHeaderAndIDs`), BIP-0152 §"Implementation Notes".
 */
import type { PeerId } from "@satwire/machine"

/**
 * BIP-0152: no more than three.
 *
 * @limit peers that send us new blocks in short at once
 */
export const MAX_HIGH_BANDWIDTH_PEERS = 3

export interface Chosen {
  readonly peer: PeerId
  readonly outbound: boolean
}

export class HighBandwidthPeers {
  /** Who delivered longest ago comes first. */
  readonly #chosen: Array<Chosen> = []

  get peers(): ReadonlyArray<PeerId> {
    return this.#chosen.map(({ peer }) => peer)
  }

  get isEmpty(): boolean {
    return this.#chosen.length === 0
  }

  has(peer: PeerId): boolean {
    return this.#chosen.some((chosen) => chosen.peer === peer)
  }

  delete(peer: PeerId): void {
    const at = this.#chosen.findIndex((chosen) => chosen.peer === peer)
    if (at >= 0) this.#chosen.splice(at, 1)
  }

  /** A peer was the first to deliver a block. Gives whether it was chosen anew, and who is no longer. */
  delivered(peer: Chosen): { readonly isNew: boolean; readonly dropped: PeerId | undefined } {
    const isNew = !this.has(peer.peer)
    this.delete(peer.peer)
    if (!peer.outbound) this.#keepLastOutbound()
    const dropped = this.#chosen.length < MAX_HIGH_BANDWIDTH_PEERS ? undefined : this.#chosen.shift()
    this.#chosen.push(peer)
    return { isNew, dropped: dropped?.peer }
  }

  /** The only one that we chose, if it is the next to be dropped, changes places with the one behind it. */
  #keepLastOutbound(): void {
    const [first, second] = this.#chosen
    if (first === undefined || second === undefined || this.#chosen.length < MAX_HIGH_BANDWIDTH_PEERS) return
    if (!first.outbound || this.#chosen.some(({ outbound }, i) => outbound && i > 0)) return
    this.#chosen[0] = second
    this.#chosen[1] = first
  }
}
