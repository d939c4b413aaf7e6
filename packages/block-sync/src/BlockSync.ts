/**
 * Fetches the blocks of the best chain from many peers at once, has them checked and kept, follows the chain of most work of those that are
 * whole, and gives peers what they ask for. It reads, writes and checks nothing itself: those go out and come back.
 *
 * ```
 *   HeadersMoved ─▶ getdata ─▶ block ─▶ CheckBlock ─▶ StoreBlock ─▶ BlockTipChanged
 *                                 │ BlockChecked ◀┘       │
 *                                 └── BlocksStored ◀──────┘
 * ```
 *
 * Specification: a block joins the followed chain once it is kept for good. Rationale: who has read it and notes how far it came must find
 * the same chain after a crash.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`BLOCK`, `FindNextBlocksToDownload`), `validation.cpp` (`AcceptBlock`).
 */
import { copyOut } from "@satwire/bytes"
import type { BlockContext, BlockFault } from "@satwire/consensus"
import { type Instant, type Machine, type Now, type Outbox, type PeerId, after, earliest } from "@satwire/machine"
import { BlockView } from "@satwire/primitives"
import {
  type GetBlocks,
  type GetData,
  Inventory,
  InventoryQueue,
  MSG_BLOCK,
  MSG_CMPCT_BLOCK,
  MSG_WITNESS_BLOCK,
  NODE_NETWORK,
  NODE_NETWORK_LIMITED,
  NODE_WITNESS,
  type NotFound
} from "@satwire/wire"
import { BlockDownload, type DownloadBounds, type Late, type Overdue, type TakeOptions } from "./BlockDownload.ts"
import { type BlockForm, BlockServing } from "./BlockServing.ts"
import type { BlockSyncInput, BlockSyncOutput, BlocksSnapshot, BloomLookup, CompactLookup } from "./BlockSyncEvents.ts"
import { BlockTree } from "./BlockTree.ts"
import type { HeaderLookup, Locate, PeerChains } from "./ChainLookups.ts"
import { LACKING_MS, PeerBlocks } from "./PeerBlocks.ts"
import { WantedBlocks, type WantedRange } from "./WantedBlocks.ts"

/** How often it is looked who is late while somebody has nothing to do. */
const RESCUE_INTERVAL_MS = 250
/** Core's end of the initial download: a tip that is younger than this. */
const MAX_TIP_AGE_S: number = 24 * 60 * 60
/** Core takes a block that it did not ask for only so far ahead of the tip. */
const MAX_UNREQUESTED_AHEAD = 288

export interface BlockSyncOptions extends DownloadBounds {
  readonly headers: HeaderLookup
  readonly chains: PeerChains
  readonly locate: Locate
  /** Which blocks are fetched; all where it is not given. */
  readonly wanted?: WantedRange | undefined
  /** What a block must satisfy at its place. */
  readonly contextOf: (header: number) => BlockContext
  /** Answers `getdata` and `getblocks`. */
  readonly serves: boolean
  /** We offer the last 288 blocks only (BIP-0159). */
  readonly isLimited: boolean
  /** Whether old blocks are beyond what is to be uploaded today. */
  readonly isTargetReached: (now: Now) => boolean
  /** Where blocks travel in short too. */
  readonly compact?: CompactLookup | undefined
  /** Where peers may have bloom filters. */
  readonly bloom?: BloomLookup | undefined
  /** Whether transactions that a peer asks for are somebody else's to give; they are said to be lacking where not given. */
  readonly leavesTransactions?: boolean | undefined
}

/** A block that has come of a peer, or was made here. */
interface Arrival {
  readonly from: PeerId | undefined
  readonly block: BlockView
  readonly isRebuilt: boolean
}

interface Waiting {
  readonly from: PeerId | undefined
  readonly isRebuilt: boolean
  readonly sizeBytes: number
  /** Another peer's answer to the same question, which came while the first was checked. */
  spare: Arrival | undefined
  isChecked: boolean
}

/** What a peer asked of us. */
interface Asker {
  readonly peer: PeerId
  readonly isPrivileged: boolean
  queue: InventoryQueue | undefined
  /** The block that is being read for it. */
  reading: { readonly isHistoric: boolean; readonly header: number; readonly form: BlockForm } | undefined
  /** The last hash of an answer to `getblocks` after which there is more, or -1. */
  goesOnAfter: number
}

