/**
 * Which block is asked of whom. It keeps who was asked for what, and who holds up whom; it sends nothing and knows no messages.
 *
 * Specification: blocks are asked for in the order of the chain, each of one peer, and of a peer as many as it delivers in a few seconds by
 * what is measured of it. Rationale: fast peers carry most, a slow one holds up no more than it must, and what is read next comes first.
 *
 * Specification: who has room while all of the window is asked for, or for the one block that all others stand on, is asked for a block that
 * another is late with; of who delivers rather than of who never did; and where that comes to nothing one more after a while, the last of them
 * one that we chose. Rationale: one silent peer costs a moment and not its timeout, two a few seconds, and who dials us cannot keep a block from
 * us.
 *
 * Specification: no peer is asked for a block twice within a minute that it said it has not, or of which it sent another.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`FindNextBlocksToDownload`, `SendMessages`).
 */
import { type Instant, type PeerId, after, earliest } from "@satwire/machine"
import type { BlockTree } from "./BlockTree.ts"
import { BLOCK_DOWNLOAD_WINDOW, BlockWindow } from "./BlockWindow.ts"
import type { HeaderLookup, PeerChains } from "./ChainLookups.ts"
import { LATE_MS, type PeerBlocks, type Reach } from "./PeerBlocks.ts"
import {
  BLOCK_DOWNLOAD_TIMEOUT_BASE_MS,
  BLOCK_DOWNLOAD_TIMEOUT_PER_PEER_MS,
  BLOCK_STALLING_TIMEOUT_DEFAULT_MS,
  BLOCK_STALLING_TIMEOUT_MAX_MS,
  STALLING_TIMEOUT_DECAY
} from "./Timeouts.ts"
import type { WantedBlocks } from "./WantedBlocks.ts"

/** Core's `NODE_NETWORK_LIMITED_MIN_BLOCKS`, but two for what is found meanwhile. */
export const LIMITED_BLOCKS: number = 288 - 2
/**
 * How many peers are asked for one block at a time: two, and one more for each {@link ONE_MORE_AFTER_MS} that none of them sends it.
 *
 * @limit peers that are asked for one block at a time
 */
export const MAX_ASKED_FOR_BLOCK = 4
const ASKED_AT_FIRST = 2
/** After so long one more peer is asked for a block of which nobody knows when it comes. */
export const ONE_MORE_AFTER_MS = 5000
/**
 * How many blocks a peer may say that it lacks before it is asked for none.
 *
 * @limit blocks that a peer may say it lacks before it is asked for none
 */
export const MAX_LACKING = 64
/** What a block is taken for before any has come, in bytes. */
const FIRST_BLOCK_BYTES = 500_000
/** Of how many blocks, about, the mean is taken. */
const MEAN_BLOCKS = 32
/** How many late blocks, and blocks that were lost, are looked at for one peer. */
const LOOKED_AT = 64
/** How many peers are looked at that may help sooner. */
const HELPERS = 3

/**
 * How many bytes of blocks may have been asked for and not be kept yet, by what blocks have of late: what peers send at once has to be held.
 *
 * @limit bytes of blocks that were asked for and are not kept yet, of all peers
 */
export const MAX_BYTES_UNDER_WAY = 96_000_000

/** What may be asked for, and how long it may take. */
export interface DownloadBounds {
  /** {@link MAX_BYTES_UNDER_WAY} where not given. */
  readonly mostBytes?: number | undefined
  /** Instead of Core's `BLOCK_DOWNLOAD_TIMEOUT_BASE`, and what is added for each other peer that sends blocks in proportion. */
  readonly blockTimeoutMs?: number | undefined
}

export interface TakeOptions {
  /** Of blocks that have come and are not kept yet, or not taken by whom they are for. */
  readonly waitingBytes: number
  /** Whom they are for waits for the first that is missing. */
  readonly isStarving: boolean
  /** Our chain is far behind the present. */
  readonly isCatchingUp: boolean
  /** Blocks that others are late with, where it is looked for them. */
  readonly late: Late | undefined
}

/** What is late, and who could help soonest. */
export interface Late {
  readonly blocks: ReadonlyArray<LateBlock>
  readonly helpers: ReadonlyArray<Helper>
}

