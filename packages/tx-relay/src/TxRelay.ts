/**
 * How transactions come and go between peers: announced, asked for, kept waiting for their parents, passed on. It validates nothing and holds no
 * pool: transactions go out to be taken, and it is told what became of them.
 *
 * ```
 *   inv ─▶ TxDownload ─▶ getdata          tx ─▶ Submit ─▶ (validation, pool) ─▶ Submitted ─▶ InventoryTrickle ─▶ inv
 *                                                 ▲                               │
 *                                                 └──── orphans, one a turn ◀─────┘             getdata ─▶ TxServing ─▶ tx
 * ```
 *
 * Specification: of a peer one transaction at a time is validated, and nothing more of it is handled meanwhile; orphans whose parents have come
 * are looked at again one in a turn, before what their peer sent since. Rationale: who sends much that is costly delays itself (CVE-2024-52914,
 * CVE-2025-46598).
 *
 * Specification: no transaction, however invalid, costs a peer its connection. Rationale: as Core since 30; peers of other rules pass on what they
 * take for valid.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`INV`, `GETDATA`, `TX`, `NOTFOUND`, `MEMPOOL`, `FEEFILTER`, `ProcessOrphanTx`).
 */
import { copyOut } from "@satwire/bytes"
import { MAX_MONEY } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import {
  IdMap,
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  type Random,
  earliest
} from "@satwire/machine"
import { type BlockView, type Satoshis, TransactionView, type Wtxid } from "@satwire/primitives"
import type { KeptOrphan, NamedTransaction } from "@satwire/tx-request"
import {
  INV_ENTRY_SIZE,
  Inventory,
  type InventoryEntry,
  InventoryQueue,
  MSG_TX,
  MSG_WITNESS_TX,
  MSG_WTX,
  NODE_WITNESS,
  isTransaction
} from "@satwire/wire"
import { type Check, Checks } from "./Checks.ts"
import { FeeFilters } from "./FeeFilters.ts"
import { Hidden } from "./Hidden.ts"
import { InventoryTrickle } from "./InventoryTrickle.ts"
import type { BloomLookup, PoolLookup } from "./PoolLookup.ts"
import { OWES_ANSWER, OWES_CHECK, OWES_INVENTORY, OWES_ORPHANS, type PeerTraits, RelayPeer } from "./RelayPeer.ts"
import { MAX_PEER_TX_ANNOUNCEMENTS, TxDownload } from "./TxDownload.ts"
import type {
  PoolNotServed,
  SubmitRejected,
  SubmitResult,
  TxPeerReady,
  TxPeerSnapshot,
  TxRelayInput,
  TxRelayMessage,
  TxRelayOutput,
  TxRelaySnapshot
} from "./TxRelayEvents.ts"
import { TxServing } from "./TxServing.ts"
import { Unbroadcast } from "./Unbroadcast.ts"

/**
 * @limit entries of an `inv` that are looked at in one turn
 */
const ENTRIES_PER_TURN = 1000
/**
 * @limit announcements whose time comes in one turn, and that are asked for in it
 */
const REQUESTS_PER_TURN = 1000
/**
 * Core's `MAX_GETDATA_SZ`.
 *
 * @limit entries of a `getdata` of ours
 */
export const MAX_GETDATA_SZ = 1000
/**
 * Those of peers that have gone meanwhile are among them.
 *
 * @limit transactions of peers that are validated at once
 */
export const MAX_CHECKS = 1000
/** As many entries of a `notfound` make sense: Core's announcements and blocks in transit of one peer. */
const MAX_NOT_FOUND: number = MAX_PEER_TX_ANNOUNCEMENTS + 16
/** Below this a payload may lie in memory that others read into next: above, it has its own. */
const OWN_MEMORY_ABOVE_BYTES: number = 16 * 1024

