/**
 * Follows the chain of most work that its peers know, by headers alone, and lets them follow ours.
 *
 * ```
 *   PeerReady ──▶ getheaders(locator) ──▶ headers ──▶ tree ──▶ HeadersAccepted, TipChanged
 *                      ▲                     │ 2,000 of them: there are more
 *                      └─────────────────────┘
 * ```
 *
 * One peer is asked at first, the others once it has no more to give or our tip is recent. What it accepts is put out for whoever
 * keeps it. A chain of little work is not kept: one that may have more of it to come is taken in twice (`HeadersPresync`). It knows
 * nothing of sockets, files or blocks.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`ProcessHeadersMessage`, `MaybeSendGetHeaders`, `SendMessages`).
 */
import { copyOut, equals } from "@satwire/bytes"
import { ProofOfWork, medianTimePast } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import {
  IdMap,
  Deadlines,
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  type Random,
  after,
  earliest
} from "@satwire/machine"
import { type BlockHash, HEADER_PREVIOUS, HEADER_SIZE, ZERO_HASH, headerHash } from "@satwire/primitives"
import {
  type GetHeaders,
  type Headers,
  INV_ENTRY_SIZE,
  type Inv,
  MAX_HEADERS_RESULTS,
  MSG_BLOCK,
  SENDHEADERS
} from "@satwire/wire"
import { type Acceptance, acceptHeaders } from "./AcceptHeaders.ts"
import { type RunFault, claimedWork, hashRun, hashesOfRun, runFault } from "./HeaderRun.ts"
import { HeadersPresync } from "./HeadersPresync.ts"
import { type HeaderSyncInput, type HeaderSyncOutput, type Snapshot, tipOf } from "./HeaderSyncEvents.ts"
import type { HeaderSyncOptions, HeaderSyncRoles } from "./HeaderSyncOptions.ts"
import type { HeaderTree } from "./HeaderTree.ts"

import { KeepingUp, type Overdue } from "./KeepingUp.ts"
import { locator } from "./Locator.ts"
import { type PeerView, peerView } from "./PeerView.ts"
import { announcement, answer, isKnownTo } from "./Serving.ts"
import { SkeletonDownload, type StretchQuery } from "./SkeletonDownload.ts"
import {
  HEADERS_DOWNLOAD_TIMEOUT_BASE_MS,
  HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER_MS,
  HEADERS_RESPONSE_TIME_MS,
  STALE_CHECK_INTERVAL_MS
} from "./Timeouts.ts"

/** A tip younger than this counts as recent: then every peer is asked (Core, "close to today"). */
export const RECENT_TIP_SECONDS: number = 24 * 60 * 60

/** A tip is stale after so many times of what a block should take (Core `TipMayBeStale`). */
export const STALE_AFTER_BLOCKS = 3

/** So far behind our tip, in its work, may a chain be whose headers are kept as they come: a day. */
const BLOCKS_BEHIND_TIP = 144n

export class HeaderSync implements Machine<HeaderSyncInput, HeaderSyncOutput> {
  readonly #tree: HeaderTree
  readonly #proof: ProofOfWork
  readonly #sha256: Sha256
  readonly #roles: HeaderSyncRoles
  readonly #protocolVersion: number
  readonly #random: Random
  readonly #peers: IdMap<PeerId, PeerView> = new IdMap()
  /** Peers whose first sync has not started: those that we chose, and those that chose us. */
  readonly #waitingOutbound: Set<PeerView> = new Set()
  readonly #waitingInbound: Set<PeerView> = new Set()
  /** The peer whose first sync is under way. */
  #syncing: PeerView | undefined = undefined
  /** The last unknown block for which a peer was asked before its first sync. */
  #askedForBlock: Uint8Array = ZERO_HASH
  /** Until when a first sync has to be done, by peer. */
  readonly #deadlines: Deadlines<PeerId> = new Deadlines()
  /** Peers that have to follow our chain. */
  readonly #keepingUp: KeepingUp
  /** When the tip was last another, and when it is looked at again; while there are peers. */
  #tipAt: Instant | undefined = undefined
  #staleCheckAt: Instant | undefined = undefined
  #isStale = false
  /** Peers of whom something is to be validated, in the order in which it came, and since when. */
  readonly #unread: Set<PeerView> = new Set()
  #unreadSince: Instant = 0 as Instant
  /** What is fetched from many at once, until it is there or led to nothing: before that nobody's first sync is started. */
  #skeleton: SkeletonDownload | undefined
  /** The end of the chain that we show, where that is not the best one: of this chain we have the blocks as well. */
  #shown: number | undefined = undefined
  /** When to ask a peer again that had something new while our last question was still open. */
  readonly #askAgain: Deadlines<PeerId> = new Deadlines()