interface LateBlock {
  readonly header: number
  /** When it may be expected of who was asked for it. */
  readonly expected: number
}

interface Helper extends Looked {
  /** When it would send one block more. */
  readonly expected: number
}

export type Overdue =
  /** It keeps everything behind its block waiting. */
  | { readonly _tag: "Stalls"; readonly peer: PeerBlocks; readonly allowedMs: number }
  /** Its first block did not come. */
  | { readonly _tag: "Late"; readonly peer: PeerBlocks; readonly allowedMs: number }

/** A peer and its chain. */
interface Looked {
  readonly peer: PeerBlocks
  readonly reach: Reach
}

/** One peer is being looked after. */
interface Taking extends Looked {
  readonly now: Instant
  readonly taken: Array<number>
  room: number
}

export class BlockDownload {
  readonly #headers: HeaderLookup
  readonly #blocks: BlockTree
  readonly #chains: PeerChains
  readonly #wanted: WantedBlocks
  readonly #window: BlockWindow
  readonly #peers: Map<PeerId, PeerBlocks> = new Map()
  /** How many of them are preferred, and how many of those have all blocks. */
  #preferred = 0
  #preferredFull = 0
  /** Those that are asked for anything. */
  readonly #busy: Set<PeerBlocks> = new Set()
  /** Who is asked for a block, while anybody is. */
  readonly #asked: Map<number, Array<PeerBlocks>> = new Map()
  /** Blocks that have come and are not kept yet. */
  readonly #coming: Set<number> = new Set()
  /** Blocks that are to be fetched wherever they are: they were kept, or were not wanted before. */
  readonly #lost: Set<number> = new Set()
  /** Where blocks are judged before they are fetched: those that are worth it and have not come. */
  readonly #matching: Set<number> = new Set()
  /** Since when somebody could fetch more but for the first block of the window. */
  #heldUpSince: Instant | undefined = undefined
  /** The end of the chain that is fetched. */
  #target = 0
  #isWorthwhile = false
  /** Grows whenever a block beside the window is missing again. */
  #asideEpoch = 0
  #meanBytes = FIRST_BLOCK_BYTES
  #meanOf = 0
  #stallingMs = BLOCK_STALLING_TIMEOUT_DEFAULT_MS
  readonly #mostBytes: number
  /** What Core's time for a block is multiplied by. */
  readonly #patience: number

  constructor(
    headers: HeaderLookup,
    blocks: BlockTree,
    chains: PeerChains,
    wanted: WantedBlocks,
    { blockTimeoutMs = BLOCK_DOWNLOAD_TIMEOUT_BASE_MS, mostBytes = MAX_BYTES_UNDER_WAY }: DownloadBounds = {}
  ) {
    this.#headers = headers
    this.#blocks = blocks
    this.#chains = chains
    this.#wanted = wanted
    this.#mostBytes = mostBytes
    this.#patience = blockTimeoutMs / BLOCK_DOWNLOAD_TIMEOUT_BASE_MS
    this.#window = new BlockWindow(headers, (header) => this.#isMissing(header))
    this.#choose()
    this.rewind()
  }

  get peerCount(): number {
    return this.#peers.size
  }

  /** How many blocks were asked for and have not come. */
  get askedCount(): number {
    return this.#asked.size
  }

  get peers(): Iterable<PeerBlocks> {
    return this.#peers.values()
  }

  /** The height up to which blocks are to be fetched. */
  get targetHeight(): number {
    return Math.min(this.#headers.height(this.#target), this.#wanted.to ?? Infinity)
  }

  /** Whether nothing is held for any peer. */
  get isEmpty(): boolean {
    return this.#peers.size === 0 && this.#busy.size === 0 && this.#asked.size === 0 && this.#preferred === 0
  }

  peer(id: PeerId): PeerBlocks | undefined {
    return this.#peers.get(id)
  }

  add(peer: PeerBlocks): void {
    this.#peers.set(peer.id, peer)
    this.#count(peer, 1)
  }

  delete(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#peers.delete(id)
    this.#busy.delete(peer)
    this.#count(peer, -1)
    for (const header of peer.asked.keys()) this.#release(header, peer)
  }

  #count(peer: PeerBlocks, by: 1 | -1): void {
    if (!peer.isPreferred) return
    this.#preferred += by
    if (!peer.isLimited) this.#preferredFull += by
  }