export class BlockSync implements Machine<BlockSyncInput, BlockSyncOutput> {
  readonly #headers: HeaderLookup
  readonly #wanted: WantedBlocks
  readonly #blocks: BlockTree
  readonly #download: BlockDownload
  readonly #serving: BlockServing
  readonly #options: BlockSyncOptions
  readonly #askers: Map<PeerId, Asker> = new Map()
  /** Peers with room for more, since something happened that may give them some. */
  readonly #hungry: Set<PeerBlocks> = new Set()
  /** Whose `getdata` goes on in the next turn. */
  readonly #serveNext: Set<Asker> = new Set()
  /** What has come and is not kept yet. */
  readonly #waiting: Map<number, Waiting> = new Map()
  #waitingBytes = 0
  /** What is kept for a reader who has not taken it, and whether he has nothing left to take. */
  #unread: { readonly bytes: number; readonly isStarving: boolean } = { bytes: 0, isStarving: false }
  #held = false
  #isCatchingUp = true
  #rescueAt: Instant | undefined = undefined
  #serveAt: Instant | undefined = undefined
  /** When it is looked who may be asked again for what he had not. */
  #forgiveAt: Instant | undefined = undefined

  constructor(options: BlockSyncOptions) {
    const { chains, headers, isLimited } = options
    this.#headers = headers
    this.#options = options
    this.#wanted = new WantedBlocks(options.wanted ?? {})
    this.#wanted.look(headers)
    this.#blocks = new BlockTree(headers, this.#wanted)
    this.#download = new BlockDownload(headers, this.#blocks, chains, this.#wanted, options)
    this.#serving = new BlockServing(headers, this.#blocks, {
      isLimited,
      locate: options.locate,
      leavesTransactions: options.leavesTransactions === true,
      bloom: options.bloom
    })
  }

  /** The end of the followed chain. */
  get tip(): number {
    return this.#blocks.tip
  }

  /** The heights of the first and last block that is wanted. */
  get range(): { readonly from: number; readonly to: number | undefined } {
    return this.#wanted
  }

  /** Whether nobody need send a block: it is here, or has come and is being looked at. */
  isHere(header: number): boolean {
    return (this.#blocks.isHere(header) && !this.#download.isLost(header)) || this.#waiting.has(header)
  }

  /** Who is asked for a block. */
  askedOf(header: number): ReadonlyArray<PeerId> {
    return this.#download.askedOf(header)
  }

  /** The blocks that a peer was asked for and has not sent, in the order in which it was asked. */
  askedFrom(peer: PeerId): ReadonlyArray<number> {
    return [...(this.#download.peer(peer)?.asked.keys() ?? [])]
  }

  /** The first block that is missing of the chain that is fetched, or -1. */
  get firstMissing(): number {
    return this.#download.first
  }

  /** Who is known not to give a block that its chain has, where nobody gives it. */
  whoLacks(header: number): ReadonlyArray<PeerId> {
    return this.#download.whoLacks(header)
  }

  /** Which blocks are here, for whoever looks it up between turns. */
  get blocks(): BlockTree {
    return this.#blocks
  }

  /** The memory that what a peer asked for and was not given yet takes. */
  heldBytes(peer: PeerId): number {
    return this.#askers.get(peer)?.queue?.sizeBytes ?? 0
  }

  /** Whether nothing is held for any peer: so it is after the last one left. What they sent is ours, and on its way to where it is kept. */
  get isEmpty(): boolean {
    return this.#download.isEmpty && this.#askers.size === 0 && this.#hungry.size === 0 && this.#serveNext.size === 0
  }

  /** A block that was kept before this began. Only before the first input. */
  restore(header: number): void {
    this.#blocks.keep(header)
  }

  /** After the last `restore`. Blocks up to `passedOver` were kept once, and were pruned. */
  restored(passedOver: number | undefined): void {
    if (passedOver !== undefined) this.#blocks.passOver(passedOver)
    this.#blocks.follow(true)
    this.#download.rewind()
  }

  nextTimeout(): Instant | undefined {
    const serves = earliest(this.#serveAt, this.#forgiveAt)
    // Nobody is late while we take nothing.
    return this.#held ? serves : earliest(earliest(serves, this.#rescueAt), this.#download.nextTimeout())
  }

  snapshot(): BlocksSnapshot {
    const headers = this.#headers
    const { tip } = this.#blocks
    let rate = 0
    for (const peer of this.#download.peers) if (peer.asked.size > 0) rate += peer.rate ?? 0
    return {
      tip: { height: headers.height(tip), hash: headers.hash(tip), time: headers.time(tip) },
      targetHeight: this.#download.targetHeight,
      kept: this.#blocks.keptCount,
      inFlight: this.#download.askedCount,
      waiting: this.#waiting.size,
      waitingBytes: this.#waitingBytes,
      bytesPerSecond: Math.round(1000 * rate),
      peers: this.#download.peerCount
    }
  }

  handle(input: BlockSyncInput, now: Now, out: Outbox<BlockSyncOutput>): void {
    switch (input._tag) {
      case "PeerReady":
        return this.#ready(input)
      case "PeerGone":
        return this.#gone(input.peer)
      case "PeerAdvanced": {
        const peer = this.#download.peer(input.peer)
        if (peer !== undefined) this.#hungry.add(peer)
        return
      }
      case "HeadersMoved":
        return this.#headersMoved(input.anew, out)
      case "Received":
        return this.#received(input.peer, input.message, now, out)
      case "BlockReceived":
        return this.#block(input, now, out)
      case "BlockChecked":
        return this.#checked(input, now, out)
      case "BlockDropped":
        return this.#uselessly(input.header, out)
      case "BlocksStored":
        return this.#stored(input.headers, out)
      case "BlockRead":
        return this.#read(input, now, out)
      case "FilteredGiven":
        return this.#filteredGiven(input, now, out)
      case "Drained": {
        const asker = this.#askers.get(input.peer)
        if (asker !== undefined) this.#serve(asker, now, out)
        return
      }
      case "BlocksPruned":
        for (const header of input.headers) {
          this.#blocks.prune(header)
          this.#download.notLost(header)
        }
        return
      case "BlockLost":
        if (!this.#blocks.isKept(input.header)) return
        this.#blocks.lose(input.header)
        this.#download.lost(input.header)
        return this.#everybodyIsHungry()
      case "BlockClaimed":
        return this.#claimed(input.peer, input.header, now)
      case "BlockReleased":
        return this.#released(input.peer, input.header, now)
      case "BlockAskedWhole":
        return this.#askedWhole(input.peer, input.header, now, out)
      case "BlockJudged":
        return this.#judged(input, out)
      case "BlockWanted":
        return this.#want(input.header)
      case "Unread":
        this.#unread = input
        return this.#everybodyIsHungry()
      case "Hold":
        if (this.#held && !input.held) this.#download.beginAgain(now.instant)
        this.#held = input.held
        return
      case "TurnEnds":
        return this.#fetch(now, out, undefined)
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  /**
   * Specification: a block that was passed over is fetched after all where it is said later that it matches; one that has come stays. Rationale:
   * who judged it may have been told lies.
   */
  #judged({ header, matches }: BlockSyncInput & { _tag: "BlockJudged" }, out: Outbox<BlockSyncOutput>): void {
    if (matches) return this.#want(header)
    if (this.#blocks.isHere(header) || this.#download.isAsked(header) || this.#waiting.has(header)) return
    this.#blocks.pass(header)
    this.#download.passed()
    this.#follow(false, out)
  }

  #want(header: number): void {
    if (this.#blocks.isKept(header) || this.#waiting.has(header)) return
    if (this.#blocks.isHere(header)) this.#download.lost(header)
    else this.#download.matches(header)
    this.#everybodyIsHungry()
  }

  #headersMoved(anew: boolean, out: Outbox<BlockSyncOutput>): void {
    const begins = this.#wanted.look(this.#headers)
    this.#follow(anew, out)
    this.#download.headersMoved()
    if (begins) this.#download.rewind()
    this.#everybodyIsHungry()
  }

  #ready({ isPreferred, isPrivileged, peer: id, services }: BlockSyncInput & { _tag: "PeerReady" }): void {
    this.#askers.set(id, { peer: id, isPrivileged, queue: undefined, reading: undefined, goesOnAfter: -1 })
    // Of who does not give witnesses nothing can be checked.
    const isFull = (services & NODE_NETWORK) !== 0n
    if ((services & NODE_WITNESS) === 0n || (!isFull && (services & NODE_NETWORK_LIMITED) === 0n)) return
    const peer = new PeerBlocks(id, isPreferred, !isFull)
    this.#download.add(peer)
    // Those that it is preferred to are asked no more, and where it goes they are again.
    this.#everybodyIsHungry()
  }

  #gone(id: PeerId): void {
    const peer = this.#download.peer(id)
    if (peer !== undefined) this.#hungry.delete(peer)
    this.#download.delete(id)
    const asker = this.#askers.get(id)
    if (asker !== undefined) this.#serveNext.delete(asker)
    this.#askers.delete(id)
    if (this.#serveNext.size === 0) this.#serveAt = undefined
    if (this.#download.askedCount === 0) this.#rescueAt = undefined
    if (this.#download.peerCount === 0) this.#forgiveAt = undefined
    this.#everybodyIsHungry()
  }

  #everybodyIsHungry(): void {
    for (const peer of this.#download.peers) this.#hungry.add(peer)
  }

  /** Asks whoever has room for more. */
  #fetch(now: Now, out: Outbox<BlockSyncOutput>, late: Late | undefined): void {
    if (this.#held || this.#hungry.size === 0) return
    if (this.#isCatchingUp && now.unix - this.#headers.time(this.#blocks.tip) < MAX_TIP_AGE_S)
      this.#isCatchingUp = false
    // Then those may be asked that have to stand back while others are asked for anything.
    if (this.#isCatchingUp && this.#download.askedCount === 0) this.#everybodyIsHungry()
    const { bytes, isStarving } = this.#unread
    const options = { isCatchingUp: this.#isCatchingUp, isStarving, late, waitingBytes: this.#waitingBytes + bytes }
    for (const peer of this.#hungry) if (peer.isPreferred) this.#ask(peer, options, now, out)
    for (const peer of this.#hungry) if (!peer.isPreferred) this.#ask(peer, options, now, out)
    this.#hungry.clear()
    if (this.#download.askedCount === 0) this.#rescueAt = undefined
    else this.#rescueAt ??= after(now.instant, RESCUE_INTERVAL_MS)
  }

  #ask(peer: PeerBlocks, options: TakeOptions, now: Now, out: Outbox<BlockSyncOutput>): void {
    const headers = this.#download.take(peer, now.instant, options)
    if (headers.length === 0) return
    const [header = -1] = headers
    const isCompact = headers.length === 1 && this.#options.compact?.shouldAsk(peer.id, header) === true
    this.#getData(peer.id, headers, isCompact ? MSG_CMPCT_BLOCK : MSG_WITNESS_BLOCK, out)
  }

  #getData(peer: PeerId, headers: ReadonlyArray<number>, type: number, out: Outbox<BlockSyncOutput>): void {
    const hashes = headers.map((header) => this.#headers.hash(header))
    out.push({ _tag: "Send", peer, message: { _tag: "getdata", inventory: Inventory.ofType(type, hashes) } })
  }

  #claimed(id: PeerId, header: number, now: Now): void {
    const peer = this.#download.peer(id)
    if (peer !== undefined && !this.#blocks.isHere(header)) this.#download.claim(peer, header, now.instant)
  }

  #released(id: PeerId, header: number, now: Now): void {
    const peer = this.#download.peer(id)
    if (peer === undefined || !this.#download.answered(header, peer, 0, now.instant)) return
    this.#everybodyIsHungry()
  }

  #askedWhole(id: PeerId, header: number, now: Now, out: Outbox<BlockSyncOutput>): void {
    this.#claimed(id, header, now)
    if (this.#download.peer(id)?.asked.has(header) === true) this.#getData(id, [header], MSG_WITNESS_BLOCK, out)
  }

  #block(
    { block, from, hash, isRebuilt = false }: BlockSyncInput & { _tag: "BlockReceived" },
    now: Now,
    out: Outbox<BlockSyncOutput>
  ): void {
    const header = this.#headers.find(hash)
    const peer = from === undefined ? undefined : this.#download.peer(from)
    if (header < 0) return this.#unconnected(block, from, out)
    // As in Core, whoever sends it, where anybody was asked.
    const isWanted = from === undefined || this.#download.isAsked(header) || this.#isTaken(header)
    const isAnswer = peer !== undefined && this.#download.answered(header, peer, block.bytes.length, now.instant)
    if (peer !== undefined && isAnswer) this.#hungry.add(peer)
    // What is here is not looked at again.
    const isHere = this.#blocks.isHere(header) && !this.#download.isLost(header)
    if (!isWanted || isHere || !this.#headers.isValid(header)) return
    const waiting = this.#waiting.get(header)
    if (waiting === undefined) return this.#check(header, { from, block: owned(block), isRebuilt }, out)
    if (!isAnswer || waiting.isChecked || waiting.spare !== undefined) return
    waiting.spare = { from, block: owned(block), isRebuilt }
    this.#waitingBytes += block.bytes.length
  }

  #check(header: number, { block, from, isRebuilt }: Arrival, out: Outbox<BlockSyncOutput>): void {
    const sizeBytes = block.bytes.length
    this.#waiting.set(header, { from, isRebuilt, sizeBytes, spare: undefined, isChecked: false })
    this.#waitingBytes += sizeBytes
    this.#download.arrived(header)
    out.push({ _tag: "CheckBlock", header, block, context: this.#options.contextOf(header) })
  }

  /** Whether a block is taken that was not asked for (Core `AcceptBlock`): news, and no fork from far back or far ahead; while there is room. */
  #isTaken(header: number): boolean {
    const headers = this.#headers
    const { tip } = this.#blocks
    if (this.#download.isFull(this.#waitingBytes + this.#unread.bytes)) return false
    if (headers.compareWork(header, tip) < 0 || headers.height(header) > (this.#wanted.to ?? Infinity)) return false
    if (headers.height(header) > headers.height(tip) + MAX_UNREQUESTED_AHEAD) return false
    return headers.chainWork(header) >= headers.params.minimumChainWork
  }

  /** A block whose header is not taken: one without a parent costs its sender its place, as in Core; for another header sync has had its say. */
  #unconnected(block: BlockView, from: PeerId | undefined, out: Outbox<BlockSyncOutput>): void {
    if (from === undefined || this.#headers.find(block.rawHeader, 4) >= 0) return
    out.push({ _tag: "Misbehaved", peer: from, reason: { _tag: "BadBlock", rule: "prev-blk-not-found" } })
  }

  #checked(
    { block, fault, header }: BlockSyncInput & { _tag: "BlockChecked" },
    now: Now,
    out: Outbox<BlockSyncOutput>
  ): void {
    const waiting = this.#waiting.get(header)
    if (waiting === undefined || waiting.isChecked) return
    if (fault !== undefined) return this.#bad(header, waiting, fault, now, out)
    // Somebody has said meanwhile that it is invalid, or what it stands on.
    if (!this.#headers.isValid(header)) return this.#uselessly(header, out)
    this.#download.measured(waiting.sizeBytes)
    this.#waitingBytes -= waiting.spare?.block.bytes.length ?? 0
    waiting.spare = undefined
    waiting.isChecked = true
    out.push({
      _tag: "StoreBlock",
      header,
      hash: this.#headers.hash(header),
      height: this.#headers.height(header),
      block
    })
  }

  /**
   * Specification: bytes that are not those of the block of their hash cost who sent them, and nobody else; what another was asked for and
   * has sent meanwhile is checked then, and else the block is fetched again. Rationale: CVE-2024-52921, where they made a node forget what
   * others were about to send.
   */
  #bad(header: number, { from, isRebuilt }: Waiting, fault: BlockFault, now: Now, out: Outbox<BlockSyncOutput>): void {
    if (from !== undefined) this.#lack(from, header, now)
    if (!fault.isMutation) out.push({ _tag: "BlockInvalid", header, fault })
    this.#uselessly(header, out, !fault.isMutation)
    if (from !== undefined && !isRebuilt && this.#askers.has(from)) {
      out.push({ _tag: "Misbehaved", peer: from, reason: { _tag: "BadBlock", rule: fault.rule } })
    }
  }

  /** What came for a block came to nothing: another's is looked at, where there is one that may be better. */
  #uselessly(header: number, out: Outbox<BlockSyncOutput>, isInvalid: boolean = false): void {
    const spare = this.#waiting.get(header)?.spare
    this.#forget(header)
    if (spare !== undefined && !isInvalid && this.#headers.isValid(header)) return this.#check(header, spare, out)
    this.#download.refused(header)
    this.#everybodyIsHungry()
  }

  #forget(header: number): void {
    const waiting = this.#waiting.get(header)
    if (waiting === undefined) return
    this.#waitingBytes -= waiting.sizeBytes + (waiting.spare?.block.bytes.length ?? 0)
    this.#waiting.delete(header)
  }

  #stored(stored: ReadonlyArray<number>, out: Outbox<BlockSyncOutput>): void {
    for (const header of stored) {
      const from = this.#waiting.get(header)?.from
      this.#forget(header)
      this.#blocks.keep(header)
      this.#download.kept(header)
      out.push({ _tag: "BlockAccepted", header, from })
    }
    this.#follow(false, out)
    // The window may have moved.
    this.#everybodyIsHungry()
  }

  #follow(anew: boolean, out: Outbox<BlockSyncOutput>): void {
    const move = this.#blocks.follow(anew)
    if (move === undefined) return
    if (move.removed > 0) this.#download.rewind()
    const { added, fork, removed, tip } = move
    this.#download.joined(added)
    out.push({ _tag: "BlockTipChanged", header: tip, forkHeight: this.#headers.height(fork), removed, added })
  }

  #received(id: PeerId, message: GetData | GetBlocks | NotFound, now: Now, out: Outbox<BlockSyncOutput>): void {
    const asker = this.#askers.get(id)
    if (asker === undefined) return
    if (message._tag === "notfound") return this.#notFound(id, message, now)
    if (!this.#options.serves) return
    if (message._tag === "getblocks") return this.#hashes(asker, message, out)
    if (message.inventory.count === 0) return
    asker.queue = InventoryQueue.ofAll(message.inventory)
    // The first is fetched when what was sent before is on its way: `Drained`, at the end of this turn at the earliest.
    out.push({ _tag: "ReplyOwed", peer: id, owed: true })
  }

  #notFound(id: PeerId, { inventory }: NotFound, now: Now): void {
    const peer = this.#download.peer(id)
    if (peer === undefined) return
    for (let i = 0; i < inventory.count; i++) {
      if ((inventory.typeAt(i) & MSG_BLOCK) === 0) continue
      const header = this.#headers.find(inventory.hashAt(i))
      if (header < 0 || !this.#download.answered(header, peer, 0, now.instant)) continue
      this.#lack(id, header, now)
      this.#everybodyIsHungry()
    }
  }

  #lack(id: PeerId, header: number, now: Now): void {
    this.#download.peer(id)?.lack(header, now.instant)
    this.#forgiveAt ??= after(now.instant, LACKING_MS)
  }

  #hashes(asker: Asker, query: GetBlocks, out: Outbox<BlockSyncOutput>): void {
    const answer = this.#serving.hashes(query)
    if (answer === undefined) return
    asker.goesOnAfter = answer.goesOnAfter
    out.push({ _tag: "Send", peer: asker.peer, message: { _tag: "inv", inventory: answer.inventory } })
  }

  /** Goes on with what a peer asked for. */
  #serve(asker: Asker, now: Now, out: Outbox<BlockSyncOutput>): void {
    const { peer, queue } = asker
    if (queue === undefined || asker.reading !== undefined || this.#serveNext.has(asker)) return
    const served = this.#serving.next(queue, asker, this.#options.isTargetReached(now))
    switch (served._tag) {
      case "Read": {
        const { form, hasWitness, header, isHistoric } = served
        asker.reading = { header, isHistoric, form }
        return out.push({ _tag: "ReadBlock", peer, header, hash: this.#headers.hash(header), hasWitness })
      }
      case "More":
        return this.#serveLater(asker, now)
      case "Done":
        asker.queue = undefined
        if (served.missing !== undefined) {
          out.push({ _tag: "Send", peer, message: { _tag: "notfound", inventory: served.missing } })
        }
        return out.push({ _tag: "ReplyOwed", peer, owed: false })
      case "Refused":
        asker.queue = undefined
        return out.push({ _tag: "TooSlow", peer, reason: { _tag: "NotServed", because: served.because } })
    }
  }

  #serveLater(asker: Asker, now: Now): void {
    this.#serveNext.add(asker)
    this.#serveAt ??= now.instant
  }

  #read({ block, peer }: BlockSyncInput & { _tag: "BlockRead" }, now: Now, out: Outbox<BlockSyncOutput>): void {
    const asker = this.#askers.get(peer)
    const reading = asker?.reading
    if (asker === undefined || reading === undefined) return
    // It stays being read for the peer until the last of it was sent.
    if (block !== undefined && reading.form === "filtered") return out.push({ _tag: "GiveFiltered", peer, block })
    asker.reading = undefined
    if (block === undefined) {
      // Nothing is sent, so that nothing will be on its way.
      asker.queue?.lacks()
      return this.#serveLater(asker, now)
    }
    const { form, header, isHistoric } = reading
    if (form === "compact") out.push({ _tag: "GiveCompact", peer, header, block })
    else out.push({ _tag: "Send", peer, message: { _tag: "block", block }, isHistoric })
    this.#tellOfMore(asker, header, out)
  }

  #filteredGiven(
    { isSent, peer }: BlockSyncInput & { _tag: "FilteredGiven" },
    now: Now,
    out: Outbox<BlockSyncOutput>
  ): void {
    const asker = this.#askers.get(peer)
    const reading = asker?.reading
    if (asker === undefined || reading === undefined) return
    asker.reading = undefined
    if (isSent) this.#tellOfMore(asker, reading.header, out)
    else this.#serveLater(asker, now)
  }

  /** Who has fetched all that `getblocks` told it of is told of our tip, and asks again (Core `hashContinue`). */
  #tellOfMore(asker: Asker, header: number, out: Outbox<BlockSyncOutput>): void {
    if (header !== asker.goesOnAfter) return
    asker.goesOnAfter = -1
    const inventory = Inventory.ofType(MSG_BLOCK, [this.#headers.hash(this.#blocks.tip)])
    out.push({ _tag: "Send", peer: asker.peer, message: { _tag: "inv", inventory } })
  }

  #timeout(now: Now, out: Outbox<BlockSyncOutput>): void {
    this.#serveOne(now, out)
    this.#forgive(now.instant)
    if (this.#held) return
    const takeOverdue = (): Overdue | undefined => this.#download.takeOverdue(now.instant)
    for (let overdue = takeOverdue(); overdue !== undefined; overdue = takeOverdue()) {
      const { allowedMs, peer } = overdue
      this.#hungry.delete(peer)
      const _tag = overdue._tag === "Stalls" ? "BlockStalling" : "BlockTimeout"
      out.push({ _tag: "TooSlow", peer: peer.id, reason: { _tag, allowedMs } })
      this.#everybodyIsHungry()
    }
    if (this.#rescueAt === undefined || this.#rescueAt > now.instant) return
    this.#rescueAt = undefined
    this.#everybodyIsHungry()
    this.#fetch(now, out, this.#download.late(now.instant, this.#isCatchingUp))
  }

  #forgive(instant: Instant): void {
    if (this.#forgiveAt === undefined || this.#forgiveAt > instant) return
    const isAny = [...this.#download.peers].some(({ lacks }) => lacks.size > 0)
    this.#forgiveAt = isAny ? after(instant, LACKING_MS) : undefined
    if (!this.#download.forgive(instant)) return
    this.#everybodyIsHungry()
  }

  /** A turn's share of one peer's long list; the others have theirs in turns of their own. */
  #serveOne(now: Now, out: Outbox<BlockSyncOutput>): void {
    if (this.#serveAt === undefined || this.#serveAt > now.instant) return
    this.#serveAt = undefined
    const [asker] = this.#serveNext
    if (asker === undefined) return
    this.#serveNext.delete(asker)
    this.#serve(asker, now, out)
    if (this.#serveNext.size > 0) this.#serveAt = now.instant
  }
}

/** Below this a payload may lie in memory that others read into next: above, it has its own. */
const OWN_MEMORY_ABOVE_BYTES: number = 16 * 1024

/**
 * The block in memory that stays.
 *
 * Specification: nor does what came behind it in its message stay. Rationale: a peer could have us keep 4 MB for each small block, which count for
 * nothing anywhere.
 */
const owned = (block: BlockView): BlockView => {
  const { buffer, length } = block.bytes
  if (length > OWN_MEMORY_ABOVE_BYTES && buffer.byteLength === length) return block
  const decoded = BlockView.decode(copyOut(block.bytes))
  return decoded._tag === "Success" ? decoded.success.value : block
}
