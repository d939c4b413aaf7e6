/**
 * Transactions that wait for their parents. Each is kept once, with all peers that announced it; which of the peers' are let go where there is
 * no more room is what this is about. Nothing is checked here: an orphan whose parents came is handed out again.
 *
 * Specification: all announcements together, and a tenth of the inputs of each orphan, are at most 3,000; the weight of all orphans is at most
 * 404,000 for each peer that has any. Beyond, the peer goes first that takes the largest multiple of its share of one of both, and of its
 * announcements the oldest, those that can be looked at again last. Rationale: what a peer keeps within its share nobody can drive out, while
 * one that is useful may take more as long as there is room.
 *
 * Specification: an orphan goes when the last peer goes that announced it, not when the first one does. Rationale: who announces first must not
 * be able to make it vanish.
 *
 * Source: Bitcoin Core 31.99 `node/txorphanage.cpp`.
 */
import type { PeerId, Random } from "@satwire/machine"
import { HashNumbers, OUTPOINT_SIZE, type TransactionView, type Txid, type Wtxid } from "@satwire/primitives"
import { spendsOf } from "./Outpoints.ts"

/**
 * Core's `DEFAULT_MAX_ORPHANAGE_LATENCY_SCORE`: what can be gone through without keeping anybody waiting.
 *
 * @limit announcements of orphans, and tenths of their inputs
 */
export const MAX_ORPHANAGE_LATENCY_SCORE = 3000
/**
 * Core's `DEFAULT_RESERVED_ORPHAN_USAGE_PER_PEER`: one transaction of the largest standard weight, and a little.
 *
 * @limit weight of orphans for each peer that announced any
 */
export const RESERVED_ORPHAN_WEIGHT_PER_PEER = 404_000
/**
 * Core's `MAX_STANDARD_TX_WEIGHT` (policy.h): what is heavier is not kept.
 *
 * @limit weight of an orphan
 */
export const MAX_STANDARD_TX_WEIGHT = 400_000

/** A transaction with both its hashes. */
export interface NamedTransaction {
  readonly tx: TransactionView
  readonly txid: Txid
  readonly wtxid: Wtxid
}

/** An orphan with the peers that announced it. */
export interface KeptOrphan extends NamedTransaction {
  readonly from: ReadonlyArray<PeerId>
}

/** An orphan and one of the peers that announced it. */
interface Announcement {
  readonly orphan: Orphan
  readonly by: Announcer
  /** Its parents may be there: of an orphan at most one announcement is so. */
  isToReconsider: boolean
}

interface Orphan extends NamedTransaction {
  readonly number: number
  readonly weight: number
  /** A tenth of its inputs. */
  readonly inputScore: number
  /** What it spends, by the numbers of the outpoints. */
  readonly spends: ReadonlyArray<number>
  announcements: Array<Announcement>
}

interface Announcer {
  readonly peer: PeerId
  /** The oldest first. */
  readonly announcements: Set<Announcement>
  weight: number
  latencyScore: number
  toReconsider: number
}

/** A peer's share of something, as a fraction. */
interface Share {
  readonly used: number
  readonly of: number
}

export class Orphanage {
  readonly #random: Random
  readonly #wtxids: HashNumbers
  readonly #outpoints: HashNumbers
  /** By the numbers of their wtxids. */
  readonly #orphans: Array<Orphan | undefined> = []
  /** Who spends an outpoint, by its number. */
  readonly #spenders: Array<Set<Orphan> | undefined> = []
  readonly #announcers: Map<PeerId, Announcer> = new Map()
  #announcements = 0
  #inputScore = 0
  #weight = 0

  constructor(random: Random) {
    this.#random = random
    this.#wtxids = new HashNumbers(random)
    this.#outpoints = new HashNumbers(random, OUTPOINT_SIZE)
  }

  /** How many orphans there are. */
  get size(): number {
    return this.#wtxids.size
  }

  /** How many pairs of an orphan and a peer there are. */
  get announcementCount(): number {
    return this.#announcements
  }

  get latencyScore(): number {
    return this.#announcements + this.#inputScore
  }

  get weight(): number {
    return this.#weight
  }

  weightOf(peer: PeerId): number {
    return this.#announcers.get(peer)?.weight ?? 0
  }

  latencyScoreOf(peer: PeerId): number {
    return this.#announcers.get(peer)?.latencyScore ?? 0
  }

  get(wtxid: Uint8Array): NamedTransaction | undefined {
    return this.#find(wtxid)
  }

  /** All of them, each with the peers that announced it. */
  all(): ReadonlyArray<KeptOrphan> {
    const kept = this.#orphans.filter((orphan) => orphan !== undefined)
    return kept.map(({ announcements, tx, txid, wtxid }) => {
      return { tx, txid, wtxid, from: announcements.map(({ by }) => by.peer) }
    })
  }

  has(wtxid: Uint8Array): boolean {
    return this.#wtxids.find(wtxid) >= 0
  }

