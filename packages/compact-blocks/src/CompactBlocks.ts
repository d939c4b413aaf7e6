/**
 * Blocks in short between peers (BIP-0152, version 2): asked for, announced, put together, and given. It keeps no account of which block is
 * asked of whom: it looks that up, and says what changes.
 *
 * ```
 *   high bandwidth   block ─▶ cmpctblock ─▶ (getblocktxn ─▶ blocktxn) ─▶ Rebuilt
 *   low bandwidth    headers ─▶ getdata ─▶ cmpctblock ─▶ (getblocktxn ─▶ blocktxn) ─▶ Rebuilt
 * ```
 *
 * Specification: a `cmpctblock` is looked at if the block was asked of its sender, or if the sender was told to send blocks so. Rationale: from
 * what is asked for in return anybody else could read which transactions we have (Core #32606).
 *
 * Specification: a peer's `cmpctblock` of a block is looked at once. Rationale: a hundred bytes have all of a mempool gone through.
 *
 * Specification: up to three peers are asked for the rest of one block at a time, and the last place is for a peer that we chose as long as none
 * of those is among the others. Rationale: who dials us cannot keep a block from us by being slow.
 *
 * Specification: whose answer is of no use, since the block has come of another, is asked for it no longer. Rationale: block sync would wait for
 * that answer, take its peer for late, ask others for what is here, and end the connection at last.
 *
 * Specification: what a peer sends changes nothing but what is kept of that peer, until a block is whole. Rationale: CVE-2024-52921.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`CMPCTBLOCK`, `ProcessCompactBlockTxns`, `GETBLOCKTXN`, `NewPoWValidBlock`), and #32606.
 */
import type { Sha256 } from "@satwire/crypto"
import type { Instant, Machine, Now, Outbox, PeerId, Random } from "@satwire/machine"
import type { BlockView } from "@satwire/primitives"
import {
  type BlockTxn,
  CMPCTBLOCKS_VERSION,
  type GetBlockTxn,
  SHORT_IDS_BLOCKS_VERSION,
  type SendCmpct
} from "@satwire/wire"
import type { BlockRequests, HeaderLookup, PeerHasHeader } from "./ChainLookups.ts"
import type { CompactInput, CompactOutput, CompactSnapshot } from "./CompactBlocksEvents.ts"
import { CompactServing, MAX_CMPCTBLOCK_DEPTH } from "./CompactServing.ts"
import { HighBandwidthPeers } from "./HighBandwidthPeers.ts"
import { type Completed, PartialBlock } from "./PartialBlock.ts"
import { PartialBlocks } from "./PartialBlocks.ts"
import { inNoPool, numbersOf } from "./PoolScan.ts"
import type { TransactionPool } from "./TransactionPool.ts"

/** Core's limit on the depth of blocks of which single transactions are given: deeper ones are given whole. */
export const MAX_BLOCKTXN_DEPTH = 10
/**
 * Bitcoin Core's constant of this name.
 *
 * @limit peers that are asked for one block at a time, where they send it in short
 */
export const MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK = 3
/** A block further ahead of our tip is not put together: what it spends, and so our mempool, is another one's. */
const MAX_AHEAD = 2
/**
 * Of so many blocks it is remembered that a peer's short form was looked at.
 *
 * @limit blocks of which it is remembered that a peer sent them in short
 */
const MAX_SEEN = 8
/** Core's `INVALID_CB_NO_BAN_VERSION`: before it, who sent a compact block of what turned out to be invalid was banned. */
const INVALID_CB_NO_BAN_VERSION = 70_015

export interface CompactBlocksOptions {
  readonly random: Random
  readonly sha256: Sha256
  /** What is looked through for transactions, in this order: a mempool, and what is kept beside it. */
  readonly pools: ReadonlyArray<TransactionPool>
  readonly headers: HeaderLookup
  readonly requests: BlockRequests
  readonly hasHeader: PeerHasHeader
  /** Whether segwit is active for the block of a header. */
  readonly hasWitness: (header: number) => boolean
  /** Whether our tip is younger than twenty blocks take (Core `CanDirectFetch`). */
  readonly canDirectFetch: (now: Now) => boolean
  /** Gives blocks in short, and transactions of them, to who asks. */
  readonly serves: boolean
  /** Tells peers of new blocks in short before all is known of them. Needs `serves`. */
  readonly announces: boolean
  /** There is no mempool to find transactions in: blocks are fetched whole. */
  readonly isBlocksOnly: boolean
  /** Sends whole what others are likely to lack; so where not given. Without it only coinbases go whole: to see what it is worth. */
  readonly prefills?: boolean | undefined
  /** The wtxids of transactions of our own that nobody has asked for; none where not given. */
  readonly unbroadcast?: (() => ReadonlyArray<Uint8Array>) | undefined
}

