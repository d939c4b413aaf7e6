/**
 * When peers are told of transactions that the pool took, of which, and in what order. What nobody was told of yet lies in one log for all; a
 * peer that is told of nothing costs nothing.
 *
 * ```
 *   accepted ─▶ log  │ tx │ tx │ tx │ tx │        a cursor for each peer: from there on it was not looked through
 *                              ▲
 *   its time has come:   backlog + log from the cursor on ─(in order)─▶ inv, up to a number ─▶ backlog
 * ```
 *
 * Specification: inbound peers of one network are told together, at times that are five seconds apart in the mean and drawn from an exponential
 * distribution; an outbound peer by itself, two seconds apart; a trusted one at once. Rationale: who connects many times would otherwise see
 * by the first of many times when we had a transaction, and so from whom.
 *
 * The times are drawn when there is something to tell: an exponential distribution does not know how long one has waited already.
 *
 * Specification: the best-paying first, each behind those that it spends of. Rationale: the order tells nothing of when they came, and nobody
 * has to wait for a parent.
 *
 * Specification: about 14 in a second (70 at a time), and 5 more for each 1,000 that wait, up to 1,000. Rationale: a flood of transactions reaches
 * us once, and would reach each of our peers.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`SendMessages`, `NextInvToInbounds`), with the numbers of 30.0.
 */
import { Deadlines, type Instant, type Random, after, earliest, exponentialMs } from "@satwire/machine"
import { HashNumbers, OUTPOINT_SIZE, type Txid, type Wtxid } from "@satwire/primitives"
import { spendsOf } from "@satwire/tx-request"
import { Inventory, MSG_TX, MSG_WTX } from "@satwire/wire"
import type { Hidden } from "./Hidden.ts"
import { KnownInventory } from "./KnownInventory.ts"
import type { PoolLookup, PoolTransaction } from "./PoolLookup.ts"
import type { RelayPeer } from "./RelayPeer.ts"

/** Core's `INBOUND_INVENTORY_BROADCAST_INTERVAL`. */
export const INBOUND_INVENTORY_BROADCAST_INTERVAL_MS = 5000
/** Core's `OUTBOUND_INVENTORY_BROADCAST_INTERVAL`. */
export const OUTBOUND_INVENTORY_BROADCAST_INTERVAL_MS = 2000
/**
 * Core 30's `INVENTORY_BROADCAST_TARGET`: its `INVENTORY_BROADCAST_PER_SECOND`, 14, for the five seconds of inbound peers.
 *
 * @limit transactions that a peer is told of at a time, while few wait
 */
export const INVENTORY_BROADCAST_TARGET: number = (14 * INBOUND_INVENTORY_BROADCAST_INTERVAL_MS) / 1000
/**
 * Core's `INVENTORY_BROADCAST_MAX`.
 *
 * @limit transactions that a peer is told of at a time
 */
export const INVENTORY_BROADCAST_MAX = 1000
/**
 * Of more than so many those are let go that pay least.
 *
 * @limit transactions that wait for a peer to be told of them, and half of those in the log
 */
export const MAX_INV_TO_SEND = 10_000
/**
 * @limit transactions that are looked at in one turn to tell peers of them
 */
const LOOKED_AT_PER_TURN = 1000
/** What is announced drags at most so many along that it depends on: more no pool takes. */
const MOST_PARENTS_DEEP = 64

/** What there is to tell of a transaction. */
export interface QueuedTransaction {
  readonly txid: Txid
  readonly wtxid: Wtxid
  readonly feeRateSatPerKvb: number | undefined
  readonly sequence: number
  /** What it spends of that came lately: told of before. */
  parents: ReadonlyArray<QueuedTransaction>
}

/** Inbound peers that are told together. */
export class TrickleGroup {
  readonly key: string
  readonly members: Array<RelayPeer> = []
  /** How many of them are still to be told this time. */
  left = 0
  constructor(key: string) {
    this.key = key
  }
}