  /** The first block that is missing of the chain that is fetched, or -1. */
  get first(): number {
    return this.#isWorthwhile && this.#window.base < this.#window.end ? this.#window.at(this.#window.base) : -1
  }

  /**
   * Who is known not to give a block that its chain has, where nobody does: who is asked for it, or may be, is somebody. Of whose chain it is
   * not may have it later.
   */
  whoLacks(header: number): ReadonlyArray<PeerId> {
    if (this.#asked.has(header) || this.#coming.has(header)) return []
    const lacking: Array<PeerId> = []
    for (const peer of this.#peers.values()) {
      const reach = this.#reachOf(peer)
      if (reach?.isEnough !== true || !this.#headers.isAncestor(header, reach.best)) continue
      if (!this.#lacksTooMuch(peer) && this.#canGive({ peer, reach }, header)) return []
      lacking.push(peer.id)
    }
    return lacking
  }

  /** Whether as much has come, and is not kept or taken yet, as may be under way. */
  isFull(waitingBytes: number): boolean {
    return waitingBytes >= this.#mostBytes
  }

  /** Whether this block was asked of anybody. */
  isAsked(header: number): boolean {
    return this.#asked.has(header)
  }

  /** Who is asked for this block. */
  askedOf(header: number): ReadonlyArray<PeerId> {
    return (this.#asked.get(header) ?? NOBODY).map(({ id }) => id)
  }

  /** A peer is bringing a block of its own accord, or was asked for it elsewhere. */
  claim(peer: PeerBlocks, header: number, now: Instant): void {
    if (!peer.asked.has(header)) this.#note(peer, header, now)
  }

  /** Another chain may have the most work, or more of it is known. */
  headersMoved(): void {
    const headers = this.#headers
    const before = this.#target
    this.#choose()
    if (!headers.isAncestor(before, this.#target)) return this.rewind()
    this.#window.reach(this.#target, this.targetHeight)
    this.#advance()
  }

  #choose(): void {
    const { best, params } = this.#headers
    this.#target = best
    this.#isWorthwhile = this.#headers.chainWork(best) >= params.minimumChainWork
  }

  /** Begins anew where the followed chain leaves the one that is fetched. */
  rewind(): void {
    const fork = this.#headers.fork(this.#blocks.tip, this.#target)
    const base = Math.max(this.#headers.height(fork) + 1, this.#wanted.from)
    this.#heldUpSince = undefined
    this.#window.begin(base, this.#target, this.targetHeight)
    this.#advance()
  }

  /** A block has come of a peer: nobody else's to bring any more, though others that were asked may. */
  arrived(header: number): void {
    this.#coming.add(header)
    this.#window.setOpen(header, false)
  }

  /** A block of so many bytes was one. */
  measured(sizeBytes: number): void {
    this.#meanOf = Math.min(MEAN_BLOCKS, this.#meanOf + 1)
    this.#meanBytes += (sizeBytes - this.#meanBytes) / this.#meanOf
  }

  /** A peer has sent what it was asked for, or said that it cannot. Gives whether it was asked. */
  answered(header: number, peer: PeerBlocks, sizeBytes: number, now: Instant): boolean {
    if (!peer.answered(header, sizeBytes, now)) return false
    if (peer.asked.size === 0) this.#busy.delete(peer)
    this.#release(header, peer)
    return true
  }

  /** A block is kept. */
  kept(header: number): void {
    this.#coming.delete(header)
    this.#lost.delete(header)
    this.#matching.delete(header)
    this.#window.setOpen(header, false)
    this.#advance()
  }

  /** A block is worth being fetched, where that is judged of each. */
  matches(header: number): void {
    this.#matching.add(header)
    this.#reopen(header)
  }

  /** Blocks count as here that nobody is asked for. */
  passed(): void {
    this.#advance()
  }

  /** What came is of no use: the block is as missing as before. */
  refused(header: number): void {
    this.#coming.delete(header)
    this.#reopen(header)
  }

  /** Whether a block is to be fetched that is kept no more, or was not wanted. */
  isLost(header: number): boolean {
    return this.#lost.has(header)
  }

  /** A block that was kept is to be fetched again, or one that was not wanted is now. */
  lost(header: number): void {
    this.#lost.add(header)
    this.#reopen(header)
  }

  /** A block need not be fetched again. */
  notLost(header: number): void {
    this.#lost.delete(header)
  }

  /** So many blocks have joined the followed chain: peers are fast enough. */
  joined(count: number): void {
    this.#stallingMs = Math.max(BLOCK_STALLING_TIMEOUT_DEFAULT_MS, STALLING_TIMEOUT_DECAY ** count * this.#stallingMs)
  }

  /** Peers may be asked again for what they said they had not. Gives whether any may. */
  forgive(now: Instant): boolean {
    let isAny = false
    for (const peer of this.#peers.values()) {
      if (peer.lacks.size > 0 && peer.forgive(now)) isAny = true
    }
    if (isAny) this.#asideEpoch += 1
    return isAny
  }

  /** Nothing could come for a while, by our doing: nobody is late for that. */
  beginAgain(now: Instant): void {
    for (const peer of this.#busy) peer.beginAgain(now)
    if (this.#heldUpSince !== undefined) this.#heldUpSince = now
  }

  /** What the peer is to be asked for now. It counts as asked. */
  take(peer: PeerBlocks, now: Instant, options: TakeOptions): ReadonlyArray<number> {
    const { isCatchingUp, isStarving, late, waitingBytes } = options
    if (!this.#isWorthwhile || !this.#mayAsk(peer, isCatchingUp)) return NOTHING
    const roomOfAll = this.#roomOfAll(peer, waitingBytes)
    const isFull = roomOfAll <= 0
    const room = Math.min(peer.room(this.#meanBytes), isFull && isStarving ? 1 : roomOfAll)
    if (room <= 0) return NOTHING
    const reach = this.#reachOf(peer)
    if (reach?.isEnough !== true) return NOTHING
    const taking: Taking = { peer, reach, now, taken: [], room }
    if (this.#lost.size > 0) this.#takeLost(taking)
    if (isFull) return this.#takeFirst(taking, late)
    if (late !== undefined) this.#rescueFirst(taking, late)
    if (this.#headers.compareWork(reach.best, this.#blocks.tip) > 0) {
      this.#takeFromWindow(taking)
      if (reach.common < this.#headers.height(reach.best)) this.#takeAside(taking)
    }
    if (late !== undefined) this.#rescue(taking, late)
    if (taking.taken.length === 0 && this.#isAllAsked(taking)) this.#lookWhoHoldsUp(taking)
    return taking.taken
  }

  /**
   * Specification: while there is no room for more and somebody waits for the first block that is missing, that one alone is asked for.
   * Rationale: nothing else makes room.
   */
  #takeFirst(taking: Taking, late: Late | undefined): ReadonlyArray<number> {
    const { base, end } = this.#window
    const first = base < end ? this.#window.at(base) : -1
    if (taking.room <= 0 || first < 0) return taking.taken
    if (this.#isMissing(first)) {
      if (this.#canGive(taking, first)) this.#ask(taking, first)
    } else if (late !== undefined) {
      this.#rescue(taking, { ...late, blocks: late.blocks.filter(({ header }) => header === first) })
    }
    if (taking.taken.length === 0 && this.#canGive(taking, first)) this.#lookWhoHoldsUp(taking)
    return taking.taken
  }

  /**
   * How many blocks more may be under way of all peers. Who was asked for nothing is asked for one while what has come is less than half of what
   * may, so that many slow peers are kept busy.
   */
  #roomOfAll(peer: PeerBlocks, waitingBytes: number): number {
    const underWay = waitingBytes + this.#asked.size * this.#meanBytes
    const room = Math.floor((this.#mostBytes - underWay) / this.#meanBytes)
    return peer.asked.size === 0 && 2 * waitingBytes < this.#mostBytes ? Math.max(1, room) : room
  }

  /** Blocks that have been waited for longer than is usual of who was asked for them, the lowest first. */
  late(now: Instant, isCatchingUp: boolean): Late {
    const expected = new Map<number, number>()
    const helpers: Array<Helper> = []
    const mean = this.#meanBytes
    for (const peer of this.#peers.values()) {
      // One that is asked for nothing helps where it ever delivered; one that never did is nobody to wait for.
      const isStuck = peer.asked.size > 0 ? peer.expected(1, mean, now) === Infinity : peer.rate === undefined
      const reach = isStuck || !this.#mayAsk(peer, isCatchingUp) ? undefined : this.#reachOf(peer)
      if (reach?.isEnough === true) helpers.push({ peer, reach, expected: peer.expectedNext(mean, now) })
    }
    for (const peer of this.#busy) {
      let place = 0
      for (const [header, at] of peer.asked) {
        place += 1
        if (now - at <= LATE_MS || this.#hasCome(header)) continue
        const soonest = Math.min(expected.get(header) ?? Infinity, peer.expected(place, mean, now))
        if (this.#mayAskOneMore(header, now)) expected.set(header, soonest)
      }
    }
    const height = ({ header }: LateBlock): number => this.#headers.height(header)
    return {
      blocks: Array.from(expected, ([header, soonest]) => ({ header, expected: soonest }))
        .toSorted((a, b) => height(a) - height(b))
        .slice(0, LOOKED_AT),
      helpers: helpers.toSorted((a, b) => a.expected - b.expected).slice(0, HELPERS)
    }
  }

  nextTimeout(): Instant | undefined {
    let first: Instant | undefined = undefined
    for (const peer of this.#holdingUp()) first = earliest(first, this.#stallsAt(peer))
    for (const { firstSince } of this.#busy) {
      if (firstSince !== undefined) first = earliest(first, after(firstSince, this.#downloadMs))
    }
    return first
  }

  /** A peer whose time is over; each is given once, and is to go. */
  takeOverdue(now: Instant): Overdue | undefined {
    for (const peer of this.#holdingUp()) {
      if (this.#stallsAt(peer) > now) continue
      const allowedMs = this.#stallingMs
      this.#stallingMs = Math.min(BLOCK_STALLING_TIMEOUT_MAX_MS, 2 * allowedMs)
      this.delete(peer.id)
      return { _tag: "Stalls", peer, allowedMs }
    }
    const allowedMs = this.#downloadMs
    for (const peer of this.#busy) {
      if (peer.firstSince === undefined || after(peer.firstSince, allowedMs) > now) continue
      this.delete(peer.id)
      return { _tag: "Late", peer, allowedMs }
    }
    return undefined
  }

  /** Those who were asked for the block that holds all up, while one does. */
  #holdingUp(): ReadonlyArray<PeerBlocks> {
    const { base, end } = this.#window
    if (this.#heldUpSince === undefined || base === end) return NOBODY
    const header = this.#window.at(base)
    return this.#coming.has(header) ? NOBODY : (this.#asked.get(header) ?? NOBODY)
  }

  /**
   * Specification: who was asked for the block that holds all up has its time from when it did, or was asked, or sent another block.
   * Rationale: as in Core; who sends is slow, and does not stall.
   */
  #stallsAt(peer: PeerBlocks): Instant {
    const asked = peer.asked.get(this.#window.at(this.#window.base)) ?? 0
    const since = Math.max(this.#heldUpSince ?? 0, asked, peer.anySince ?? 0) as Instant
    return after(since, this.#stallingMs)
  }

  /** Core's rule: more where others send blocks too. */
  get #downloadMs(): number {
    return (
      this.#patience * (BLOCK_DOWNLOAD_TIMEOUT_BASE_MS + BLOCK_DOWNLOAD_TIMEOUT_PER_PEER_MS * (this.#busy.size - 1))
    )
  }

  /**
   * Specification: while we catch up, who connected to us of its own accord, or keeps the last blocks only, is asked where there is nobody
   * else, or all others are asked for nothing. Rationale: as in Core; who is chosen at random is more to be trusted, and may have nothing.
   */
  #mayAsk(peer: PeerBlocks, isCatchingUp: boolean): boolean {
    if (this.#lacksTooMuch(peer)) return false
    if (!isCatchingUp || this.#asked.size === 0) return true
    return peer.isPreferred ? !peer.isLimited || this.#preferredFull === 0 : this.#preferred === 0
  }

  #lacksTooMuch({ lacks }: PeerBlocks): boolean {
    if (lacks.size < MAX_LACKING) return false
    for (const header of lacks.keys()) if (this.#blocks.isHere(header)) lacks.delete(header)
    return lacks.size >= MAX_LACKING
  }

  #reachOf(peer: PeerBlocks): Reach | undefined {
    const headers = this.#headers
    const best = this.#chains.bestOf(peer.id)
    if (best < 0) return undefined
    const target = this.#target
    if (peer.reach?.best !== best || peer.reach.target !== target) {
      const common = headers.height(headers.fork(best, target))
      const isEnough = headers.chainWork(best) >= headers.params.minimumChainWork
      peer.reach = { best, target, common, isEnough }
    }
    return peer.reach
  }

  #isMissing(header: number): boolean {
    if (this.#asked.has(header) || this.#hasCome(header)) return false
    return this.#lost.has(header) || !this.#wanted.isFiltered || this.#matching.has(header)
  }

  /** Whether nobody need send a block, though somebody who was asked for it may be about to. */
  #hasCome(header: number): boolean {
    if (this.#coming.has(header)) return true
    return this.#lost.has(header) ? this.#blocks.isKept(header) : this.#blocks.isHere(header)
  }

  /** The lowest block that the peer has. */
  #lowestOf({ peer, reach }: Looked): number {
    return peer.isLimited ? this.#headers.height(reach.best) - LIMITED_BLOCKS + 1 : 0
  }

  #canGive(looked: Looked, header: number): boolean {
    const { peer, reach } = looked
    if (peer.asked.has(header) || peer.lacks.has(header) || this.#hasCome(header)) return false
    return this.#headers.height(header) >= this.#lowestOf(looked) && this.#headers.isAncestor(header, reach.best)
  }

  #takeLost(taking: Taking): void {
    let looked = 0
    for (const header of this.#lost) {
      if (taking.room <= 0 || ++looked > LOOKED_AT) return
      // One at the front that this peer cannot give, and maybe nobody can, is not to be in the way of others for ever.
      if (!this.#isMissing(header) || !this.#headers.isValid(header) || !this.#canGive(taking, header)) {
        this.#lost.delete(header)
        this.#lost.add(header)
      } else this.#ask(taking, header)
    }
  }

  /** The lowest open blocks: beside those that it takes it meets no more than it lacks. */
  #takeFromWindow(taking: Taking): void {
    const { peer, reach } = taking
    const window = this.#window
    let height = window.nextOpen(this.#lowestOf(taking), reach.common)
    while (taking.room > 0 && height >= 0) {
      const header = window.at(height)
      if (!peer.lacks.has(header)) this.#ask(taking, header)
      height = window.nextOpen(height + 1, reach.common)
    }
  }

  /** Blocks of a chain that is not the one of most work and has more than ours: the peers of the other may give none. */
  #takeAside(taking: Taking): void {
    const headers = this.#headers
    const { peer, reach } = taking
    const { best, common } = reach
    if (!headers.isValid(best)) return
    const fork = headers.height(headers.fork(best, this.#blocks.tip))
    const first = Math.max(common, fork, this.#wanted.from - 1) + 1
    const to = Math.min(headers.height(best), fork + BLOCK_DOWNLOAD_WINDOW, this.#wanted.to ?? Infinity)
    const epoch = this.#asideEpoch
    const isKnown = peer.aside?.best === best && peer.aside.epoch === epoch
    let height = Math.max(first, isKnown ? (peer.aside?.height ?? 0) : 0)
    for (; taking.room > 0 && height <= to; height++) {
      const header = headers.ancestor(best, height)
      if (this.#isMissing(header) && this.#canGive(taking, header)) this.#ask(taking, header)
    }
    peer.aside = { best, epoch, height }
  }

  /**
   * Blocks that others are late with.
   *
   * Specification: a slow peer leaves them to one that would send them sooner, though that has no room at this moment. Rationale: a block is
   * asked of two at most, and the second is the last.
   */
  #rescue(taking: Taking, late: Late): void {
    for (const block of late.blocks) {
      if (taking.room <= 0) return
      this.#rescueOne(taking, block, late)
    }
  }

  /** The block that all others stand on, before anything new is asked for. */
  #rescueFirst(taking: Taking, late: Late): void {
    const { base, end } = this.#window
    const [first] = late.blocks
    if (base < end && first?.header === this.#window.at(base)) this.#rescueOne(taking, first, late)
  }

  #rescueOne(taking: Taking, { expected, header }: LateBlock, { helpers }: Late): void {
    const { now, peer } = taking
    const asked = this.#asked.get(header)
    if (asked === undefined || !this.#mayAskOneMore(header, now) || !this.#canGive(taking, header)) return
    // Two that send, however slowly, are enough.
    if (asked.length >= ASKED_AT_FIRST && expected !== Infinity) return
    const isLast = asked.length === MAX_ASKED_FOR_BLOCK - 1
    if (isLast && !peer.isPreferred && this.#preferred > 0 && !asked.some((other) => other.isPreferred)) return
    // Of one that never delivered nobody knows when it would.
    const mine = peer.rate === undefined ? Infinity : peer.expectedNext(this.#meanBytes, now)
    if (mine !== Infinity && expected <= mine + LATE_MS) return
    const isSooner = (other: Helper): boolean => other.expected + LATE_MS < mine && this.#canGive(other, header)
    if (!helpers.some(isSooner)) this.#ask(taking, header)
  }

  /** Whether one more peer may be asked for a block: two at once, and one more for each few seconds that nothing comes. */
  #mayAskOneMore(header: number, now: Instant): boolean {
    const asked = this.#asked.get(header)
    const first = asked?.[0]?.asked.get(header)
    if (asked === undefined || first === undefined) return false
    const more = Math.floor((now - first) / ONE_MORE_AFTER_MS)
    return asked.length < Math.min(MAX_ASKED_FOR_BLOCK, ASKED_AT_FIRST + more)
  }

  /** Whether the window is full, and the peer has what lies behind it. */
  #isAllAsked(taking: Taking): boolean {
    const { base, end } = this.#window
    if (base === end || end > this.targetHeight || this.#window.nextOpen(base, end) >= 0) return false
    return taking.reach.common >= end && this.#lowestOf(taking) <= end
  }

  /** The peer can be asked for nothing more: all wait for who was asked for the first block of the window. */
  #lookWhoHoldsUp({ now, peer }: Taking): void {
    const { base } = this.#window
    if (this.#asked.get(this.#window.at(base))?.includes(peer) === false) this.#heldUpSince ??= now
  }

  #ask(taking: Taking, header: number): void {
    this.#note(taking.peer, header, taking.now)
    taking.taken.push(header)
    taking.room -= 1
  }

  #note(peer: PeerBlocks, header: number, now: Instant): void {
    peer.ask(header, now)
    this.#busy.add(peer)
    this.#window.setOpen(header, false)
    const asked = this.#asked.get(header)
    if (asked === undefined) this.#asked.set(header, [peer])
    else asked.push(peer)
  }

  /** A peer is no longer to bring a block. Where nobody else is, it is missing again. */
  #release(header: number, peer: PeerBlocks): void {
    const asked = this.#asked.get(header)
    if (asked === undefined) return
    const others = asked.length === 1 ? NOBODY : asked.filter((other) => other !== peer)
    if (others.length > 0) return void this.#asked.set(header, [...others])
    this.#asked.delete(header)
    this.#reopen(header)
  }

  #reopen(header: number): void {
    if (this.#isMissing(header) && !this.#window.setOpen(header, true)) this.#asideEpoch += 1
  }

  #advance(): void {
    const isHere = (header: number): boolean => this.#blocks.isHere(header)
    if (this.#window.advance(isHere, this.#target, this.targetHeight)) this.#heldUpSince = undefined
  }
}

const NOTHING: ReadonlyArray<number> = []
const NOBODY: ReadonlyArray<PeerBlocks> = []