/** What is kept of a peer. */
interface PeerCompact {
  readonly id: PeerId
  readonly outbound: boolean
  readonly protocolVersion: number
  /** It sent `sendcmpct` of our version. */
  provides: boolean
  /** It wants new blocks in short at once. */
  wantsHighBandwidth: boolean
  /** Blocks of which its short form was looked at, the last behind. */
  readonly seen: Array<number>
  /** What it asked for of a block that is being read. */
  reading: { readonly header: number; readonly indexes: ReadonlyArray<number> } | undefined
}

/** A peer's way to a block. */
interface Attempt {
  readonly peer: PeerCompact
  readonly header: number
  /** Who was asked for the block, and whether it was among them. */
  readonly asked: ReadonlyArray<PeerId>
  readonly isAsked: boolean
  /** Nobody was asked before it. */
  readonly isFirst: boolean
  /** When its `cmpctblock` was looked at. */
  readonly since: Instant
}

export class CompactBlocks implements Machine<CompactInput, CompactOutput> {
  readonly #options: CompactBlocksOptions
  readonly #peers: Map<PeerId, PeerCompact> = new Map()
  readonly #chosen: HighBandwidthPeers = new HighBandwidthPeers()
  readonly #partials: PartialBlocks = new PartialBlocks()
  readonly #serving: CompactServing
  /** The height up to which blocks were told of in short. */
  #toldHeight = -1

  constructor(options: CompactBlocksOptions) {
    this.#options = options
    this.#serving = new CompactServing(options.sha256, options.random)
  }

  /** Whether nothing is held for any peer: so it is after the last one left. */
  get isEmpty(): boolean {
    return this.#peers.size === 0 && this.#partials.size === 0 && this.#chosen.isEmpty
  }

  /** It waits for nothing: who is late is found out where it is known who was asked. */
  nextTimeout(): Instant | undefined {
    return undefined
  }