export interface TxRelayOptions {
  readonly random: Random
  readonly sha256: Sha256
  readonly pool: PoolLookup
  /** Tells peers of the pool's transactions, and gives them: where what is in the pool was validated. */
  readonly relays: boolean
  /** Asks for what peers announce. */
  readonly fetches: boolean
  /** Our `version` says that we want no transactions: who sends one all the same has to go. Our own are announced. */
  readonly isBlocksOnly: boolean
  /** The bloom filters of peers; nobody has one where not given. */
  readonly filters?: BloomLookup | undefined
  /** Whether so much was uploaded today that none but who has the permission is given the pool; never where not given. */
  readonly isTargetReached?: (() => boolean) | undefined
  /** While this holds, announcements are of no use: what is in the blocks to come cannot be told from what is not. */
  readonly isCatchingUp: () => boolean
}

type Out = Outbox<TxRelayOutput>
type Answer = TxRelayInput & { readonly _tag: "Submitted" }

export class TxRelay implements Machine<TxRelayInput, TxRelayOutput> {
  readonly #options: TxRelayOptions
  readonly #pool: PoolLookup
  readonly #download: TxDownload
  readonly #trickle: InventoryTrickle
  readonly #serving: TxServing
  readonly #feeFilters: FeeFilters
  readonly #checks: Checks
  readonly #unbroadcast: Unbroadcast
  readonly #peers: IdMap<PeerId, RelayPeer> = new IdMap()
  readonly #traits: Map<string, PeerTraits> = new Map()
  /** Whose `inv` is looked at further in the next turn, who is given more, and who has orphans to look at again. */
  readonly #toLookAt: Set<RelayPeer> = new Set()
  readonly #toServe: Set<RelayPeer> = new Set()
  readonly #toReconsider: Set<RelayPeer> = new Set()
  readonly #queues: ReadonlyArray<Set<RelayPeer>> = [this.#toLookAt, this.#toServe, this.#toReconsider]
  #goesOnAt: Instant | undefined = undefined
  readonly #peerOf = (id: PeerId): RelayPeer | undefined => this.#peers.get(id)

  constructor(options: TxRelayOptions) {
    const { isCatchingUp, pool, random, sha256 } = options
    this.#options = options
    this.#pool = pool
    this.#download = new TxDownload({ random, sha256, pool })
    const hidden = new Hidden(options.filters)
    this.#trickle = new InventoryTrickle(random, pool, hidden)
    this.#serving = new TxServing(random, pool, this.#trickle, hidden)
    this.#feeFilters = new FeeFilters(random, () => pool.minFeeRateSatPerKvb, isCatchingUp)
    this.#checks = new Checks(random)
    this.#unbroadcast = new Unbroadcast(random)
  }