  hasFrom(wtxid: Uint8Array, peer: PeerId): boolean {
    return this.#find(wtxid)?.announcements.some(({ by }) => by.peer === peer) === true
  }

  /** Keeps a transaction that this peer announced. Gives whether it was not there before; it may be let go at once. */
  add({ tx, txid, wtxid }: NamedTransaction, peer: PeerId): boolean {
    const { weight } = tx
    if (weight > MAX_STANDARD_TX_WEIGHT) return false
    if (this.has(wtxid)) {
      this.addAnnouncer(wtxid, peer)
      return false
    }
    const number = this.#wtxids.add(wtxid)
    const { outpoints } = spendsOf(tx)
    const spends: Array<number> = []
    const inputScore = Math.floor(outpoints.length / OUTPOINT_SIZE / 10)
    const orphan: Orphan = { tx, txid, wtxid, number, weight, inputScore, spends, announcements: [] }
    for (let at = 0; at < outpoints.length; at += OUTPOINT_SIZE) {
      let outpoint = this.#outpoints.find(outpoints, at)
      if (outpoint < 0) {
        outpoint = this.#outpoints.add(outpoints, at)
        this.#spenders[outpoint] = new Set()
      }
      const spenders = this.#spenders[outpoint] as Set<Orphan>
      if (spenders.has(orphan)) continue
      spenders.add(orphan)
      spends.push(outpoint)
    }
    this.#orphans[number] = orphan
    this.#inputScore += inputScore
    this.#weight += weight
    this.#announce(orphan, peer)
    return true
  }

  /** Another peer announced an orphan. Gives whether it is there, and that was not known of the peer. */
  addAnnouncer(wtxid: Uint8Array, peer: PeerId): boolean {
    const orphan = this.#find(wtxid)
    if (orphan === undefined || orphan.announcements.some(({ by }) => by.peer === peer)) return false
    this.#announce(orphan, peer)
    return true
  }

  /** Forgets an orphan, whoever announced it. Gives whether it was there. */
  erase(wtxid: Uint8Array): boolean {
    const orphan = this.#find(wtxid)
    if (orphan === undefined) return false
    this.#erase(orphan)
    this.#limit()
    return true
  }