/** One whose time is drawn: a group, or a peer by itself. */
type Listener = TrickleGroup | RelayPeer

type Tell = (peer: RelayPeer, inventory: Inventory) => void

export class InventoryTrickle {
  readonly #random: Random
  readonly #pool: PoolLookup
  readonly #hidden: Hidden
  #log: Array<QueuedTransaction> = []
  /** The place of the first of the log. */
  #start = 0
  /** The log's numbers by txid. */
  #txids: HashNumbers
  readonly #byTxid: Array<QueuedTransaction | undefined> = []
  readonly #groups: Map<string, TrickleGroup> = new Map()
  /** Who is told by itself. */
  readonly #alone: Set<RelayPeer> = new Set()
  readonly #times: Deadlines<Listener> = new Deadlines()
  /** Groups that are being told. */
  readonly #telling: Set<TrickleGroup> = new Set()
  #goesOnAt: Instant | undefined = undefined
  /** The end of the log in order, from a cursor on: the same for all that are told together. */
  #fresh: { readonly from: number; readonly to: number; readonly ordered: ReadonlyArray<QueuedTransaction> } | undefined
  /** The last sequence of the pool that was heard of. */
  #newest = -1
  /** The last of which anybody may have been told. */
  #told = -1

  constructor(random: Random, pool: PoolLookup, hidden: Hidden) {
    this.#random = random
    this.#pool = pool
    this.#hidden = hidden
    this.#txids = new HashNumbers(random)
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0 && this.#alone.size === 0 && this.#times.size === 0 && this.#log.length === 0
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#goesOnAt, this.#times.earliest())
  }

  /** How many are to be told to a peer. */
  waiting(peer: RelayPeer): number {
    return peer.isTold ? (peer.activity?.backlog.length ?? 0) + this.#end - Math.max(this.#start, peer.cursor) : 0
  }

  join(peer: RelayPeer, networkKey: string): void {
    peer.cursor = this.#end
    // What no other peer can know of us is not given.
    peer.lastInvSequence = this.#told
    if (peer.traits.isOutbound || peer.traits.isTrusted) {
      this.#alone.add(peer)
      return
    }
    let group = this.#groups.get(networkKey)
    if (group === undefined) {
      group = new TrickleGroup(networkKey)
      this.#groups.set(networkKey, group)
    }
    peer.group = group
    group.members.push(peer)
  }