  constructor(options: HeaderSyncOptions) {
    this.#random = options.random
    this.#tree = options.tree
    this.#keepingUp = new KeepingUp(options.tree)
    this.#proof = new ProofOfWork(options.tree.params)
    this.#sha256 = options.sha256
    this.#roles = options.roles
    this.#protocolVersion = options.protocolVersion
    const skeleton =
      options.skeleton === undefined ? undefined : new SkeletonDownload(options.tree, options.sha256, options.skeleton)
    this.#skeleton = skeleton?.isOver === true ? undefined : skeleton
    this.#shown = options.shown
  }

  /** The headers, for whoever looks them up between turns. */
  get tree(): HeaderTree {
    return this.#tree
  }

  /** Whether nothing is held for any peer: so it is after the last one left. */
  get isEmpty(): boolean {
    const waiting = this.#waitingOutbound.size + this.#waitingInbound.size
    const deadlines = this.#deadlines.size + this.#askAgain.size + this.#keepingUp.size + this.#unread.size
    return this.#peers.size + waiting + deadlines === 0 && this.#syncing === undefined
  }

  nextTimeout(): Instant | undefined {
    const syncs = earliest(this.#deadlines.earliest(), this.#askAgain.earliest())
    const checks = earliest(this.#staleCheckAt, this.#keepingUp.nextTimeout())
    return earliest(earliest(syncs, checks), earliest(this.#readAt, this.#skeleton?.nextTimeout()))
  }

  /** When something is to be validated: at once, where there is something. */
  get #readAt(): Instant | undefined {
    return this.#unread.size > 0 || this.#skeleton?.ready() !== undefined ? this.#unreadSince : undefined
  }

  handle(input: HeaderSyncInput, now: Now, out: Outbox<HeaderSyncOutput>): void {
    switch (input._tag) {
      case "PeerReady":
        return this.#ready(input, now, out)
      case "PeerGone":
        return this.#gone(input.peer, now, out)
      case "Received": {
        const peer = this.#peers.get(input.peer)
        if (peer === undefined) return undefined
        // One thing after another: what it sent before counts first.
        if (!this.#read(peer, now, out)) return undefined
        const { message } = input
        if (message._tag === "headers") return this.#headers(peer, message, now, out)
        if (message._tag === "getheaders") return this.#serve(peer, message, out)
        if (message._tag === "inv") return this.#inventory(peer, message, now, out)
        peer.prefersHeaders = true
        return undefined
      }
      case "Submit":
        return this.#submit(input, now, out)
      case "Show":
        this.#shown = input.header
        return this.#announceToAll(undefined, now, out)
      case "Told": {
        const peer = this.#peers.get(input.peer)
        if (peer !== undefined) peer.sent = input.header
        return undefined
      }
      case "Invalidate":
      case "Reconsider":
        return this.#believe(input, now, out)
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  /** What can be told between turns. */
  snapshot(): Snapshot {
    return {
      tip: tipOf(this.#tree, this.#tree.best),
      headers: this.#tree.size,
      peers: this.#peers.size,
      syncingWith: this.#syncing?.id,
      presyncing: [...this.#peers.values()].flatMap(({ id, presync }) =>
        presync === undefined ? [] : [{ peer: id, phase: presync.phase, height: presync.height }]
      )
    }
  }

  /** The header of most work that we know the peer has, or -1. */
  bestOf(peer: PeerId): number {
    return this.#peers.get(peer)?.best ?? -1
  }

  /** Whether a peer has a header, by what it said or by what it was told (Core `PeerHasHeader`). */
  hasHeader(id: PeerId, header: number): boolean {
    return isKnownTo(this.#tree, header, this.#peers.get(id))
  }

  /** Whether a skeleton is not yet done with. */
  get hasSkeleton(): boolean {
    return this.#skeleton !== undefined
  }

  #ready(input: HeaderSyncInput & { _tag: "PeerReady" }, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const peer = peerView(input.peer, input.outbound, input.isTrusted === true)
    this.#peers.set(peer.id, peer)
    if (input.chosenFor !== undefined) this.#keepingUp.add(peer, input.chosenFor)
    this.#tipAt ??= now.instant
    this.#staleCheckAt ??= after(now.instant, STALE_CHECK_INTERVAL_MS)
    if (peer.outbound) this.#waitingOutbound.add(peer)
    else this.#waitingInbound.add(peer)
    if (peer.outbound) this.#skeleton?.add(peer.id)
    this.#startMore(now, out)
  }

  #gone(id: PeerId, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    // Its headers are as good as if it had stayed.
    this.#read(peer, now, out)
    this.#peers.delete(id)
    this.#skeleton?.delete(id)
    this.#waitingOutbound.delete(peer)
    this.#waitingInbound.delete(peer)
    this.#deadlines.set(id, undefined)
    this.#askAgain.set(id, undefined)
    this.#keepingUp.delete(id)
    if (this.#syncing === peer) this.#syncing = undefined
    if (this.#peers.size === 0) this.#staleCheckAt = undefined
    this.#startMore(now, out)
  }

  /** Starts the first sync of one more peer when none is under way, of all when our tip is recent. Outbound peers go first. */
  #startMore(now: Now, out: Outbox<HeaderSyncOutput>): void {
    if (this.#followsSkeleton(now, out)) return
    const recent = this.#isRecent(now)
    for (const waiting of [this.#waitingOutbound, this.#waitingInbound]) {
      for (const peer of waiting) {
        if (!recent && this.#syncing !== undefined) return
        waiting.delete(peer)
        this.#start(peer, now, out)
      }
    }
  }

  #isRecent(now: Now): boolean {
    return this.#tree.time(this.#tree.best) > now.unix - RECENT_TIP_SECONDS
  }

  #start(peer: PeerView, now: Now, out: Outbox<HeaderSyncOutput>): void {
    peer.started = true
    this.#keepingUp.look(peer.id, now.instant)
    const { best, params } = this.#tree
    if (!this.#isRecent(now)) {
      this.#syncing = peer
      const expected = Math.max(0, (now.unix - Math.max(0, this.#tree.time(best))) / params.powTargetSpacing)
      const allowed = HEADERS_DOWNLOAD_TIMEOUT_BASE_MS + HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER_MS * expected
      this.#deadlines.set(peer.id, after(now.instant, allowed))
    }
    // From the parent of our tip: a peer that is no further then answers with that tip, and we know what it has.
    const parent = this.#tree.parent(best)
    this.#ask(peer, parent < 0 ? best : parent, now, out)
  }

  /**
   * Sends `getheaders` from `from`, or from a header that is not in the tree; while an earlier one may still be answered, only once that time
   * is over.
   */
  #ask(peer: PeerView, from: number, now: Now, out: Outbox<HeaderSyncOutput>, beyond?: BlockHash): void {
    // It may have gone while an output of this turn was performed.
    if (!this.#peers.has(peer.id)) return
    const answeredBy = peer.askedAt === undefined ? undefined : after(peer.askedAt, HEADERS_RESPONSE_TIME_MS)
    if (answeredBy !== undefined && now.instant < answeredBy) return this.#askAgain.set(peer.id, answeredBy)
    peer.askedAt = now.instant
    this.#askAgain.set(peer.id, undefined)
    const message: GetHeaders = {
      _tag: "getheaders",
      protocolVersion: this.#protocolVersion,
      locator: beyond === undefined ? locator(this.#tree, from) : [beyond, ...locator(this.#tree, from)],
      stopHash: ZERO_HASH
    }
    out.push({ _tag: "Send", peer: peer.id, message })
  }

  #headers(peer: PeerView, message: Headers, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const { count, headers } = message
    const stretch = this.#skeleton?.take(peer.id, headers, count, now)
    if (stretch !== undefined) {
      if (stretch.more !== undefined) this.#askStretch(stretch.more, out)
      return this.#startMore(now, out)
    }
    if (count === 0) {
      peer.presync = undefined
      this.#answered(peer)
      return this.#finished(peer, now, out)
    }
    if (peer.presync !== undefined && this.#continuePresync(peer, peer.presync, message, now, out)) return
    const parent = this.#tree.find(headers, HEADER_PREVIOUS)
    if (parent >= 0 && !peer.isTrusted && this.#hasLittleWork(parent, message)) {
      return this.#beginPresync(peer, parent, message, now, out)
    }
    if (count === MAX_HEADERS_RESULTS && parent >= 0) {
      this.#answered(peer)
      // What follows is asked for before this is validated, so that it is under way meanwhile.
      this.#ask(peer, parent, now, out, this.#lastHash(message))
      return this.#readLater(peer, [headers], now)
    }
    const acceptance = this.#accept(headers, count, peer.id, now, out)
    if (acceptance._tag === "Unconnected") return this.#unconnected(peer, this.#lastHash(message), now, out)
    this.#answered(peer)
    if (this.#judge(peer, acceptance, now, out)) this.#finished(peer, now, out)
  }

  /** What came of headers that were looked at; `false` where it cost the peer its place. */
  #judge(peer: PeerView, acceptance: Acceptance, now: Now, out: Outbox<HeaderSyncOutput>): boolean {
    if (acceptance._tag === "Unconnected") return true
    const { fault, last } = acceptance
    if (fault !== undefined && costs(fault.rule, peer)) {
      out.push({ _tag: "Misbehaved", peer: peer.id, reason: { _tag: "InvalidHeader", ...fault } })
      return false
    }
    this.#sent(peer, last, now, out)
    return true
  }

  #lastHash({ headers, count }: Pick<Headers, "headers" | "count">): BlockHash {
    return headerHash(this.#sha256, headers.subarray((count - 1) * HEADER_SIZE, count * HEADER_SIZE))
  }

  /** Keeps runs for a turn of their own. */
  #readLater(peer: PeerView, runs: ReadonlyArray<Uint8Array>, now: Now): void {
    if (runs.length === 0) return
    peer.unread = runs
    this.#unread.add(peer)
    this.#unreadSince = now.instant
  }

  /** Validates what was kept of a peer. `false` where it broke a rule that costs it its place. */
  #read(peer: PeerView, now: Now, out: Outbox<HeaderSyncOutput>): boolean {
    if (!this.#unread.delete(peer)) return true
    const runs = peer.unread
    peer.unread = []
    for (const run of runs) {
      const acceptance = this.#accept(run, run.length / HEADER_SIZE, peer.id, now, out)
      if (!this.#judge(peer, acceptance, now, out)) return false
      // No more than that is good of it, for now.
      if (acceptance._tag === "Unconnected" || acceptance.fault !== undefined) {
        peer.presync = undefined
        this.#finished(peer, now, out)
        return true
      }
    }
    return true
  }

  /** Whether headers come along the skeleton. Where nobody is there who may be asked they come in the ordinary way meanwhile. */
  get #isAlongSkeleton(): boolean {
    return this.#skeleton !== undefined && this.#skeleton.size > 0
  }

  /** Goes on along the skeleton; `false` where there is none, or none any more. */
  #followsSkeleton(now: Now, out: Outbox<HeaderSyncOutput>): boolean {
    const skeleton = this.#skeleton
    if (skeleton === undefined) return false
    for (const query of skeleton.queries(now)) this.#askStretch(query, out)
    if (skeleton.ready() !== undefined) this.#unreadSince = now.instant
    if (!skeleton.isOver) return skeleton.size > 0
    this.#skeleton = undefined
    out.push({ _tag: "SkeletonEnded", isWrong: skeleton.isWrong, height: this.#tree.height(this.#tree.best) })
    return false
  }

  #askStretch({ from, peer, to }: StretchQuery, out: Outbox<HeaderSyncOutput>): void {
    const message: GetHeaders = {
      _tag: "getheaders",
      protocolVersion: this.#protocolVersion,
      locator: [from],
      stopHash: to
    }
    out.push({ _tag: "Send", peer, message })
  }

  /** Validates the next stretch of the skeleton, where it is there. */
  #readStretch(now: Now, out: Outbox<HeaderSyncOutput>): void {
    const stretch = this.#skeleton?.ready()
    if (stretch === undefined) return
    const isGood = stretch.runs.every((run) => this.#readRun(stretch.peer, run, now, out))
    this.#skeleton?.settle(isGood)
  }

  /** Whether all of it is in the tree. Who sent it may be gone by now. */
  #readRun(id: PeerId, run: Uint8Array, now: Now, out: Outbox<HeaderSyncOutput>): boolean {
    const acceptance = this.#accept(run, run.length / HEADER_SIZE, id, now, out)
    const peer = this.#peers.get(id)
    if (peer !== undefined) this.#judge(peer, acceptance, now, out)
    return acceptance._tag === "Accepted" && acceptance.fault === undefined
  }

  #answered(peer: PeerView): void {
    peer.askedAt = undefined
    this.#askAgain.set(peer.id, undefined)
  }

  /** Whether nothing of this is to be kept as it is: a chain with less work than a day behind ours, or than the network asks for at least. */
  #hasLittleWork(parent: number, message: Pick<Headers, "headers" | "count">): boolean {
    const { headers, count } = message
    const tree = this.#tree
    const total = tree.chainWork(parent) + claimedWork(this.#proof, headers, count)
    if (total >= this.#leastWork) return false
    // What we have already costs nothing.
    return tree.find(this.#lastHash(message)) < 0
  }

  /** The least work of a chain that is kept, as of now (Core's `GetAntiDoSWorkThreshold`). */
  get #leastWork(): bigint {
    const { best, params } = this.#tree
    const near = this.#tree.chainWork(best) - BLOCKS_BEHIND_TIP * this.#proof.difficulty(this.#tree.bits(best)).work
    return near > params.minimumChainWork ? near : params.minimumChainWork
  }

  /** A chain that has more to come is looked at to its end before any of it is kept; one that ends here is passed over. */
  #beginPresync(peer: PeerView, parent: number, message: Headers, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const tree = this.#tree
    if (message.count < MAX_HEADERS_RESULTS) {
      if (this.#breaksRun(peer, message, out)) return
      this.#answered(peer)
      return this.#finished(peer, now, out)
    }
    const presync = new HeadersPresync({
      params: tree.params,
      proof: this.#proof,
      random: this.#random,
      unix: now.unix,
      minimumWork: this.#leastWork,
      start: {
        hash: tree.hash(parent),
        height: tree.height(parent),
        bits: tree.bits(parent),
        chainWork: tree.chainWork(parent),
        medianTime: medianTimePast(tree, parent) ?? tree.time(parent)
      }
    })
    peer.presync = presync
    peer.presyncFrom = parent
    this.#continuePresync(peer, presync, message, now, out)
  }

  /** Gives whether that is all that there is to do with the message. */
  #continuePresync(
    peer: PeerView,
    presync: HeadersPresync,
    message: Headers,
    now: Now,
    out: Outbox<HeaderSyncOutput>
  ): boolean {
    if (this.#breaksRun(peer, message, out)) return true
    const { count, headers } = message
    const isFull = count === MAX_HEADERS_RESULTS
    const outcome = presync.take(headers, count, hashesOfRun(), isFull)
    const { height, next, phase } = presync
    if (outcome._tag !== "More") peer.presync = undefined
    // It is no fault; what came is looked at as if nothing had been before, unless it would begin the same anew.
    if (outcome._tag === "Failed") return this.#givesUpPresync(peer, headers, now, out)
    this.#answered(peer)
    out.push({ _tag: "Presynced", peer: peer.id, phase, height })
    if (outcome._tag === "LowWork") {
      this.#finished(peer, now, out)
      return true
    }
    const goesOn = outcome._tag === "More" || isFull
    if (goesOn) this.#ask(peer, peer.presyncFrom, now, out, next)
    this.#readLater(peer, outcome.ready, now)
    if (!goesOn && this.#read(peer, now, out)) this.#finished(peer, now, out)
    return true
  }

  /** Whether a header of the run has not done its work or is nobody's child: whoever sends headers has done the work for each. */
  #breaksRun(peer: PeerView, { count, headers }: Headers, out: Outbox<HeaderSyncOutput>): boolean {
    hashRun(this.#sha256, headers, count)
    const fault = runFault(this.#proof, count)
    if (fault === undefined) return false
    out.push({ _tag: "Misbehaved", peer: peer.id, reason: { _tag: "InvalidHeader", ...fault } })
    return true
  }

  /** What does not go on from where we were may be an announcement, which the ordinary way handles; else there is nothing more to it. */
  #givesUpPresync(peer: PeerView, headers: Uint8Array, now: Now, out: Outbox<HeaderSyncOutput>): boolean {
    if (this.#tree.find(headers, HEADER_PREVIOUS) !== peer.presyncFrom) return false
    this.#answered(peer)
    this.#finished(peer, now, out)
    return true
  }

  /**
   * Something lies between our chain and what the peer sent: the answer to a question of ours will begin where they part.
   *
   * Specification: headers that do not connect answer no question, and are no fault. Rationale: a peer that sends nothing else is asked once in
   * two minutes, and not as fast as it can send; and an announcement may outrun the headers before it.
   */
  #unconnected(peer: PeerView, last: BlockHash, now: Now, out: Outbox<HeaderSyncOutput>): void {
    peer.announced = last
    if (!this.#isAlongSkeleton) this.#ask(peer, this.#tree.best, now, out)
  }

  /** The peer has no more headers than it sent: its first sync is done, the next peer's may start. */
  #finished(peer: PeerView, now: Now, out: Outbox<HeaderSyncOutput>): void {
    this.#deadlines.set(peer.id, undefined)
    if (this.#syncing === peer) this.#syncing = undefined
    if (this.#isOfNoUse(peer, now)) out.push({ _tag: "TooSlow", peer: peer.id, reason: { _tag: "LittleWork" } })
    this.#startMore(now, out)
  }

  /** Whether we chose a peer to catch up with, and all that it has is too little (Core `UpdatePeerStateForReceivedHeaders`). */
  #isOfNoUse(peer: PeerView, now: Now): boolean {
    if (peer.best < 0 || !this.#keepingUp.isWatched(peer.id)) return false
    const hasLittle = (header: number): boolean => this.#tree.chainWork(header) < this.#tree.params.minimumChainWork
    return hasLittle(peer.best) && (!this.#isRecent(now) || hasLittle(this.#tree.best))
  }

  #accept(
    headers: Uint8Array,
    count: number,
    from: PeerId | undefined,
    now: Now,
    out: Outbox<HeaderSyncOutput>
  ): Acceptance {
    const before = this.#tree.best
    const acceptance = acceptHeaders(this.#tree, this.#proof, this.#sha256, headers, count, now.unix)
    if (acceptance._tag === "Unconnected" || acceptance.count === 0) return acceptance
    // What came over the wire has memory of its own; what our user gave is his, and mostly some of it is known.
    const isWhole = from !== undefined && acceptance.count === count
    const raw = isWhole ? headers : this.#tree.rawRange(acceptance.first, acceptance.count)
    out.push({ _tag: "HeadersAccepted", first: acceptance.first, count: acceptance.count, headers: raw, from })
    if (this.#tree.best !== before) this.#tipChanged(before, from, now, out)
    return acceptance
  }

  #tipChanged(before: number, from: PeerId | undefined, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const tree = this.#tree
    this.#tipAt = now.instant
    this.#setStale(false, out)
    this.#keepingUp.tipChanged(now.instant)
    const forkHeight = tree.height(tree.fork(before, tree.best))
    out.push({
      _tag: "TipChanged",
      tip: tipOf(tree, tree.best),
      forkHeight,
      removed: tree.height(before) - forkHeight,
      added: tree.height(tree.best) - forkHeight,
      from
    })
    if (!this.#isRecent(now)) return
    if (this.#shown === undefined) this.#announceToAll(from, now, out)
    this.#startMore(now, out)
  }

  #announceToAll(from: PeerId | undefined, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const tree = this.#tree
    const tip = this.#shown ?? tree.best
    if (!this.#roles.announce || !this.#isRecent(now) || tree.chainWork(tip) < tree.params.minimumChainWork) return
    for (const peer of this.#peers.values()) if (peer.id !== from) this.#announce(peer, tip, out)
  }

  #announce(peer: PeerView, tip: number, out: Outbox<HeaderSyncOutput>): void {
    const announced = peer.announced === undefined ? -1 : this.#tree.find(peer.announced)
    if (announced >= 0) {
      peer.announced = undefined
      this.#has(peer, announced, out)
    }
    const message = announcement(this.#tree, tip, peer)
    if (message === undefined) return
    // A hash alone does not give the peer the header.
    if (message._tag === "headers") peer.sent = tip
    out.push({ _tag: "Send", peer: peer.id, message, isAnnouncement: true })
  }

  /** The peer sent headers that are kept, up to this one. */
  #sent(peer: PeerView, last: number, now: Now, out: Outbox<HeaderSyncOutput>): void {
    this.#has(peer, last, out)
    if (this.#keepingUp.heard(peer.id, now.instant)) out.push({ _tag: "Protected", peer: peer.id })
  }

  /** Notes that the peer has `header` and all before it. */
  #has(peer: PeerView, header: number, out: Outbox<HeaderSyncOutput>): void {
    if (peer.best < 0 || this.#tree.compareWork(header, peer.best) > 0) peer.best = header
    if (!peer.askedForHeaders && this.#tree.chainWork(peer.best) > this.#tree.params.minimumChainWork) {
      peer.askedForHeaders = true
      out.push({ _tag: "Send", peer: peer.id, message: SENDHEADERS })
    }
  }

  #serve(peer: PeerView, query: GetHeaders, out: Outbox<HeaderSyncOutput>): void {
    const answered = this.#roles.serve ? answer(this.#tree, this.#shown ?? this.#tree.best, query) : undefined
    if (answered === undefined) return
    if (answered.last >= 0) peer.sent = answered.last
    out.push({ _tag: "Send", peer: peer.id, message: answered.message })
  }

  #inventory(peer: PeerView, { inventory }: Inv, now: Now, out: Outbox<HeaderSyncOutput>): void {
    let unknown = -1
    for (let i = 0; i < inventory.count; i++) {
      if (inventory.typeAt(i) !== MSG_BLOCK) continue
      const header = this.#tree.find(inventory.raw, INV_ENTRY_SIZE * i + 4)
      if (header >= 0) {
        this.#has(peer, header, out)
        this.#keepingUp.look(peer.id, now.instant)
      } else unknown = i
    }
    if (unknown < 0) return
    peer.announced = copyOut(inventory.hashAt(unknown))
    if (this.#isAlongSkeleton) return
    if (peer.started) return this.#ask(peer, this.#tree.best, now, out)
    // While another's first sync is under way one more peer is asked for each new block: quicker where that other one is silent, and
    // not the whole chain from everybody at once.
    if (peer.askedByInventory || equals(this.#askedForBlock, peer.announced)) return
    peer.askedByInventory = true
    this.#askedForBlock = peer.announced
    this.#ask(peer, this.#tree.best, now, out)
  }

  #submit(
    { count, from, headers }: HeaderSyncInput & { _tag: "Submit" },
    now: Now,
    out: Outbox<HeaderSyncOutput>
  ): void {
    const peer = from === undefined ? undefined : this.#peers.get(from)
    if (from !== undefined && peer === undefined) return
    if (peer !== undefined) {
      const parent = this.#tree.find(headers, HEADER_PREVIOUS)
      const last = this.#lastHash({ headers, count })
      if (parent < 0) return peer.started ? this.#unconnected(peer, last, now, out) : undefined
      if (!peer.isTrusted && this.#hasLittleWork(parent, { headers, count })) return
    }
    const acceptance = this.#accept(headers, count, from, now, out)
    if (peer !== undefined) return void this.#judge(peer, acceptance, now, out)
    if (acceptance._tag === "Unconnected") out.push({ _tag: "SubmitRefused", rule: "unconnected", index: 0 })
    else if (acceptance.fault !== undefined) out.push({ _tag: "SubmitRefused", ...acceptance.fault })
  }

  #believe(
    { _tag, hash }: HeaderSyncInput & { _tag: "Invalidate" | "Reconsider" },
    now: Now,
    out: Outbox<HeaderSyncOutput>
  ): void {
    const tree = this.#tree
    const header = tree.find(hash)
    // The first header cannot be invalid.
    if (header <= 0) return
    const before = tree.best
    if (_tag === "Invalidate") tree.invalidate(header)
    else tree.reconsider(header)
    if (tree.best !== before) this.#tipChanged(before, undefined, now, out)
  }

  /** That no block came for long may mean that none was found, or that our peers keep it from us. */
  #setStale(isStale: boolean, out: Outbox<HeaderSyncOutput>): void {
    if (isStale === this.#isStale) return
    this.#isStale = isStale
    out.push({ _tag: "TipStale", isStale })
  }

  #timeout(now: Now, out: Outbox<HeaderSyncOutput>): void {
    // One in a turn; the others are due as well.
    const [unread] = this.#unread
    if (unread !== undefined) this.#read(unread, now, out)
    else this.#readStretch(now, out)
    this.#skeleton?.timeout(now)
    if (this.#staleCheckAt !== undefined && this.#staleCheckAt <= now.instant) {
      this.#staleCheckAt = after(now.instant, STALE_CHECK_INTERVAL_MS)
      const mayTakeMs = 1000 * STALE_AFTER_BLOCKS * this.#tree.params.powTargetSpacing
      this.#setStale(now.instant - (this.#tipAt ?? now.instant) > mayTakeMs, out)
    }
    for (let id = this.#deadlines.takeDue(now.instant); id !== undefined; id = this.#deadlines.takeDue(now.instant)) {
      const peer = this.#peers.get(id)
      if (peer === undefined || this.#syncing !== peer) continue
      this.#syncing = undefined
      // Slow costs the connection where another peer waits that we chose ourselves, which is only so while we are far behind: who only
      // connects to us must not be able to end a sync. In every other case the next one is asked beside it.
      if (this.#waitingOutbound.size > 0) {
        out.push({ _tag: "TooSlow", peer: id, reason: { _tag: "HeadersTimeout" } })
      }
    }
    for (let id = this.#askAgain.takeDue(now.instant); id !== undefined; id = this.#askAgain.takeDue(now.instant)) {
      const peer = this.#peers.get(id)
      if (peer !== undefined) this.#ask(peer, this.#tree.best, now, out)
    }
    const takeOverdue = (): Overdue | undefined => this.#keepingUp.takeOverdue(now.instant)
    for (let late = takeOverdue(); late !== undefined; late = takeOverdue()) {
      if (late._tag === "Ask") this.#ask(late.peer, late.from, now, out)
      else out.push({ _tag: "TooSlow", peer: late.peer.id, reason: { _tag: "ChainTimeout" } })
    }
    this.#startMore(now, out)
  }
}

/**
 * Whether a broken rule costs the peer its connection and standing. A clock that runs ahead is nobody's attack: the header may be good in two
 * hours. And who dialled us may well follow what we were told to take for invalid (Core `MaybePunishNodeForBlock`).
 */
const costs = (rule: RunFault, peer: PeerView): boolean =>
  rule !== "time-too-new" && (rule !== "duplicate-invalid" || peer.outbound)
