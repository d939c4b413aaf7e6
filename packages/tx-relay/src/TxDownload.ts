/**
 * Which transactions are fetched: what was announced and is not here yet, and the parents of those that wait for theirs. It knows what
 * became of transactions lately, by their hashes: rejected, confirmed, waiting.
 *
 * ```
 *   announced ─▶ tracker ─▶ (getdata) ─▶ received ─▶ (check) ─┬▶ accepted ─▶ children of it are looked at again
 *                   ▲                                         ├▶ rejected
 *                   └────────── parents, by txid ─────────────┴▶ missing: orphanage
 * ```
 *
 * Source: Bitcoin Core 31.99 `node/txdownloadman.h`, `node/txdownloadman_impl.cpp`.
 */
import { concat } from "@satwire/bytes"
import { type Sha256, sha256d } from "@satwire/crypto"
import { RollingBloomFilter } from "@satwire/filters"
import { type Instant, type PeerId, type Random, after } from "@satwire/machine"
import { type BlockView, HashNumbers, OUTPOINT_SIZE, type TransactionView, type Txid } from "@satwire/primitives"
import { type Judge, type NamedTransaction, Orphanage, TxRequestTracker, spendsOf } from "@satwire/tx-request"
import type { PoolLookup } from "./PoolLookup.ts"
import { RecentlyConfirmed } from "./RecentlyConfirmed.ts"
import type { RelayPeer } from "./RelayPeer.ts"
import type { SubmitRejected } from "./TxRelayEvents.ts"

/**
 * Core's `MAX_PEER_TX_REQUEST_IN_FLIGHT`: no hard limit; above it what a peer announces is asked for later.
 *
 * @limit transactions that one peer is asked for at once without delay
 */
export const MAX_PEER_TX_REQUEST_IN_FLIGHT = 100
/**
 * Core's `MAX_PEER_TX_ANNOUNCEMENTS`.
 *
 * @limit announcements of one peer that are kept
 */
export const MAX_PEER_TX_ANNOUNCEMENTS = 5000
/** Core's `TXID_RELAY_DELAY`: announcements by txid wait while others announce by wtxid, of which no two copies need to be fetched. */
export const TXID_RELAY_DELAY_MS = 2000
/** Core's `NONPREF_PEER_TX_DELAY`. */
export const NONPREF_PEER_TX_DELAY_MS = 2000
/** Core's `OVERLOADED_PEER_TX_DELAY`. */
export const OVERLOADED_PEER_TX_DELAY_MS = 2000
/** Core's `GETDATA_TX_INTERVAL`: how long a transaction may take before it is asked of another. */
export const GETDATA_TX_INTERVAL_MS = 60_000
/**
 * @limit transactions whose rejection is remembered, until the tip changes
 */
export const RECENT_REJECTS = 120_000
const FALSE_POSITIVE_RATE = 0.000_001
/**
 * @limit peers that are asked for the parents of one orphan when it comes
 */
const MAX_ORPHAN_RESOLVERS = 125
/** So many parents cost as much to look up as one announcement costs otherwise. */
const PARENTS_OF_A_STEP = 10

export class TxDownload {
  readonly requests: TxRequestTracker
  readonly orphanage: Orphanage
  readonly #random: Random
  readonly #sha256: Sha256
  readonly #pool: PoolLookup
  /** Not to be taken by themselves. */
  readonly #rejects: RollingBloomFilter
  /** Not by themselves, and perhaps with a child. */
  readonly #reconsiderable: RollingBloomFilter
  readonly #confirmed: RecentlyConfirmed
  #wtxidPeers = 0

  constructor({ pool, random, sha256 }: { random: Random; sha256: Sha256; pool: PoolLookup }) {
    this.#random = random
    this.#sha256 = sha256
    this.#pool = pool
    this.requests = new TxRequestTracker(random)
    this.orphanage = new Orphanage(random)
    this.#rejects = new RollingBloomFilter(RECENT_REJECTS, FALSE_POSITIVE_RATE, random)
    this.#reconsiderable = new RollingBloomFilter(RECENT_REJECTS, FALSE_POSITIVE_RATE, random)
    this.#confirmed = new RecentlyConfirmed(random)
  }