  /** Whether nothing is held for any peer: so it is after the last one left. What is being validated is on its way to us, and what is ours stays. */
  get isEmpty(): boolean {
    const parts = [this.#download, this.#trickle, this.#feeFilters]
    return this.#peers.size === 0 && !this.#goesOn && parts.every(({ isEmpty }) => isEmpty)
  }

  /** Transactions of our own that nobody has asked for yet, the last 1,000. */
  get unbroadcast(): ReadonlyArray<Wtxid> {
    return this.#unbroadcast.wtxids
  }

  /** Transactions that wait for their parents. */
  orphans(): ReadonlyArray<KeptOrphan> {
    return this.#download.orphanage.all()
  }

  nextTimeout(): Instant | undefined {
    const times = earliest(this.#trickle.nextTimeout(), this.#feeFilters.nextTimeout())
    const requests = earliest(this.#download.requests.nextTimeout(), this.#unbroadcast.nextTimeout())
    return earliest(this.#goesOnAt, earliest(times, requests))
  }

  snapshot(): TxRelaySnapshot {
    const { orphanage, requests } = this.#download
    return {
      peers: this.#peers.size,
      announcements: requests.size,
      orphans: orphanage.size,
      orphanWeight: orphanage.weight,
      checking: this.#checks.size
    }
  }

  /** The memory that inventories of a peer take that are still to be looked at. */
  heldBytes(id: PeerId): number {
    const { asked, inventory } = this.#peers.get(id)?.activity ?? {}
    return (inventory?.entries.raw.length ?? 0) + (asked instanceof InventoryQueue ? asked.sizeBytes : 0)
  }

  peer(id: PeerId): TxPeerSnapshot | undefined {
    const peer = this.#peers.get(id)
    if (peer === undefined) return undefined
    return {
      isTold: peer.isTold,
      minFeeRateSatPerKvb: peer.feeFilter,
      lastInvSequence: peer.lastInvSequence,
      invToSend: this.#trickle.waiting(peer),
      inFlight: this.#download.requests.countInFlight(id),
      announcements: this.#download.requests.count(id)
    }
  }

  handle(input: TxRelayInput, now: Now, out: Out): void {
    this.#input(input, now.instant, out)
    this.#ask(now.instant, out)
    this.#goesOnAt = this.#goesOn ? now.instant : undefined
  }

  /** Whether there is something to do in the next turn. */
  get #goesOn(): boolean {
    return this.#queues.some(({ size }) => size > 0) || this.#download.requests.nextReady() !== undefined
  }

  #input(input: TxRelayInput, now: Instant, out: Out): void {
    switch (input._tag) {
      case "PeerReady":
        return this.#ready(input, now, out)
      case "PeerGone":
        return this.#gone(input.peer)
      case "Received": {
        const peer = this.#peers.get(input.peer)
        if (peer !== undefined) this.#received(peer, input.message, now, out)
        return
      }
      case "FilterSet": {
        const peer = this.#peers.get(input.peer)
        if (peer === undefined || peer.isTold || !peer.traits.mayBeTold) return
        peer.isTold = true
        return this.#trickle.begin(peer)
      }
      case "Submitted": {
        const check = this.#checks.end(input.wtxid)
        if (check !== undefined) this.#submitted(check, input, now, out)
        return
      }
      case "SubmitLocal":
        return this.#submitLocal(input.tx, now, out)
      case "BlockConnected":
        return this.#blockConnected(input.block)
      case "BlockDisconnected":
        return this.#download.blockDisconnected(input.hash)
      case "TipChanged":
        this.#download.tipChanged()
        return this.#feeFilters.look(now, this.#peers.values())
      case "Drained": {
        const peer = this.#peers.get(input.peer)
        if (peer?.activity?.asked !== undefined) this.#toServe.add(peer)
        return
      }
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  #ready(ready: TxPeerReady, now: Instant, out: Out): void {
    const { fetches, isBlocksOnly } = this.#options
    const traits = this.#traitsOf(ready)
    const peer = new RelayPeer(ready.peer, traits, traits.mayBeTold && ready.relaysTransactions)
    this.#peers.set(ready.peer, peer)
    this.#download.connected(peer)
    if (traits.mayBeTold) this.#trickle.join(peer, ready.networkKey)
    if (!fetches || isBlocksOnly || ready.forceRelay || ready.isBlockOnly) return
    this.#feeFilters.join(ready.peer, now)
    this.#tellFeeFilters(now, out)
  }

  #traitsOf(ready: TxPeerReady): PeerTraits {
    const traits: PeerTraits = {
      isOutbound: ready.isOutbound,
      wtxidRelay: ready.wtxidRelay,
      isBlockOnly: ready.isBlockOnly,
      isPreferred: ready.isPreferred,
      isTrusted: ready.isTrusted,
      mayRelay: ready.mayRelay,
      forceRelay: ready.forceRelay,
      mayAskForPool: ready.mayAskForPool,
      maySetFilter: ready.maySetFilter === true,
      hasWitnesses: (ready.services & NODE_WITNESS) !== 0n,
      mayBeTold: this.#options.relays && (ready.relaysTransactions || ready.maySetFilter === true) && !ready.isBlockOnly
    }
    const key = Object.values(traits).map(Number).join("")
    const shared = this.#traits.get(key) ?? traits
    this.#traits.set(key, shared)
    return shared
  }

  #gone(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#peers.delete(id)
    for (const queue of this.#queues) queue.delete(peer)
    this.#download.disconnected(peer)
    if (peer.traits.mayBeTold) this.#trickle.leave(peer)
    this.#feeFilters.leave(id)
  }

  #received(peer: RelayPeer, message: TxRelayMessage, now: Instant, out: Out): void {
    switch (message._tag) {
      case "inv":
        return this.#inventory(peer, message.inventory, now, out)
      case "getdata":
        return this.#getdata(peer, message.inventory, out)
      case "tx":
        return this.#transaction(peer, message.tx, now, out)
      case "notfound":
        return this.#notFound(peer, message.inventory)
      case "feefilter": {
        const rate = message.feeRateSatPerKvb
        if (rate >= 0n && rate <= MAX_MONEY) peer.feeFilter = Number(rate)
        return
      }
      case "mempool":
        return this.#wantsPool(peer, now, out)
    }
  }

  #wantsPool(peer: RelayPeer, now: Instant, out: Out): void {
    const because = this.#whyNoPool(peer.traits)
    if (because !== undefined) {
      if (peer.traits.isTrusted) return
      return out.push({ _tag: "Disconnect", peer: peer.id, reason: { _tag: "PoolNotServed", because } })
    }
    if (!peer.traits.mayBeTold) return
    peer.active.wantsPool = true
    this.#trickle.remind(peer, now)
  }