  snapshot(): CompactSnapshot {
    return {
      highBandwidthTo: this.#chosen.peers,
      highBandwidthFrom: [...this.#peers.values()].filter((peer) => peer.wantsHighBandwidth).map(({ id }) => id),
      partial: this.#partials.size
    }
  }

  /**
   * Whether a block that a peer is to be asked for, and that alone, is to be asked for in short (Core `HeadersDirectFetchBlocks`): it is the next
   * of the followed chain, so that the mempool will have most of it.
   */
  shouldAskCompact(peer: PeerId, header: number, now: Now): boolean {
    const { canDirectFetch, headers, isBlocksOnly, requests } = this.#options
    const view = this.#peers.get(peer)
    if (isBlocksOnly || view?.provides !== true || view.seen.includes(header)) return false
    return headers.parent(header) === requests.tip && canDirectFetch(now)
  }

  handle(input: CompactInput, now: Now, out: Outbox<CompactOutput>): void {
    switch (input._tag) {
      case "PeerReady":
        return this.#ready(input, out)
      case "PeerGone":
        return this.#gone(input.peer)
      case "Received":
        return this.#received(input.peer, input.message, out)
      case "CmpctBlockReceived":
        return this.#compact(input, now, out)
      case "BlockValid":
        return this.#valid(input, out)
      case "BlockDelivered":
        return this.#delivered(input, now, out)
      case "BlockRequested":
        return this.#requested(input, now, out)
      case "BlockTxnRead":
        return this.#read(input, out)
    }
  }

  #ready({ outbound, peer: id, protocolVersion }: Input<"PeerReady">, out: Outbox<CompactOutput>): void {
    this.#peers.set(id, {
      id,
      outbound,
      protocolVersion,
      provides: false,
      wantsHighBandwidth: false,
      seen: [],
      reading: undefined
    })
    // To all, as in Core: also who has no blocks may want ours.
    if (protocolVersion >= SHORT_IDS_BLOCKS_VERSION) this.#choose(id, false, out)
  }

  #choose(peer: PeerId, highBandwidth: boolean, out: Outbox<CompactOutput>): void {
    out.push({ _tag: "Send", peer, message: { _tag: "sendcmpct", highBandwidth, version: CMPCTBLOCKS_VERSION } })
  }

  #gone(id: PeerId): void {
    this.#peers.delete(id)
    this.#chosen.delete(id)
    this.#partials.keep(({ peer }) => peer !== id)
  }

  #received(id: PeerId, message: SendCmpct | GetBlockTxn | BlockTxn, out: Outbox<CompactOutput>): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    switch (message._tag) {
      case "sendcmpct":
        if (message.version !== CMPCTBLOCKS_VERSION) return
        peer.provides = true
        peer.wantsHighBandwidth = message.highBandwidth
        return
      case "blocktxn":
        return this.#blockTxn(peer, message, out)
      case "getblocktxn":
        return this.#getBlockTxn(peer, message, out)
    }
  }

  #compact({ header, message, peer: id }: Input<"CmpctBlockReceived">, now: Now, out: Outbox<CompactOutput>): void {
    const { canDirectFetch, hasWitness, headers, isBlocksOnly, pools, requests, sha256 } = this.#options
    const peer = this.#peers.get(id)
    if (peer?.provides !== true || isBlocksOnly || header < 0) return
    const attempt = this.#attempt(peer, header, now.instant)
    const { asked, isAsked } = attempt
    if (!isAsked && !this.#chosen.has(id)) return
    if (requests.isHere(header)) return this.#letGo(id, header, out)
    if (peer.seen.includes(header)) return
    const isNext = headers.compareWork(header, requests.tip) > 0 && this.#depth(header) >= -MAX_AHEAD
    if (!isAsked && (!isNext || (asked.length === 0 && !canDirectFetch(now)))) return
    if (peer.seen.push(header) > MAX_SEEN) peer.seen.shift()
    // It was wanted all the same, and what it is made of will not be here.
    if (!isNext) return out.push({ _tag: "AskWhole", peer: id, header })
    const begun = PartialBlock.begin({ sha256, message, pools, hasWitness: hasWitness(header) })
    if (!isAsked && !(asked.length < MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK && this.#hasRoom(id))) {
      // Nothing is asked of it, but what it sent may suffice.
      if (begun._tag !== "Begun" || begun.partial.missing.length > 0) return
      const completed = begun.partial.complete([])
      if (completed._tag === "Whole") this.#rebuilt(attempt, completed, begun.partial, 0, out)
      return
    }
    if (begun._tag === "Invalid") return this.#misbehaved(attempt, "cmpctblock", out)
    if (begun._tag === "Failed") return this.#failed(attempt, out)
    this.#begun(attempt, begun.partial, out)
  }

  /** How a peer stands to a block. */
  #attempt(peer: PeerCompact, header: number, since: Instant): Attempt {
    const asked = this.#options.requests.askedOf(header)
    const isFirst = asked.length === 0 || asked[0] === peer.id
    return { peer, header, asked, isAsked: asked.includes(peer.id), isFirst, since }
  }

  /** Whether one more block may wait for a peer. What it waits for no longer makes room. */
  #hasRoom(id: PeerId): boolean {
    if (this.#partials.hasRoom(id)) return true
    const { requests } = this.#options
    this.#partials.keep(({ header, peer }) => !requests.isHere(header) && requests.askedOf(header).includes(peer))
    return this.#partials.hasRoom(id)
  }

  #begun(attempt: Attempt, partial: PartialBlock, out: Outbox<CompactOutput>): void {
    const { header, isAsked, isFirst, peer, since } = attempt
    const { missing } = partial
    if (missing.length === 0) return this.#complete(attempt, partial.complete([]), partial, isAsked ? 1 : 0, out)
    if (!isFirst && !this.#mayAskToo(attempt)) return this.#release(attempt, out)
    // Only who was asked comes so far without room.
    if (!this.#hasRoom(peer.id)) return out.push({ _tag: "AskWhole", peer: peer.id, header })
    this.#partials.add({ peer: peer.id, header, partial, wasRequested: isAsked, since })
    if (!isAsked) out.push({ _tag: "Claim", peer: peer.id, header })
    const blockHash = this.#options.headers.hash(header)
    out.push({ _tag: "Send", peer: peer.id, message: { _tag: "getblocktxn", blockHash, indexes: missing } })
  }

  /** Whether a peer is asked for transactions while others were asked for the block before it. */
  #mayAskToo({ asked, peer }: Attempt): boolean {
    if (!this.#chosen.has(peer.id)) return false
    const isOfOurs = peer.outbound || asked.some((id) => this.#peers.get(id)?.outbound === true)
    return isOfOurs || asked.length < MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK - 1
  }

  #blockTxn(peer: PeerCompact, message: BlockTxn, out: Outbox<CompactOutput>): void {
    const header = this.#options.headers.find(message.blockHash)
    // It is forgotten before anything else happens.
    const waiting = this.#partials.take(peer.id, header)
    if (header >= 0 && this.#options.requests.isHere(header)) return this.#letGo(peer.id, header, out)
    if (waiting === undefined) return
    const attempt = this.#attempt(peer, header, waiting.since)
    if (!attempt.isAsked) return
    const completed = waiting.partial.complete(message.transactions)
    this.#complete(attempt, completed, waiting.partial, waiting.wasRequested ? 2 : 1, out)
  }

  #complete(
    attempt: Attempt,
    completed: Completed,
    partial: PartialBlock,
    roundTrips: number,
    out: Outbox<CompactOutput>
  ): void {
    switch (completed._tag) {
      case "Whole":
        return this.#rebuilt(attempt, completed, partial, roundTrips, out)
      case "Failed":
        return this.#failed(attempt, out)
      case "Invalid":
        return this.#misbehaved(attempt, "blocktxn", out)
      case "Used":
        return
    }
  }

  #rebuilt(
    { header, peer: { id: peer }, since: own }: Attempt,
    { block, stats, wtxids }: Extract<Completed, { readonly _tag: "Whole" }>,
    { missing, prefilled }: PartialBlock,
    roundTrips: number,
    out: Outbox<CompactOutput>
  ): void {
    const whole = prefilled.filter((number) => number > 0)
    const { pools, prefills = true } = this.#options
    const lacked = prefills ? [...missing, ...inNoPool(pools, wtxids, whole)] : []
    this.#serving.rebuilt(header, lacked, wtxids)
    const since = this.#partials.since(header, own)
    out.push({ _tag: "CompactReconstructed", peer, header, stats, roundTrips, since })
    out.push({ _tag: "Rebuilt", peer, header, block })
  }

  /** By nobody's fault it came to nothing: the whole block is asked for, unless others are at it. */
  #failed(attempt: Attempt, out: Outbox<CompactOutput>): void {
    const { header, isAsked, isFirst, peer } = attempt
    if (!isFirst) return this.#release(attempt, out)
    if (!isAsked) out.push({ _tag: "Claim", peer: peer.id, header })
    out.push({ _tag: "AskWhole", peer: peer.id, header })
  }

  #release({ header, isAsked, peer }: Attempt, out: Outbox<CompactOutput>): void {
    if (isAsked) out.push({ _tag: "Release", peer: peer.id, header })
  }

  /** A block is here: a peer that was asked for it, and whose answer is of no use, is so no longer. */
  #letGo(peer: PeerId, header: number, out: Outbox<CompactOutput>): void {
    if (this.#options.requests.askedOf(header).includes(peer)) out.push({ _tag: "Release", peer, header })
  }

  #misbehaved(attempt: Attempt, command: "cmpctblock" | "blocktxn", out: Outbox<CompactOutput>): void {
    this.#release(attempt, out)
    out.push({ _tag: "Misbehaved", peer: attempt.peer.id, reason: { _tag: "BadCompactBlock", command } })
  }

  #valid({ block, header, isOurs }: Input<"BlockValid">, out: Outbox<CompactOutput>): void {
    const { announces, hasHeader, hasWitness, headers, serves } = this.#options
    const height = headers.height(header)
    // Of one height one block is told of, as in Core.
    if (!serves || height <= this.#toldHeight || !hasWitness(header)) return
    this.#toldHeight = height
    this.#serving.setRecent(header, block)
    if (isOurs) this.#lookForOurs(header, block)
    if (!announces) return
    const parent = headers.parent(header)
    for (const { id: peer, protocolVersion, wantsHighBandwidth } of this.#peers.values()) {
      if (!wantsHighBandwidth || protocolVersion < INVALID_CB_NO_BAN_VERSION) continue
      if (hasHeader(peer, header) || !hasHeader(peer, parent)) continue
      out.push({ _tag: "Send", peer, message: this.#serving.message(header, block) })
      out.push({ _tag: "Announced", peer, header })
    }
  }

  /** What of a block of ours nobody has asked for is lacking everywhere. */
  #lookForOurs(header: number, block: BlockView): void {
    const { prefills = true, sha256, unbroadcast } = this.#options
    const ours = unbroadcast?.() ?? []
    if (!prefills || ours.length === 0) return
    const wtxids = block.wtxids(sha256)
    this.#serving.rebuilt(header, numbersOf(wtxids, ours), wtxids)
  }

  #delivered({ header, peer: id }: Input<"BlockDelivered">, now: Now, out: Outbox<CompactOutput>): void {
    const { canDirectFetch, headers, isBlocksOnly } = this.#options
    this.#noLongerWait(header, out)
    const peer = id === undefined ? undefined : this.#peers.get(id)
    if (isBlocksOnly || peer?.provides !== true) return
    // Who brings blocks while we catch up is no faster with new ones.
    if (headers.compareWork(header, headers.best) < 0 || !canDirectFetch(now)) return
    const { dropped, isNew } = this.#chosen.delivered({ peer: peer.id, outbound: peer.outbound })
    if (!isNew) return
    if (dropped !== undefined) this.#choose(dropped, false, out)
    this.#choose(peer.id, true, out)
    out.push({ _tag: "HighBandwidthChosen", peers: this.#chosen.peers })
  }

  /** Nobody is asked any longer for the rest of a block that is here. */
  #noLongerWait(header: number, out: Outbox<CompactOutput>): void {
    this.#partials.keep(({ header: waited, peer }) => {
      if (waited === header) this.#letGo(peer, header, out)
      return waited !== header
    })
  }

  #requested({ block, header, peer }: Input<"BlockRequested">, now: Now, out: Outbox<CompactOutput>): void {
    if (!this.#peers.has(peer)) return
    const isShort = this.#options.canDirectFetch(now) && this.#depth(header) <= MAX_CMPCTBLOCK_DEPTH
    out.push({
      _tag: "Send",
      peer,
      message: isShort ? this.#serving.message(header, block) : { _tag: "block", block }
    })
  }

  /** How far the block lies below our tip. */
  #depth(header: number): number {
    const { headers, requests } = this.#options
    return headers.height(requests.tip) - headers.height(header)
  }

  #getBlockTxn(peer: PeerCompact, { blockHash, indexes }: GetBlockTxn, out: Outbox<CompactOutput>): void {
    const { headers, requests, serves } = this.#options
    // One question at a time: it is not heard before its answer, so nobody meets this.
    if (!serves || peer.reading !== undefined) return
    const header = headers.find(blockHash)
    if (header < 0) return
    const recent = this.#serving.recent(header)
    if (recent !== undefined) return this.#giveTransactions(peer, recent, { header, indexes }, out)
    if (!requests.isHere(header)) return
    if (this.#depth(header) > MAX_BLOCKTXN_DEPTH) return out.push({ _tag: "GiveWhole", peer: peer.id, header })
    peer.reading = { header, indexes }
    out.push({ _tag: "ReplyOwed", peer: peer.id, owed: true })
    out.push({ _tag: "ReadBlock", peer: peer.id, header })
  }

  #read({ block, peer: id }: Input<"BlockTxnRead">, out: Outbox<CompactOutput>): void {
    const peer = this.#peers.get(id)
    const reading = peer?.reading
    if (peer === undefined || reading === undefined) return
    peer.reading = undefined
    if (block !== undefined) this.#giveTransactions(peer, block, reading, out)
    out.push({ _tag: "ReplyOwed", peer: id, owed: false })
  }

  #giveTransactions(
    { id: peer }: PeerCompact,
    block: BlockView,
    { header, indexes }: { readonly header: number; readonly indexes: ReadonlyArray<number> },
    out: Outbox<CompactOutput>
  ): void {
    if (indexes.some((index) => index >= block.transactionCount)) {
      return out.push({ _tag: "Misbehaved", peer, reason: { _tag: "BadCompactBlock", command: "getblocktxn" } })
    }
    const blockHash = this.#options.headers.hash(header)
    const transactions = indexes.map((index) => block.transaction(index))
    out.push({ _tag: "Send", peer, message: { _tag: "blocktxn", blockHash, transactions } })
  }
}

type Input<Tag extends CompactInput["_tag"]> = Extract<CompactInput, { readonly _tag: Tag }>
