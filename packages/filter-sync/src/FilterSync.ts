/**
 * Finds the blocks that have to do with some scripts without having the blocks: by their filters (BIP-0158), of which it compares the headers
 * that several peers give (BIP-0157 §"Client Operation"). It fetches no blocks; it says which are worth it.
 *
 * ```
 *   checkpoints ─▶ headers of a stretch, of several peers ─▶ filters of the stretch ─▶ BlockJudged, each
 *        ▲                │ they differ                             │
 *        │                ▼                                         │
 *        │         dispute: filters and block ──▶ who lied is gone  │
 *        └── one has other headers before ◀──────── next stretch ◀──┘
 * ```
 *
 * Specification: a stretch is taken when all peers that were asked say the same; who says otherwise is found out by the first block of which
 * they say so. Rationale: with one honest peer among them no filter is believed that leaves out what a block pays to.
 *
 * Specification: a false filter is proven by the block's outputs alone. What else differs cannot be told without coins: then most peers are
 * believed, and the block is fetched in any case. Rationale: what an input spends is not in the block, see `FalseFilter.ts`.
 */
import { copyOut, equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { decodeBasicFilter, filterHash } from "@satwire/filters"
import { type Instant, type Machine, type Now, type Outbox, type PeerId, after, assert } from "@satwire/machine"
import {
  BASIC_FILTER_TYPE,
  CFCHECKPT_INTERVAL,
  type CFCheckpt,
  type CFHeaders,
  type CFilter,
  MAX_GETCFHEADERS_SIZE,
  MAX_GETCFILTERS_SIZE,
  NODE_COMPACT_FILTERS
} from "@satwire/wire"
import * as Result from "effect/Result"
import { AgreedHeaders } from "./AgreedHeaders.ts"
import { Dispute, type Version } from "./Dispute.ts"
import { FilterFetch } from "./FilterFetch.ts"
import type { FilterHeaderLookup, FilterPeerChains, JudgedRange } from "./FilterLookups.ts"
import { FILTER_TIMEOUT_MS, type BadFilter, type FilterSyncInput, type FilterSyncOutput } from "./FilterSyncEvents.ts"
import { Round } from "./Round.ts"

/**
 * Peers whose filter headers are compared.
 *
 * @limit peers whose filter headers are compared
 */
export const MAX_COMPARED_PEERS = 8

export interface FilterSyncOptions {
  readonly sha256: Sha256
  readonly headers: FilterHeaderLookup
  readonly chains: FilterPeerChains
  /** Which blocks are judged; it may be another after headers moved. */
  readonly range: () => JudgedRange
  /** What is looked for: output scripts that blocks pay to or spend. */
  readonly scripts: ReadonlyArray<Uint8Array>
  /** How many peers must be there to compare before anything is believed. */
  readonly leastPeers: number
}

export interface FilterSyncSnapshot {
  /** The height up to which filter headers are agreed on; -1 for none. */
  readonly agreedHeight: number
  /** Peers that offer filters. */
  readonly peers: number
  readonly leastPeers: number
}

interface FilterPeer {
  readonly id: PeerId
  /** It had other headers before; another time it is let go. */
  hasContested: boolean
}

interface Stretch {
  /** Height of its first block. */
  readonly first: number
  /** The header of its last block. */
  readonly stop: number
}

type Stage =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Checkpoints"; readonly stop: number; readonly round: Round<Uint8Array> }
  | ({ readonly _tag: "Headers"; readonly round: Round<Uint8Array> } & Stretch)
  | ({
      readonly _tag: "Disputed"
      readonly dispute: Dispute
      readonly answers: Map<PeerId, Uint8Array>
    } & Stretch)
  | ({ readonly _tag: "Filters"; readonly fetch: FilterFetch; readonly hashes: Uint8Array } & Stretch)

type Out = Outbox<FilterSyncOutput>

const IDLE: Stage = { _tag: "Idle" }

export class FilterSync implements Machine<FilterSyncInput, FilterSyncOutput> {
  readonly #options: FilterSyncOptions
  readonly #headers: FilterHeaderLookup
  readonly #agreed: AgreedHeaders
  readonly #peers: Map<PeerId, FilterPeer> = new Map()
  readonly #scripts: Array<Uint8Array>
  #stage: Stage = IDLE
  /** Up to which height filter headers are looked at by checkpoints alone, before the first stretch; `undefined` once that is done. */
  #reviewTo: (() => number) | undefined

  constructor(options: FilterSyncOptions) {
    this.#options = options
    this.#headers = options.headers
    this.#scripts = [...options.scripts]
    this.#agreed = new AgreedHeaders(options.headers, options.sha256)
    // Where the tree begins in the middle nobody knows what was before; see `#previous`.
    this.#reviewTo = () => options.range().from - 1
  }

  /** Whether nothing is held for any peer. */
  get isEmpty(): boolean {
    return this.#peers.size === 0
  }

  snapshot(): FilterSyncSnapshot {
    return { agreedHeight: this.#agreed.height, peers: this.#peers.size, leastPeers: this.#options.leastPeers }
  }

  nextTimeout(): Instant | undefined {
    const stage = this.#stage
    switch (stage._tag) {
      case "Idle":
        return undefined
      case "Checkpoints":
      case "Headers":
        return stage.round.until
      case "Disputed":
        return stage.dispute.until
      case "Filters":
        return stage.fetch.nextTimeout()
    }
  }

  handle(input: FilterSyncInput, now: Now, out: Out): void {
    switch (input._tag) {
      case "PeerReady":
        if ((input.services & NODE_COMPACT_FILTERS) !== 0n) {
          this.#peers.set(input.peer, { id: input.peer, hasContested: false })
        }
        return
      case "PeerGone":
        return this.#leave(input.peer, out)
      case "Received":
        return this.#received(input.peer, input.message, now, out)
      case "HeadersMoved":
        return this.#headersMoved()
      case "Watch":
        this.#scripts.push(...input.scripts)
        return
      case "BlockSeen":
        if (this.#stage._tag === "Disputed" && this.#stage.dispute.header === input.header) {
          this.#stage.dispute.block = input.block
        }
        return
      case "TurnEnds":
        return this.#goOn(now, out)
      case "Timeout":
        this.#timeout(now, out)
        return this.#goOn(now, out)
    }
  }

  /** Nothing that was under way counts where it is of a chain that is not the best any more. */
  #headersMoved(): void {
    const stage = this.#stage
    if (stage._tag !== "Idle" && !this.#headers.isAncestor(stage.stop, this.#headers.best)) this.#stage = IDLE
    if (!this.#agreed.follow()) this.#beginAnew(() => this.#options.range().from - 1)
  }

  #beginAnew(reviewTo: () => number): void {
    this.#stage = IDLE
    this.#reviewTo = reviewTo
  }

  /** Ends what can be ended, and begins what can be begun. */
  #goOn(now: Now, out: Out): void {
    for (let before: Stage | undefined = undefined; before !== this.#stage;) {
      before = this.#stage
      this.#step(now, out)
    }
  }

  #step(now: Now, out: Out): void {
    const stage = this.#stage
    switch (stage._tag) {
      case "Idle":
        return this.#begin(now, out)
      case "Checkpoints":
        if (stage.round.isOver) this.#anchor(stage.stop, [...stage.round.answers.values()])
        return
      case "Headers":
        if (stage.round.isOver) this.#compare(stage, stage.round.answers, now, out)
        return
      case "Disputed":
        if (stage.dispute.isReady) this.#settle(stage, out)
        return
      case "Filters":
        if (stage.fetch.isDone) {
          this.#agreed.extend(stage.stop, stage.hashes)
          this.#stage = IDLE
        } else this.#ask(stage.fetch, stage.stop, now, out)
        return
    }
  }

  #begin(now: Now, out: Out): void {
    // While the first block that is wanted is still to come its checkpoints are too.
    if (this.#headers.height(this.#headers.best) < this.#options.range().from) return
    if (this.#reviewTo !== undefined) {
      const height = Math.min(this.#reviewTo(), this.#headers.height(this.#headers.best))
      const rounded = height - (height % CFCHECKPT_INTERVAL)
      if (rounded >= CFCHECKPT_INTERVAL && this.#headers.height(0) === 0) return this.#review(rounded, now, out)
      this.#anchor(-1, [])
    }
    this.#beginStretch(now, out)
  }

  #review(height: number, now: Now, out: Out): void {
    const stop = this.#headers.ancestor(this.#headers.best, height)
    const peers = this.#whoHas(stop)
    if (peers.length < this.#options.leastPeers) return
    this.#stage = { _tag: "Checkpoints", stop, round: new Round(peers, after(now.instant, FILTER_TIMEOUT_MS)) }
    const stopHash = this.#headers.hash(stop)
    const message = { _tag: "getcfcheckpt", filterType: BASIC_FILTER_TYPE, stopHash } as const
    for (const peer of peers) out.push({ _tag: "Send", peer, message })
  }

  #beginStretch(now: Now, out: Out): void {
    const headers = this.#headers
    const first = Math.max(this.#agreed.height, headers.height(0) - 1) + 1
    const last = this.#lastOf(first)
    if (last < first) return
    const stop = headers.ancestor(headers.best, last)
    const peers = this.#whoHas(stop)
    if (peers.length < this.#options.leastPeers) return
    const round = new Round<Uint8Array>(peers, after(now.instant, FILTER_TIMEOUT_MS))
    this.#stage = { _tag: "Headers", first, stop, round }
    const query = { filterType: BASIC_FILTER_TYPE, startHeight: first, stopHash: headers.hash(stop) }
    for (const peer of peers) out.push({ _tag: "Send", peer, message: { _tag: "getcfheaders", ...query } })
  }

  /** The height of the last block of a stretch: below what is judged it is all headers. */
  #lastOf(first: number): number {
    const { from, to = Infinity } = this.#options.range()
    const end = Math.min(this.#headers.height(this.#headers.best), to)
    if (first < from) return Math.min(end, from - 1, first + MAX_GETCFHEADERS_SIZE - 1)
    return Math.min(end, first + MAX_GETCFILTERS_SIZE - 1)
  }

  /** Peers that are known to have a block. */
  #whoHas(header: number): ReadonlyArray<PeerId> {
    const has = (peer: PeerId): boolean => {
      const best = this.#options.chains.bestOf(peer)
      return best >= 0 && this.#headers.isAncestor(header, best)
    }
    return [...this.#peers.keys()].filter(has).slice(0, MAX_COMPARED_PEERS)
  }

  /** Begins where all checkpoints are the same last: who lied about the rest is found out by what follows. */
  #anchor(stop: number, answers: ReadonlyArray<Uint8Array>): void {
    this.#stage = IDLE
    const [one] = answers
    // All have left: somebody else will be asked.
    if (stop >= 0 && one === undefined) return
    this.#reviewTo = undefined
    const same = one === undefined ? 0 : firstDifference(answers)
    const header =
      same === 0 ? -1 : this.#headers.ancestor(stop, Math.min(this.#headers.height(stop), same * CFCHECKPT_INTERVAL))
    this.#agreed.begin(header, one?.subarray(32 * (same - 1), 32 * same) ?? NOTHING)
  }

  #received(id: PeerId, message: CFCheckpt | CFHeaders | CFilter, now: Now, out: Out): void {
    const peer = this.#peers.get(id)
    if (peer === undefined || message.filterType !== BASIC_FILTER_TYPE) return
    switch (message._tag) {
      case "cfcheckpt":
        return this.#checkpoints(id, message, out)
      case "cfheaders":
        return this.#filterHeaders(peer, message, out)
      case "cfilter":
        return this.#filter(id, message, now, out)
    }
  }

  #checkpoints(peer: PeerId, { filterHeaders, stopHash }: CFCheckpt, out: Out): void {
    const stage = this.#stage
    if (stage._tag !== "Checkpoints" || !this.#isAnswer(stage, peer, stopHash)) return
    const height = this.#headers.height(stage.stop)
    if (filterHeaders.count !== height / CFCHECKPT_INTERVAL) return this.#blame(peer, "wrong-count", height, out)
    stage.round.answered(peer, copyOut(filterHeaders.raw))
  }

  #filterHeaders(peer: FilterPeer, { filterHashes, previousFilterHeader, stopHash }: CFHeaders, out: Out): void {
    const stage = this.#stage
    if (stage._tag !== "Headers" || !this.#isAnswer(stage, peer.id, stopHash)) return
    const height = this.#headers.height(stage.stop)
    if (filterHashes.count !== height - stage.first + 1) return this.#blame(peer.id, "wrong-count", height, out)
    if (!this.#isPrevious(stage.first, previousFilterHeader)) return this.#contested(peer, out)
    stage.round.answered(peer.id, copyOut(filterHashes.raw))
  }

  #isAnswer(stage: { stop: number; round: Round<Uint8Array> }, peer: PeerId, stopHash: Uint8Array): boolean {
    return stage.round.isWaitedFor(peer) && equals(stopHash, this.#headers.hash(stage.stop))
  }

  /** Whether this is the filter header before a stretch. Where the tree of headers begins in the middle the first that says so is believed. */
  #isPrevious(first: number, filterHeader: Uint8Array): boolean {
    if (this.#agreed.height < 0 && first > 0) this.#agreed.beginAt(first - 1, filterHeader)
    return equals(filterHeader, this.#agreed.last)
  }

  /** The peer has other filters before, though it may be us who were told lies when it was not there. All is looked at again, once for each peer. */
  #contested(peer: FilterPeer, out: Out): void {
    const { height } = this.#agreed
    if (peer.hasContested || this.#headers.height(0) > 0) return this.#disagrees(peer.id, height, out)
    peer.hasContested = true
    this.#beginAnew(() => height)
  }

  #compare({ first, stop }: Stretch, answers: Map<PeerId, Uint8Array>, now: Now, out: Out): void {
    const lists = [...answers.values()]
    const [one] = lists
    if (one === undefined) {
      this.#stage = IDLE
      return
    }
    const same = firstDifference(lists)
    if (same < one.length / 32) return this.#dispute({ first, stop }, answers, first + same, now, out)
    const judgedFrom = Math.max(first, this.#options.range().from)
    const last = this.#headers.height(stop)
    if (judgedFrom > last) {
      this.#agreed.extend(stop, one)
      this.#stage = IDLE
    } else this.#stage = { _tag: "Filters", first, stop, hashes: one, fetch: new FilterFetch(judgedFrom, last) }
  }

  #dispute({ first, stop }: Stretch, answers: Map<PeerId, Uint8Array>, height: number, now: Now, out: Out): void {
    const header = this.#headers.ancestor(stop, height)
    const dispute = new Dispute(header, height, after(now.instant, FILTER_TIMEOUT_MS))
    const at = 32 * (height - first)
    for (const [peer, hashes] of answers) dispute.add(peer, hashes.subarray(at, at + 32))
    this.#stage = { _tag: "Disputed", first, stop, dispute, answers }
    for (const version of dispute.versions) this.#askForVersion(dispute, version, out)
    out.push({ _tag: "FetchBlock", header })
  }

  #askForVersion({ header, height }: Dispute, { peers: [peer] }: Version, out: Out): void {
    assert(peer !== undefined, "a version of a filter that nobody gives")
    const query = { filterType: BASIC_FILTER_TYPE, startHeight: height, stopHash: this.#headers.hash(header) }
    out.push({ _tag: "Send", peer, message: { _tag: "getcfilters", ...query } })
  }

  /** Those whose filters are false are gone, and those who are fewer than others where nobody can tell; the rest is compared on. */
  #settle(stage: Stage & { _tag: "Disputed" }, out: Out): void {
    const { answers, dispute, first, stop } = stage
    const { header, height } = dispute
    const versions = dispute.versions.length
    const liars = dispute.falseOnes()
    const left = dispute.versions.filter((version) => !liars.includes(version))
    const most = left.toSorted((a, b) => b.peers.length - a.peers.length)[0]
    this.#stage = { _tag: "Headers", first, stop, round: Round.over(answers) }
    if (versions > 1) {
      const isProven = liars.length > 0 && left.length === 1
      out.push({ _tag: "FiltersDisputed", height, hash: this.#headers.hash(header), versions, isProven })
    }
    for (const { peers } of liars) for (const peer of [...peers]) this.#blame(peer, "lacks-a-script", height, out)
    for (const version of left) {
      if (version !== most) for (const peer of [...version.peers]) this.#disagrees(peer, height, out)
    }
  }

  #ask(fetch: FilterFetch, stop: number, now: Now, out: Out): void {
    for (const peer of this.#whoHas(stop)) {
      const piece = fetch.take(peer, now.instant)
      if (piece === undefined) continue
      const stopHash = this.#headers.hash(this.#headers.ancestor(stop, piece.last))
      const query = { filterType: BASIC_FILTER_TYPE, startHeight: piece.first, stopHash }
      out.push({ _tag: "Send", peer, message: { _tag: "getcfilters", ...query } })
    }
  }

  #filter(peer: PeerId, { blockHash, filter }: CFilter, now: Now, out: Out): void {
    const stage = this.#stage
    const header = this.#headers.find(blockHash)
    if (header < 0) return
    if (stage._tag === "Disputed") return this.#ofVersion(stage.dispute, peer, header, filter, out)
    if (stage._tag !== "Filters") return
    const { fetch, first, hashes, stop } = stage
    const height = this.#headers.height(header)
    if (!fetch.isWaitedFor(peer, height) || this.#headers.ancestor(stop, height) !== header) return
    const at = 32 * (height - first)
    if (!this.#isOfHash(filter, hashes.subarray(at, at + 32))) return this.#blame(peer, "not-of-its-hash", height, out)
    fetch.came(peer, height, now.instant)
    const decoded = decodeBasicFilter(blockHash, filter)
    // One that all say is the one, and that is none, says nothing of the block.
    const matches = Result.isFailure(decoded) || decoded.success.matchAny(this.#scripts)
    out.push({ _tag: "BlockJudged", header, matches })
  }

  #ofVersion(dispute: Dispute, peer: PeerId, header: number, filter: Uint8Array, out: Out): void {
    const version = dispute.askedOf(peer)
    if (version === undefined || header !== dispute.header) return
    const hash = this.#headers.hash(header)
    const decoded = decodeBasicFilter(hash, copyOut(filter))
    if (!this.#isOfHash(filter, version.hash) || Result.isFailure(decoded))
      return this.#blame(peer, "not-of-its-hash", dispute.height, out)
    version.filter = decoded.success
  }

  #isOfHash(filter: Uint8Array, hash: Uint8Array): boolean {
    return equals(filterHash(this.#options.sha256, filter), hash)
  }

  #blame(peer: PeerId, because: BadFilter["because"], height: number, out: Out): void {
    this.#leave(peer, out)
    out.push({ _tag: "Misbehaved", peer, reason: { _tag: "BadFilter", because, height } })
  }

  #disagrees(peer: PeerId, height: number, out: Out): void {
    this.#leave(peer, out)
    out.push({ _tag: "TooSlow", peer, reason: { _tag: "FilterDisagrees", height } })
  }

  #tooSlow(peer: PeerId, out: Out): void {
    this.#leave(peer, out)
    out.push({ _tag: "TooSlow", peer, reason: { _tag: "FilterTimeout", allowedMs: FILTER_TIMEOUT_MS } })
  }

  /** Nothing of the peer counts any more but what was agreed on. */
  #leave(peer: PeerId, out: Out): void {
    if (!this.#peers.delete(peer)) return
    const stage = this.#stage
    switch (stage._tag) {
      case "Idle":
        return
      case "Checkpoints":
      case "Headers":
        return stage.round.drop(peer)
      case "Disputed": {
        stage.answers.delete(peer)
        const orphaned = stage.dispute.drop(peer)
        if (orphaned !== undefined) this.#askForVersion(stage.dispute, orphaned, out)
        return
      }
      case "Filters":
        return stage.fetch.release(peer)
    }
  }

  #timeout({ instant }: Now, out: Out): void {
    const stage = this.#stage
    if ((this.nextTimeout() ?? Infinity) > instant) return
    switch (stage._tag) {
      case "Idle":
        return
      case "Checkpoints":
      case "Headers":
        for (const peer of stage.round.waiting) this.#tooSlow(peer, out)
        return
      case "Disputed":
        return this.#disputeIsLate(stage, instant, out)
      case "Filters":
        for (const peer of stage.fetch.overdue(instant)) this.#tooSlow(peer, out)
        return
    }
  }

  /** Who owes a filter is gone; a block that cannot be had proves nothing. */
  #disputeIsLate(stage: Stage & { _tag: "Disputed" }, instant: Instant, out: Out): void {
    const { dispute } = stage
    dispute.until = after(instant, FILTER_TIMEOUT_MS)
    const owing = dispute.versions.filter(({ filter }) => filter === undefined).map(({ peers: [peer] }) => peer)
    for (const peer of owing) if (peer !== undefined) this.#tooSlow(peer, out)
    if (owing.length === 0 && dispute.block === undefined) this.#settle(stage, out)
  }
}

const NOTHING = new Uint8Array(32)

/** How many hashes all lists have in common at their beginning. */
const firstDifference = (lists: ReadonlyArray<Uint8Array>): number => {
  const [one = NOTHING, ...others] = lists
  let same = one.length / 32
  for (const other of others) {
    for (let i = 0; i < same; i++) {
      if (!equals(one.subarray(32 * i, 32 * (i + 1)), other.subarray(32 * i, 32 * (i + 1)))) same = i
    }
  }
  return same
}