  #whyNoPool({ mayAskForPool, maySetFilter }: PeerTraits): PoolNotServed["because"] | undefined {
    if (mayAskForPool) return undefined
    if (!maySetFilter) return "not-offered"
    return this.#options.isTargetReached?.() === true ? "upload-target" : undefined
  }

  #isUnwanted({ traits }: RelayPeer): boolean {
    return traits.isBlockOnly || (this.#options.isBlocksOnly && !traits.mayRelay)
  }

  get #isIdle(): boolean {
    return !this.#options.fetches || this.#options.isCatchingUp()
  }

  #inventory(peer: RelayPeer, entries: Inventory, now: Instant, out: Out): void {
    const at = this.#lookAt(peer, entries, 0, now, out)
    if (at === entries.count) return
    const rest = new Inventory(copyOut(entries.raw.subarray(INV_ENTRY_SIZE * at)))
    peer.active.inventory = { entries: rest, at: 0 }
    this.#toLookAt.add(peer)
    this.#owe(peer, OWES_INVENTORY, true, out)
  }

  /** Looks at a turn's share of an inventory from an entry on; gives how far it came. */
  #lookAt(peer: RelayPeer, entries: Inventory, from: number, now: Instant, out: Out): number {
    const isUnwanted = this.#isUnwanted(peer)
    if (!isUnwanted && this.#isIdle) return entries.count
    const { wtxidRelay } = peer.traits
    const type = wtxidRelay ? MSG_WTX : MSG_TX
    let at = from
    for (let left = ENTRIES_PER_TURN; left > 0 && at < entries.count; at++) {
      if (entries.typeAt(at) !== type) {
        left -= 1
        continue
      }
      if (isUnwanted) {
        out.push({ _tag: "Disconnect", peer: peer.id, reason: { _tag: "TransactionsUnwanted", command: "inv" } })
        return entries.count
      }
      const hash = entries.hashAt(at)
      this.#trickle.knows(peer, hash)
      left -= this.#download.announced(peer, hash, wtxidRelay, now)
    }
    return at
  }

  #getdata(peer: RelayPeer, inventory: Inventory, out: Out): void {
    // Who wants to be told of no transactions gets none, and no answer, as in Core.
    if (!peer.traits.mayBeTold && this.#options.relays) return
    const asked = InventoryQueue.of(inventory, isTransaction)
    if (asked.isEmpty || peer.activity?.asked !== undefined) return
    peer.active.asked = asked
    this.#serve(peer, out)
  }

  #serve(peer: RelayPeer, out: Out): void {
    const { active } = peer
    if (active.asked === undefined) return
    let sent = 0
    const isDone = this.#serving.serve(
      peer,
      active.asked,
      (message) => {
        sent += 1
        out.push({ _tag: "Send", peer: peer.id, message })
      },
      ({ wtxid }) => this.#unbroadcast.delete(wtxid)
    )
    if (isDone) active.asked = undefined
    // Where nothing is on its way to the peer, nothing will be said to have left.
    else if (sent === 0) this.#toServe.add(peer)
    this.#owe(peer, OWES_ANSWER, !isDone, out)
  }

  #notFound(peer: RelayPeer, inventory: Inventory): void {
    if (inventory.count > MAX_NOT_FOUND) return
    for (let i = 0; i < inventory.count; i++) {
      if (isTransaction(inventory.typeAt(i))) this.#download.requests.receivedResponse(peer.id, inventory.hashAt(i))
    }
  }

  #transaction(peer: RelayPeer, tx: TransactionView, now: Instant, out: Out): void {
    if (this.#isUnwanted(peer)) {
      out.push({ _tag: "Disconnect", peer: peer.id, reason: { _tag: "TransactionsUnwanted", command: "tx" } })
      return
    }
    if (this.#isIdle) return
    const named = this.#name(tx)
    const { traits } = peer
    this.#trickle.knows(peer, traits.wtxidRelay ? named.wtxid : named.txid)
    const { child, isWanted } = this.#download.received(peer.id, named)
    if (!isWanted) {
      if (traits.forceRelay) this.#tellAgain(named.wtxid, now)
      return
    }
    if (peer.activity?.isChecked === true || this.#checks.size >= MAX_CHECKS) return
    this.#submit({ ...named, tx: owned(tx), from: peer.id, isOrphan: false, child }, out)
  }

  #name(tx: TransactionView): NamedTransaction {
    const txid = tx.txid(this.#options.sha256)
    const wtxid = tx.hasWitness ? tx.wtxid(this.#options.sha256) : (txid as Uint8Array as Wtxid)
    return { tx, txid, wtxid }
  }

  #tellAgain(wtxid: Uint8Array, now: Instant): boolean {
    const pooled = this.#pool.find(wtxid)
    if (pooled !== undefined && this.#options.relays) this.#trickle.queue(pooled, now)
    return pooled !== undefined
  }

  #submitLocal(tx: TransactionView, now: Instant, out: Out): void {
    const named = this.#name(tx)
    if (this.#tellAgain(named.wtxid, now)) this.#unbroadcast.add(named.wtxid, now)
    else this.#submit({ ...named, from: undefined, isOrphan: false, child: undefined }, out)
  }

  #submit(check: Check, out: Out): void {
    if (this.#checks.find(check.wtxid) !== undefined) return
    const { child, from, tx, txid, wtxid } = check
    this.#checks.begin(check)
    const peer = from === undefined ? undefined : this.#peers.get(from)
    if (peer !== undefined) {
      peer.active.isChecked = true
      this.#owe(peer, OWES_CHECK, true, out)
    }
    out.push({ _tag: "Submit", tx, txid, wtxid, from, child })
  }

  /** What follows of what became of a transaction. */
  #settle(check: Check, result: SubmitResult, now: Instant, out: Out): void {
    switch (result._tag) {
      case "Accepted":
        this.#accepted(check, now, out)
        for (const { tx } of result.replaced) out.push({ _tag: "ReplacedTransaction", tx })
        break
      case "MissingInputs":
        this.#missing(check, result, now, out)
        break
      case "Rejected":
        this.#rejected(check, result, out)
        break
    }
    for (const hash of [check.txid, check.wtxid]) this.#download.requests.reconsider(hash)
  }

  #accepted(check: Check, now: Instant, out: Out): void {
    const { from, wtxid } = check
    for (const id of this.#download.accepted(check)) {
      const peer = this.#peers.get(id)
      if (peer !== undefined) this.#hasOrphans(peer, out)
    }
    this.#tellAgain(wtxid, now)
    if (from === undefined) this.#unbroadcast.add(wtxid, now)
    out.push({ _tag: "TransactionAccepted", wtxid, from })
    this.#feeFilters.look(now, this.#peers.values())
  }

  #missing(check: Check, { parents }: SubmitResult & { _tag: "MissingInputs" }, now: Instant, out: Out): void {
    const { child, from, isOrphan, tx, wtxid } = check
    if (isOrphan || child !== undefined || from === undefined) return
    const isNew = !this.#download.orphanage.has(wtxid)
    const asked = this.#download.missing(check, parents, from, this.#peerOf, now)
    const peer = this.#peers.get(from)
    // It has what it passed on, and so what that spends of.
    if (peer !== undefined) for (const parent of asked ?? []) this.#trickle.knows(peer, parent)
    if (isNew) out.push({ _tag: "RejectedTransaction", tx })
  }

  #rejected(check: Check, result: SubmitRejected, out: Out): void {
    // Of our own we may try again what was not taken.
    if (check.from === undefined) return
    const child = this.#download.rejected(check, result, check.from)
    if (check.isOrphan || check.child !== undefined) return
    if (result.isWitnessStripped !== true) out.push({ _tag: "RejectedTransaction", tx: check.tx })
    if (child !== undefined) this.#submit({ ...check, child }, out)
  }

  /** A check is over: its peer is heard again, where no orphan of its comes first. */
  #submitted(check: Check, { childResult, result }: Answer, now: Instant, out: Out): void {
    const { child, from } = check
    if (child !== undefined) {
      if (result._tag !== "Accepted" || childResult?._tag !== "Accepted") this.#download.rejectedPackage(check, child)
      // It is no orphan any more that would be looked at again for its parent.
      else this.#download.orphanage.erase(child.wtxid)
    }
    this.#settle(check, result, now, out)
    if (child !== undefined && childResult !== undefined)
      this.#settle({ ...child, from, isOrphan: true, child: undefined }, childResult, now, out)
    const peer = from === undefined ? undefined : this.#peers.get(from)
    if (peer === undefined) return
    // Where its child is being validated with it now, its turn goes on.
    const goesOn = this.#checks.isOf(peer.id)
    peer.active.isChecked = goesOn
    // Its orphan may be gone, and with it what the peer was owed.
    if (this.#download.orphanage.hasToReconsider(peer.id)) this.#hasOrphans(peer, out)
    else this.#owe(peer, OWES_ORPHANS, false, out)
    this.#owe(peer, OWES_CHECK, goesOn, out)
  }

  #hasOrphans(peer: RelayPeer, out: Out): void {
    this.#toReconsider.add(peer)
    this.#owe(peer, OWES_ORPHANS, true, out)
  }

  /** Looks at one orphan again, on one peer's account. */
  #reconsiderOne(out: Out): void {
    const [peer] = this.#toReconsider
    if (peer === undefined) return
    this.#toReconsider.delete(peer)
    // When that is over it is this peer's turn again.
    if (peer.activity?.isChecked === true) return
    const orphan = this.#download.orphanage.takeToReconsider(peer.id)
    if (orphan !== undefined) this.#submit({ ...orphan, from: peer.id, isOrphan: true, child: undefined }, out)
    const hasMore = this.#download.orphanage.hasToReconsider(peer.id)
    if (hasMore && !peer.active.isChecked) this.#toReconsider.add(peer)
    this.#owe(peer, OWES_ORPHANS, hasMore, out)
  }

  #blockConnected(block: BlockView): void {
    if (this.#options.isCatchingUp()) return
    const txids = this.#download.blockConnected(block)
    if (this.#options.relays) this.#serving.blockConnected(txids)
  }

  #timeout(now: Instant, out: Out): void {
    this.#tellFeeFilters(now, out)
    const [looked] = this.#toLookAt
    if (looked !== undefined) this.#lookFurther(looked, now, out)
    const [served] = this.#toServe
    if (served !== undefined) {
      this.#toServe.delete(served)
      this.#serve(served, out)
    }
    this.#reconsiderOne(out)
    for (const wtxid of this.#unbroadcast.takeDue(now)) {
      if (this.#tellAgain(wtxid, now)) this.#unbroadcast.add(wtxid, now)
    }
    this.#trickle.step(
      now,
      (peer, inventory) =>
        out.push({ _tag: "Send", peer: peer.id, message: { _tag: "inv", inventory }, isAnnouncement: true }),
      (peer) => this.#beginsPool(peer, out)
    )
  }

  #lookFurther(peer: RelayPeer, now: Instant, out: Out): void {
    this.#toLookAt.delete(peer)
    const rest = peer.active.inventory
    if (rest === undefined) return
    rest.at = this.#lookAt(peer, rest.entries, rest.at, now, out)
    if (rest.at < rest.entries.count) return void this.#toLookAt.add(peer)
    peer.active.inventory = undefined
    this.#owe(peer, OWES_INVENTORY, false, out)
  }

  /** Who asked for the whole pool is given it from the time on at which it is told of transactions. Gives whether that is now. */
  #beginsPool(peer: RelayPeer, out: Out): boolean {
    if (peer.activity?.wantsPool !== true || peer.activity.asked !== undefined) return false
    peer.active.wantsPool = false
    peer.active.asked = this.#pool.entries()[Symbol.iterator]()
    this.#toServe.add(peer)
    this.#owe(peer, OWES_ANSWER, true, out)
    return true
  }

  #tellFeeFilters(now: Instant, out: Out): void {
    this.#feeFilters.step(now, this.#peerOf, (peer) => {
      const feeRateSatPerKvb = BigInt(peer.feeFilterSent) as Satoshis
      out.push({ _tag: "Send", peer: peer.id, message: { _tag: "feefilter", feeRateSatPerKvb } })
    })
  }

  /** Asks peers for what they are the best for. */
  #ask(now: Instant, out: Out): void {
    const { requests } = this.#download
    requests.advance(now, REQUESTS_PER_TURN)
    let left = REQUESTS_PER_TURN
    for (let id = requests.nextReady(); id !== undefined && left > 0; id = requests.nextReady()) {
      const peer = this.#peers.get(id)
      if (peer === undefined) return requests.disconnected(id)
      const byTxid = peer.traits.hasWitnesses ? MSG_WITNESS_TX : MSG_TX
      const asked: Array<InventoryEntry> = []
      const looked = this.#download.request(
        peer,
        now,
        (hash, isWtxid) => {
          if (this.#checks.has(hash)) return "wait"
          asked.push({ type: isWtxid ? MSG_WTX : byTxid, hash: copyOut(hash) })
          return "ask"
        },
        left
      )
      left -= 1 + looked
      for (let at = 0; at < asked.length; at += MAX_GETDATA_SZ) {
        const inventory = Inventory.of(asked.slice(at, at + MAX_GETDATA_SZ))
        out.push({ _tag: "Send", peer: id, message: { _tag: "getdata", inventory } })
      }
    }
  }

  /** Says where a peer begins to be owed something, and where it is owed nothing any more. */
  #owe(peer: RelayPeer, what: number, isOwed: boolean, out: Out): void {
    const before = peer.activity?.owes ?? 0
    const after = isOwed ? before | what : before & ~what
    if (after === before) return
    peer.active.owes = after
    if ((before === 0) !== (after === 0)) out.push({ _tag: "ReplyOwed", peer: peer.id, owed: isOwed })
  }
}

/** The transaction in memory that stays. */
const owned = (tx: TransactionView): TransactionView => {
  if (tx.bytes.length > OWN_MEMORY_ABOVE_BYTES) return tx
  const decoded = TransactionView.decode(copyOut(tx.bytes))
  return decoded._tag === "Success" ? decoded.success.value : tx
}