  /** Forgets what nobody else announced. */
  eraseForPeer(peer: PeerId): void {
    for (const announcement of this.#announcers.get(peer)?.announcements ?? []) this.#remove(announcement)
    this.#limit()
  }

  /** Forgets what these transactions of a block are, and what spends the same. */
  eraseForBlock(transactions: Iterable<TransactionView>): void {
    if (this.size === 0) return
    const doomed = new Set<Orphan>()
    for (const tx of transactions) {
      const { outpoints } = spendsOf(tx)
      for (let at = 0; at < outpoints.length; at += OUTPOINT_SIZE) {
        const outpoint = this.#outpoints.find(outpoints, at)
        for (const orphan of (outpoint < 0 ? undefined : this.#spenders[outpoint]) ?? []) doomed.add(orphan)
      }
    }
    for (const orphan of doomed) this.#erase(orphan)
    this.#limit()
  }

  /**
   * A transaction was taken: who spends of it is to be looked at again, each on the account of one of the peers that announced it. Gives these
   * pairs.
   *
   * Specification: chance decides which peer. Rationale: none can keep an orphan from being looked at by leaving, or choose whose work it is.
   */
  addChildrenToWorkSet(
    txid: Uint8Array,
    tx: TransactionView
  ): ReadonlyArray<{ readonly wtxid: Wtxid; readonly peer: PeerId }> {
    const found: Array<{ wtxid: Wtxid; peer: PeerId }> = []
    if (this.size === 0) return found
    const outpoint = new Uint8Array(OUTPOINT_SIZE)
    const view = new DataView(outpoint.buffer)
    outpoint.set(txid)
    const { outputCount } = spendsOf(tx)
    for (let index = 0; index < outputCount; index++) {
      view.setUint32(32, index, true)
      const number = this.#outpoints.find(outpoint)
      for (const orphan of (number < 0 ? undefined : this.#spenders[number]) ?? []) {
        if (orphan.announcements.some(({ isToReconsider }) => isToReconsider)) continue
        const chosen = orphan.announcements[this.#random.below(orphan.announcements.length)] as Announcement
        chosen.isToReconsider = true
        chosen.by.toReconsider += 1
        found.push({ wtxid: orphan.wtxid, peer: chosen.by.peer })
      }
    }
    return found
  }

  hasToReconsider(peer: PeerId): boolean {
    return (this.#announcers.get(peer)?.toReconsider ?? 0) > 0
  }

  /** The oldest orphan that is to be looked at again on this peer's account. It stays, and is not handed out again until there is a new reason. */
  takeToReconsider(peer: PeerId): NamedTransaction | undefined {
    const announcer = this.#announcers.get(peer)
    if (announcer === undefined || announcer.toReconsider === 0) return undefined
    for (const announcement of announcer.announcements) {
      if (!announcement.isToReconsider) continue
      announcement.isToReconsider = false
      announcer.toReconsider -= 1
      return announcement.orphan
    }
    return undefined
  }

  /** What this peer announced that spends of a transaction: those to be looked at again before others, the latest first. */
  childrenFrom(parent: Uint8Array, peer: PeerId): ReadonlyArray<NamedTransaction> {
    const found: Array<Announcement> = []
    for (const announcement of this.#announcers.get(peer)?.announcements ?? []) {
      if (announcement.orphan.spends.some((outpoint) => isOf(this.#outpoints.at(outpoint), parent)))
        found.unshift(announcement)
    }
    const isFirst = ({ isToReconsider }: Announcement): boolean => isToReconsider
    return [...found.filter(isFirst), ...found.filter((each) => !isFirst(each))].map(({ orphan }) => orphan)
  }

  #find(wtxid: Uint8Array): Orphan | undefined {
    const number = this.#wtxids.find(wtxid)
    return number < 0 ? undefined : this.#orphans[number]
  }

  #announce(orphan: Orphan, peer: PeerId): void {
    let by = this.#announcers.get(peer)
    if (by === undefined) {
      by = { peer, announcements: new Set(), weight: 0, latencyScore: 0, toReconsider: 0 }
      this.#announcers.set(peer, by)
    }
    const announcement = { orphan, by, isToReconsider: false }
    orphan.announcements.push(announcement)
    by.announcements.add(announcement)
    by.weight += orphan.weight
    by.latencyScore += 1 + orphan.inputScore
    this.#announcements += 1
    this.#limit()
  }

  #erase(orphan: Orphan): void {
    for (const announcement of orphan.announcements.slice()) this.#remove(announcement)
  }

  #remove(announcement: Announcement): void {
    const { by, isToReconsider, orphan } = announcement
    by.announcements.delete(announcement)
    by.weight -= orphan.weight
    by.latencyScore -= 1 + orphan.inputScore
    if (isToReconsider) by.toReconsider -= 1
    if (by.announcements.size === 0) this.#announcers.delete(by.peer)
    this.#announcements -= 1
    orphan.announcements = orphan.announcements.filter((each) => each !== announcement)
    if (orphan.announcements.length > 0) return
    this.#inputScore -= orphan.inputScore
    this.#weight -= orphan.weight
    this.#wtxids.remove(orphan.number)
    this.#orphans[orphan.number] = undefined
    for (const outpoint of orphan.spends) {
      const spenders = this.#spenders[outpoint] as Set<Orphan>
      spenders.delete(orphan)
      if (spenders.size > 0) continue
      this.#spenders[outpoint] = undefined
      this.#outpoints.remove(outpoint)
    }
  }

  get #isTooMuch(): boolean {
    return (
      this.latencyScore > MAX_ORPHANAGE_LATENCY_SCORE ||
      this.#weight > RESERVED_ORPHAN_WEIGHT_PER_PEER * Math.max(1, this.#announcers.size)
    )
  }

  /** Lets go of announcements until there is room; shares are those at the beginning, also where peers have lost all of theirs since. */
  #limit(): void {
    if (!this.#isTooMuch) return
    const share = Math.max(1, Math.floor(MAX_ORPHANAGE_LATENCY_SCORE / Math.max(1, this.#announcers.size)))
    do this.#evictOne(share)
    while (this.#isTooMuch)
  }

  #evictOne(latencyShare: number): void {
    let worst: Announcer | undefined
    let worstShare: Share = { used: 0, of: 1 }
    for (const announcer of this.#announcers.values()) {
      const latency = { used: announcer.latencyScore, of: latencyShare }
      const memory = { used: announcer.weight, of: RESERVED_ORPHAN_WEIGHT_PER_PEER }
      const share = isWorse(memory, latency) ? memory : latency
      const isEqual = !isWorse(share, worstShare) && !isWorse(worstShare, share)
      // Of equals the one that came last.
      if (!isWorse(share, worstShare) && !(isEqual && announcer.peer > (worst?.peer ?? -1))) continue
      worst = announcer
      worstShare = share
    }
    if (worst === undefined) return
    let oldest: Announcement | undefined
    for (const announcement of worst.announcements) {
      oldest ??= announcement
      if (announcement.isToReconsider) continue
      oldest = announcement
      break
    }
    if (oldest !== undefined) this.#remove(oldest)
  }
}

/** By the fraction; of equal ones the one of the smaller whole. */
const isWorse = (a: Share, b: Share): boolean => {
  const difference = a.used * b.of - b.used * a.of
  return difference > 0 || (difference === 0 && a.of < b.of)
}

const isOf = (outpoint: Uint8Array, txid: Uint8Array): boolean => {
  for (let i = 0; i < 32; i++) if (outpoint[i] !== txid[i]) return false
  return true
}