  leave(peer: RelayPeer): void {
    const { group } = peer
    this.#alone.delete(peer)
    this.#times.set(peer, undefined)
    if (group !== undefined) this.#leaveGroup(peer, group)
    if (this.#groups.size > 0 || this.#alone.size > 0) return
    this.#start = this.#end
    this.#log = []
    this.#fresh = undefined
    this.#txids = new HashNumbers(this.#random)
    this.#byTxid.length = 0
  }

  #leaveGroup(peer: RelayPeer, group: TrickleGroup): void {
    const { members } = group
    let place = members.indexOf(peer)
    if (place < group.left) {
      // Those that are still to be told stay in front of those that were.
      group.left -= 1
      members[place] = members[group.left] as RelayPeer
      place = group.left
    }
    members[place] = members.at(-1) as RelayPeer
    members.pop()
    if (members.length > 0) return
    this.#groups.delete(group.key)
    this.#telling.delete(group)
    this.#times.set(group, undefined)
    if (this.#telling.size === 0) this.#goesOnAt = undefined
  }

  /** The pool took it, or it is to be told of again. */
  queue({ feeRateSatPerKvb, sequence, tx, txid, wtxid }: PoolTransaction, now: Instant): void {
    this.#newest = Math.max(this.#newest, sequence)
    if (this.#groups.size === 0 && this.#alone.size === 0) return
    const parents = new Set<QueuedTransaction>()
    const { outpoints } = spendsOf(tx)
    for (let at = 0; at < outpoints.length; at += OUTPOINT_SIZE) {
      const parent = this.#byTxid[this.#txids.find(outpoints, at)]
      if (parent !== undefined) parents.add(parent)
    }
    const queued = { txid, wtxid, feeRateSatPerKvb, sequence, parents: parents.size === 0 ? NONE : [...parents] }
    const known = this.#txids.find(txid)
    this.#byTxid[known < 0 ? this.#txids.add(txid) : known] = queued
    this.#log.push(queued)
    if (this.#log.length > 2 * MAX_INV_TO_SEND) this.#trim()
    for (const group of this.#groups.values()) this.#arm(group, now)
    for (const peer of this.#alone) this.#arm(peer, now)
  }

  /** A peer wants to be told of transactions from now on. */
  begin(peer: RelayPeer): void {
    peer.cursor = this.#end
  }

  /** A peer has something to be told at its next time. */
  remind(peer: RelayPeer, now: Instant): void {
    this.#arm(peer.group ?? peer, now)
  }

  /** Keeps in mind that a peer has it. */
  knows(peer: RelayPeer, hash: Uint8Array): void {
    if (peer.traits.mayBeTold) this.#knownOf(peer).insert(hash)
  }

  /**
   * Tells those whose time has come, up to a turn's share.
   *
   * @param tell what each is told
   * @param isToldAll asked of each first: whether it is told of the whole pool in another way, and so of nothing here
   */
  step(now: Instant, tell: Tell, isToldAll: (peer: RelayPeer) => boolean): void {
    let left = LOOKED_AT_PER_TURN
    const one = (peer: RelayPeer): void => {
      left -= this.#tell(peer, isToldAll(peer) || !peer.isTold ? NONE : this.#queueOf(peer), tell)
    }
    for (let due = this.#times.takeDue(now); due !== undefined; due = this.#times.takeDue(now)) {
      if (due instanceof TrickleGroup) {
        due.left = due.members.length
        this.#telling.add(due)
      } else {
        one(due)
        this.#armForMore(due, due, now)
      }
      if (left <= 0) break
    }
    for (const group of this.#telling) {
      while (left > 0 && group.left > 0) one(group.members[--group.left] as RelayPeer)
      if (group.left > 0) break
      this.#telling.delete(group)
      for (const peer of group.members) if (this.#armForMore(group, peer, now)) break
    }
    this.#goesOnAt = this.#telling.size > 0 ? now : undefined
  }

  get #end(): number {
    return this.#start + this.#log.length
  }

  #arm(listener: Listener, now: Instant): void {
    if (this.#times.get(listener) !== undefined) return
    this.#times.set(listener, after(now, this.#drawMs(listener)))
  }

  #armForMore(listener: Listener, peer: RelayPeer, now: Instant): boolean {
    const hasMore = this.waiting(peer) > 0 || peer.activity?.wantsPool === true
    if (hasMore) this.#arm(listener, now)
    return hasMore
  }

  #drawMs(listener: Listener): number {
    if (listener instanceof TrickleGroup) return exponentialMs(this.#random, INBOUND_INVENTORY_BROADCAST_INTERVAL_MS)
    return listener.traits.isTrusted ? 0 : exponentialMs(this.#random, OUTBOUND_INVENTORY_BROADCAST_INTERVAL_MS)
  }

  /** Tells a peer what it is to be told now. Gives how many transactions were looked at for it. */
  #tell(peer: RelayPeer, queue: ReadonlyArray<QueuedTransaction>, tell: Tell): number {
    const most = Math.min(INVENTORY_BROADCAST_MAX, INVENTORY_BROADCAST_TARGET + Math.floor(queue.length / 1000) * 5)
    const hashes: Array<Uint8Array> = []
    let at = 0
    while (at < queue.length && hashes.length < most) {
      if (!this.#announce(peer, queue[at] as QueuedTransaction, hashes)) break
      at++
    }
    if (at < queue.length) peer.active.backlog = queue.slice(at, at + MAX_INV_TO_SEND)
    else if (peer.activity !== undefined) peer.activity.backlog = NONE
    peer.cursor = this.#end
    // What it could have been told of it is given.
    peer.lastInvSequence = this.#newest
    if (peer.isTold) this.#told = this.#newest
    if (hashes.length > 0) tell(peer, Inventory.ofType(peer.traits.wtxidRelay ? MSG_WTX : MSG_TX, hashes))
    return 1 + at + this.#hidden.takeEntries()
  }

  /**
   * Adds what is to be announced of a transaction: what it spends of, as far as the peer does not know it, and itself. Gives whether that is
   * all: not where its filter has had its share before.
   */
  #announce(peer: RelayPeer, queued: QueuedTransaction, hashes: Array<Uint8Array>, depth: number = 0): boolean {
    const known = this.#knownOf(peer)
    const hash = peer.traits.wtxidRelay ? queued.wtxid : queued.txid
    if (known.contains(hash) || !this.#pool.hasWtxid(queued.wtxid)) return true
    if (queued.feeRateSatPerKvb !== undefined && queued.feeRateSatPerKvb < peer.feeFilter) return true
    if (depth < MOST_PARENTS_DEEP) {
      for (const parent of queued.parents) if (!this.#announce(peer, parent, hashes, depth + 1)) return false
    }
    if (this.#hidden.entries >= LOOKED_AT_PER_TURN) return false
    // Whether it is told of it or not: it is looked at once.
    known.insert(hash)
    const pooled = this.#hidden.concerns(peer) ? this.#pool.find(queued.wtxid) : undefined
    if (pooled === undefined || !this.#hidden.isHidden(peer, pooled)) hashes.push(hash)
    return true
  }

  #queueOf(peer: RelayPeer): ReadonlyArray<QueuedTransaction> {
    const fresh = this.#freshFrom(Math.max(this.#start, peer.cursor))
    const backlog = peer.activity?.backlog ?? NONE
    return backlog.length === 0 ? fresh : merged(backlog, fresh)
  }

  #freshFrom(from: number): ReadonlyArray<QueuedTransaction> {
    const to = this.#end
    if (from === to) return NONE
    if (this.#fresh?.from !== from || this.#fresh.to !== to) {
      this.#fresh = { from, to, ordered: this.#log.slice(from - this.#start).sort(inOrder) }
    }
    return this.#fresh.ordered
  }

  #knownOf(peer: RelayPeer): KnownInventory {
    return (peer.active.known ??= new KnownInventory(this.#random))
  }

  /** Lets go of the older half of the log; who was not told of it for so long is not told of it. */
  #trim(): void {
    const gone = this.#log.splice(0, MAX_INV_TO_SEND)
    this.#start += gone.length
    for (const queued of gone) {
      // Else each would keep what came before it alive, without end.
      queued.parents = NONE
      const number = this.#txids.find(queued.txid)
      if (number < 0 || this.#byTxid[number] !== queued) continue
      this.#byTxid[number] = undefined
      this.#txids.remove(number)
    }
  }
}

const NONE: ReadonlyArray<QueuedTransaction> = []

/** The best-paying first; of equals the one that came first. */
const inOrder = (a: QueuedTransaction, b: QueuedTransaction): number =>
  (b.feeRateSatPerKvb ?? 0) - (a.feeRateSatPerKvb ?? 0) || a.sequence - b.sequence

const merged = (
  a: ReadonlyArray<QueuedTransaction>,
  b: ReadonlyArray<QueuedTransaction>
): ReadonlyArray<QueuedTransaction> => {
  const both = new Array<QueuedTransaction>(a.length + b.length)
  let [i, k] = [0, 0]
  for (let at = 0; at < both.length; at++) {
    const [one, other] = [a[i], b[k]]
    const isFirst = other === undefined || (one !== undefined && inOrder(one, other) <= 0)
    both[at] = (isFirst ? one : other) as QueuedTransaction
    if (isFirst) i += 1
    else k += 1
  }
  return both
}
