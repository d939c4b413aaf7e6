/**
 * Who behaves how, and who is banned. The scores are those of `@satwire/reputation`; gossipsub is told of them, and forgets a peer by its own
 * thresholds long before one is banned here.
 *
 * Specification: a ban is of a peer's key, and of its host once several keys of that host are banned. Rationale: a key costs nothing, a host
 * something; and behind one host may be several people. Hosts of IPv6 count by 64 bits.
 */
import { type Now, forgetOldest } from "@satwire/machine"
import { sourceKey } from "@satwire/netaddress"
import { Reputation, type ReputationEvent } from "@satwire/reputation"
import type { Remote } from "@satwire/transport-libp2p"
import { type FaultPoints, type GossipFault, faultPolicy } from "./Faults.ts"

/**
 * @limit peers of gossip whose faults are remembered; bans of peers, and hosts with a banned one, are as many each
 */
export const MAX_REMEMBERED = 4096

export interface StandingsOptions {
  readonly points: FaultPoints
  readonly banMs: number
  readonly maxBannedPerHost: number
  readonly now: () => Now
}

export class Standings {
  readonly #options: StandingsOptions
  readonly #reputation: Reputation<string, GossipFault>
  /** Until when. */
  readonly #bans: Map<string, number> = new Map()
  readonly #banned: Map<string, Set<string>> = new Map()

  constructor(options: StandingsOptions) {
    this.#options = options
    this.#reputation = new Reputation(faultPolicy(options.points, MAX_REMEMBERED))
  }

  /** Whether it is this fault that bans it. */
  record(peer: string, fault: GossipFault): boolean {
    const now = this.#options.now()
    const told: Array<ReputationEvent<string, GossipFault>> = []
    this.#reputation.handle({ _tag: "Behaviour", peer, name: fault }, now, told)
    if (this.#reputation.standing(peer, now.instant) !== "banned" || this.#isPeerBanned(peer)) return false
    this.ban(peer)
    return true
  }

  /** From now on, for as long as bans last. */
  ban(peer: string): void {
    if (this.#bans.size >= MAX_REMEMBERED) forgetOldest(this.#bans)
    this.#bans.delete(peer)
    this.#bans.set(peer, this.#options.now().instant + this.#options.banMs)
  }

  unban(peer: string): void {
    this.#bans.delete(peer)
    for (const [host, peers] of this.#banned) {
      if (peers.delete(peer) && peers.size === 0) this.#banned.delete(host)
    }
    this.#reputation.handle({ _tag: "Forget", peer }, this.#options.now(), [])
  }

  /** For a node's `isBanned`. Of a banned peer it learns the host here, where the peer itself has come from there, and nobody only says so. */
  readonly isBanned = ({ host: from, peerId, isProven = false }: Remote): boolean => {
    const isPeer = peerId !== undefined && this.#isPeerBanned(peerId)
    if (from === undefined || (!isPeer && this.#banned.size === 0)) return isPeer
    const host = sourceKey(from)
    if (isPeer && isProven) this.#note(host, peerId)
    const peers = this.#banned.get(host)
    if (peers === undefined) return isPeer
    for (const peer of peers) if (!this.#isPeerBanned(peer)) peers.delete(peer)
    return isPeer || peers.size >= this.#options.maxBannedPerHost
  }

  /** 0 of a peer that did nothing wrong, -100 of a banned one. */
  score(peer: string): number {
    return this.#reputation.score(peer, this.#options.now().instant)
  }

  #isPeerBanned(peer: string): boolean {
    if (this.#bans.size === 0) return false
    const until = this.#bans.get(peer)
    if (until === undefined) return false
    if (this.#options.now().instant < until) return true
    this.#bans.delete(peer)
    return false
  }

  #note(host: string, peer: string): void {
    let peers = this.#banned.get(host)
    if (peers === undefined) {
      if (this.#banned.size >= MAX_REMEMBERED) forgetOldest(this.#banned)
      this.#banned.set(host, (peers = new Set()))
    }
    if (peers.size < this.#options.maxBannedPerHost) peers.add(peer)
  }
}