  get isEmpty(): boolean {
    return this.requests.size === 0 && this.orphanage.size === 0 && this.#wtxidPeers === 0
  }

  connected(peer: RelayPeer): void {
    if (peer.traits.wtxidRelay) this.#wtxidPeers += 1
  }

  disconnected(peer: RelayPeer): void {
    if (peer.traits.wtxidRelay) this.#wtxidPeers -= 1
    this.orphanage.eraseForPeer(peer.id)
    this.requests.disconnected(peer.id)
  }

  /**
   * Whether there is no need to fetch a transaction of this hash.
   *
   * Specification: an orphan counts by its wtxid alone. Rationale: who sends a copy with another witness must not keep us from the real one.
   */
  alreadyHas(hash: Uint8Array, isWtxid: boolean, includesReconsiderable: boolean): boolean {
    if (this.orphanage.has(hash)) return true
    if (includesReconsiderable && this.#reconsiderable.contains(hash)) return true
    if (this.#confirmed.contains(hash) || this.#rejects.contains(hash)) return true
    return isWtxid ? this.#pool.hasWtxid(hash) : this.#pool.hasTxid(hash)
  }

  /** A peer announced a transaction. Gives what that cost to look at, where most cost 1. */
  announced(peer: RelayPeer, hash: Uint8Array, isWtxid: boolean, now: Instant): number {
    const orphan = isWtxid ? this.orphanage.get(hash) : undefined
    if (orphan !== undefined) return this.#announcedOrphan(peer, orphan, now)
    if (this.alreadyHas(hash, isWtxid, true)) return 1
    if (!peer.traits.mayRelay && this.requests.count(peer.id) >= MAX_PEER_TX_ANNOUNCEMENTS) return 1
    const requestAt = after(now, this.#delayMs(peer, isWtxid))
    this.requests.receivedInv(peer.id, hash, { isPreferred: peer.traits.isPreferred, isWtxid, requestAt })
    return 1
  }

  /**
   * Who announces an orphan can be asked for its parents.
   *
   * Specification: a peer is told by the number of its inputs whether there is room for its parents, and counts as one that has it also where none
   * is missing. Rationale: thirty-six bytes that can be sent again and again would else have thousands of parents looked up each time.
   */
  #announcedOrphan(peer: RelayPeer, orphan: NamedTransaction, now: Instant): number {
    if (this.orphanage.hasFrom(orphan.wtxid, peer.id)) return 1
    const { outpoints } = spendsOf(orphan.tx)
    const inputs = outpoints.length / OUTPOINT_SIZE
    const isFull = !peer.traits.mayRelay && this.requests.count(peer.id) + inputs > MAX_PEER_TX_ANNOUNCEMENTS
    const missing = isFull ? [] : this.#parentsOf(outpoints).filter((txid) => !this.alreadyHas(txid, false, false))
    if (!isFull && this.#mayResolve(peer, missing, orphan, now)) this.orphanage.addAnnouncer(orphan.wtxid, peer.id)
    return 1 + Math.ceil(inputs / PARENTS_OF_A_STEP)
  }

  /** Goes through what the peer is to be asked for now. Of what is not here `judge` says what becomes of it. */
  request(peer: RelayPeer, now: Instant, judge: Judge, most: number): number {
    return this.requests.request(
      peer.id,
      after(now, GETDATA_TX_INTERVAL_MS),
      (hash, isWtxid) => (this.alreadyHas(hash, isWtxid, false) ? "have" : judge(hash, isWtxid)),
      most
    )
  }

  /** A peer sent a transaction. Gives whether it is to be validated, and where a child of its waits that might pay for it, with that. */
  received(
    from: PeerId,
    named: NamedTransaction
  ): { readonly isWanted: boolean; readonly child: NamedTransaction | undefined } {
    const { tx, txid, wtxid } = named
    this.requests.receivedResponse(from, txid)
    if (tx.hasWitness) this.requests.receivedResponse(from, wtxid)
    if (this.alreadyHas(wtxid, true, false)) return { isWanted: false, child: undefined }
    if (!this.#reconsiderable.contains(wtxid)) return { isWanted: true, child: undefined }
    const child = this.#childOf(named, from)
    return { isWanted: child !== undefined, child }
  }

  /** Gives the peers that have work now: orphans of theirs may have their parents. */
  accepted({ tx, txid, wtxid }: NamedTransaction): ReadonlyArray<PeerId> {
    this.#forget(txid, wtxid)
    const children = this.orphanage.addChildrenToWorkSet(txid, tx)
    this.orphanage.erase(wtxid)
    return children.map(({ peer }) => peer)
  }

  /**
   * A transaction lacks parents. It is kept for those that announced it and can be asked for them, unless a parent was rejected. Gives the parents
   * that are asked for, or `undefined` where it is not kept.
   */
  missing(
    { tx, txid, wtxid }: NamedTransaction,
    parents: ReadonlyArray<Txid>,
    from: PeerId,
    peerOf: (id: PeerId) => RelayPeer | undefined,
    now: Instant
  ): ReadonlyArray<Txid> | undefined {
    if (this.#areRejected(parents)) {
      // Whatever its witness.
      this.#rejects.insert(txid)
      this.#rejects.insert(wtxid)
      this.#forget(txid, wtxid)
      return undefined
    }
    const missing = parents.filter((parent) => !this.alreadyHas(parent, false, false))
    const candidates = new Set([from, ...this.requests.candidatePeers(txid), ...this.requests.candidatePeers(wtxid)])
    for (const id of [...candidates].slice(0, MAX_ORPHAN_RESOLVERS)) {
      const peer = peerOf(id)
      if (peer !== undefined && this.#mayResolve(peer, missing, { tx, txid, wtxid }, now)) {
        this.orphanage.add({ tx, txid, wtxid }, id)
      }
    }
    this.#forget(txid, wtxid)
    return missing
  }

  /**
   * A transaction was not taken. Gives a child that waits, where both are to be tried together.
   *
   * Specification: the txid of a transaction with a witness counts as rejected only where no witness could help. Rationale: a peer that spoils a
   * witness must not keep us from the transaction.
   */
  rejected(named: NamedTransaction, result: SubmitRejected, from: PeerId | undefined): NamedTransaction | undefined {
    const { txid, wtxid } = named
    this.orphanage.erase(wtxid)
    if (result.isWitnessStripped === true) return undefined
    const filter = result.isReconsiderable === true ? this.#reconsiderable : this.#rejects
    filter.insert(wtxid)
    this.requests.forget(wtxid)
    if (!result.isWitnessMutable && result.isReconsiderable !== true && named.tx.hasWitness) {
      this.#rejects.insert(txid)
      this.requests.forget(txid)
    }
    return result.isReconsiderable === true && from !== undefined ? this.#childOf(named, from) : undefined
  }

  /** Both are not taken together either. */
  rejectedPackage(parent: NamedTransaction, child: NamedTransaction): void {
    this.#reconsiderable.insert(this.#packageHash(parent, child))
  }

  /** Gives the txids of what the block has, one after another. */
  blockConnected(block: BlockView): Uint8Array {
    const txids = block.txids(this.#sha256)
    const wtxids = block.wtxids(this.#sha256, txids)
    const count = block.transactionCount
    if (this.orphanage.size > 0) this.orphanage.eraseForBlock(transactionsOf(block))
    const witnessed: Array<Uint8Array> = []
    for (let i = 0; i < count; i++) {
      this.requests.forget(txids.subarray(32 * i, 32 * (i + 1)))
      if (i === 0 || !block.hasWitness(i)) continue
      const wtxid = wtxids.subarray(32 * i, 32 * (i + 1))
      witnessed.push(wtxid)
      this.requests.forget(wtxid)
    }
    this.#confirmed.connected({ hash: block.hash(this.#sha256), ids: concat([txids, ...witnessed]) })
    return txids
  }

  /** What a block has that left the chain may be announced again. */
  blockDisconnected(hash: Uint8Array): void {
    this.#confirmed.disconnected(hash)
  }

  /** What was rejected may be taken on another tip. */
  tipChanged(): void {
    this.#rejects.reset()
    this.#reconsiderable.reset()
  }

  #forget(txid: Uint8Array, wtxid: Uint8Array): void {
    this.requests.forget(txid)
    this.requests.forget(wtxid)
  }

  #delayMs(peer: RelayPeer, isWtxid: boolean): number {
    const isOverloaded = !peer.traits.mayRelay && this.requests.countInFlight(peer.id) >= MAX_PEER_TX_REQUEST_IN_FLIGHT
    return (
      (peer.traits.isPreferred ? 0 : NONPREF_PEER_TX_DELAY_MS) +
      (!isWtxid && this.#wtxidPeers > 0 ? TXID_RELAY_DELAY_MS : 0) +
      (isOverloaded ? OVERLOADED_PEER_TX_DELAY_MS : 0)
    )
  }

  /** Takes the peer for one that announced these parents, unless it announced too much already or is known to have the orphan. */
  #mayResolve(peer: RelayPeer, parents: ReadonlyArray<Uint8Array>, { wtxid }: NamedTransaction, now: Instant): boolean {
    if (this.orphanage.hasFrom(wtxid, peer.id)) return false
    if (!peer.traits.mayRelay && this.requests.count(peer.id) + parents.length > MAX_PEER_TX_ANNOUNCEMENTS) return false
    const requestAt = after(now, this.#delayMs(peer, false))
    for (const parent of parents) {
      this.requests.receivedInv(peer.id, parent, { isPreferred: peer.traits.isPreferred, isWtxid: false, requestAt })
    }
    return true
  }

  /** A parent that was rejected, or two that each need a child to pay for them: no package of two can be. */
  #areRejected(parents: ReadonlyArray<Uint8Array>): boolean {
    let reconsiderable = 0
    for (const parent of parents) {
      if (this.#rejects.contains(parent)) return true
      if (this.#reconsiderable.contains(parent) && !this.#pool.hasTxid(parent)) reconsiderable += 1
    }
    return reconsiderable > 1
  }

  /**
   * Specification: only a child that the same peer announced. Rationale: others could send many that are worth nothing, and so keep the real one
   * from being found.
   */
  #childOf(parent: NamedTransaction, peer: PeerId): NamedTransaction | undefined {
    return this.orphanage
      .childrenFrom(parent.txid, peer)
      .find(
        (child) =>
          !this.#reconsiderable.contains(this.#packageHash(parent, child)) && !this.#rejects.contains(child.txid)
      )
  }

  #packageHash(parent: NamedTransaction, child: NamedTransaction): Uint8Array {
    const both = new Uint8Array(64)
    both.set(parent.wtxid)
    both.set(child.wtxid, 32)
    return sha256d(this.#sha256, both)
  }

  /** The txids of these outpoints, each once. */
  #parentsOf(outpoints: Uint8Array): ReadonlyArray<Uint8Array> {
    const seen = new HashNumbers(this.#random)
    const parents: Array<Uint8Array> = []
    for (let at = 0; at < outpoints.length; at += OUTPOINT_SIZE) {
      if (seen.find(outpoints, at) >= 0) continue
      seen.add(outpoints, at)
      parents.push(outpoints.subarray(at, at + 32))
    }
    return parents
  }
}

function* transactionsOf(block: BlockView): Generator<TransactionView> {
  for (let i = 0; i < block.transactionCount; i++) yield block.transaction(i)
}
