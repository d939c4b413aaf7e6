/**
 * Follows the chain of most work that its peers know, by headers alone, and lets them follow ours.
 *
 * ```
 *   PeerReady ──▶ getheaders(locator) ──▶ headers ──▶ tree ──▶ HeadersAccepted, TipChanged
 *                      ▲                     │ 2,000 of them: there are more
 *                      └─────────────────────┘
 * ```
 *
 * One peer is asked at first, the others once it has no more to give or our tip is recent. It knows nothing of sockets, files or
 * blocks; what it accepts is put out for whoever keeps it.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`ProcessHeadersMessage`, `MaybeSendGetHeaders`, `SendMessages`).
 */
import { ProofOfWork } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import {
  Deadlines,
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  after,
  earliest
} from "@satwire/machine"
import { ZERO_HASH } from "@satwire/primitives"
import {
  type GetHeaders,
  type Headers,
  type Inv,
  Inventory,
  MAX_HEADERS_RESULTS,
  MSG_BLOCK,
  SENDHEADERS,
  headersMessage
} from "@satwire/wire"
import { type Acceptance, acceptHeaders } from "./acceptHeaders.ts"
import type { HeaderSyncInput, HeaderSyncOutput, Snapshot, Tip } from "./HeaderSyncEvents.ts"
import type { HeaderTree } from "./HeaderTree.ts"
import { locate, locator } from "./Locator.ts"

/** Core's `HEADERS_DOWNLOAD_TIMEOUT_BASE` (net_processing.cpp): how long the first sync with a peer may take, and … */
export const HEADERS_DOWNLOAD_TIMEOUT_BASE_MS: number = 15 * 60 * 1000
/** … `HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER`: for every header that is still to come. */
export const HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER_MS = 1
/** Core's `HEADERS_RESPONSE_TIME`: a peer is asked again only after it answered, or after this long. */
export const HEADERS_RESPONSE_TIME_MS: number = 2 * 60 * 1000
/**
 * Core's `MAX_BLOCKS_TO_ANNOUNCE`: more new headers than this are announced by the hash of the last.
 *
 * @limit headers in one announcement
 */
export const MAX_BLOCKS_TO_ANNOUNCE = 8
/** A tip younger than this counts as recent: then every peer is asked (Core, "close to today"). */
export const RECENT_TIP_SECONDS: number = 24 * 60 * 60

/** What this machine does for others. A node on a public network announces nothing that it has not fully checked. */
export interface HeaderSyncRoles {
  /** Answers `getheaders`. */
  readonly serve: boolean
  /** Tells peers of new tips. */
  readonly announce: boolean
}

/** This manager's own small view of a peer. */
interface PeerView {
  readonly id: PeerId
  readonly outbound: boolean
  /** It sent `sendheaders` (BIP-0130). */
  prefersHeaders: boolean
  /** We sent `sendheaders`. */
  askedForHeaders: boolean
  /** Its sync with us was started once. */
  started: boolean
  /** The header of most work that we know it has, or -1. */
  best: number
  /** The last header that we sent or announced to it, or -1. */
  sent: number
  /** When our last unanswered `getheaders` left. */
  askedAt: Instant | undefined
}

export class HeaderSync implements Machine<HeaderSyncInput, HeaderSyncOutput> {
  readonly #tree: HeaderTree
  readonly #proof: ProofOfWork
  readonly #sha256: Sha256
  readonly #roles: HeaderSyncRoles
  readonly #protocolVersion: number
  readonly #peers: Map<PeerId, PeerView> = new Map()
  /** Peers whose first sync has not started. */
  readonly #waiting: Set<PeerView> = new Set()
  /** The peer whose first sync is under way. */
  #syncing: PeerView | undefined = undefined
  /** Until when a first sync has to be done, by peer. */
  readonly #deadlines: Deadlines<PeerId> = new Deadlines()
  /** When to ask a peer again that had something new while our last question was still open. */
  readonly #askAgain: Deadlines<PeerId> = new Deadlines()

  constructor(options: {
    readonly tree: HeaderTree
    readonly sha256: Sha256
    readonly roles: HeaderSyncRoles
    /** The protocol version that our `getheaders` name. */
    readonly protocolVersion: number
  }) {
    this.#tree = options.tree
    this.#proof = new ProofOfWork(options.tree.params)
    this.#sha256 = options.sha256
    this.#roles = options.roles
    this.#protocolVersion = options.protocolVersion
  }

  /** The headers, for whoever looks them up between turns. */
  get tree(): HeaderTree {
    return this.#tree
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#deadlines.earliest(), this.#askAgain.earliest())
  }

  handle(input: HeaderSyncInput, now: Now, out: Outbox<HeaderSyncOutput>): void {
    switch (input._tag) {
      case "PeerReady":
        return this.#ready(input.peer, input.outbound, now, out)
      case "PeerGone":
        return this.#gone(input.peer, now, out)
      case "Received": {
        const peer = this.#peers.get(input.peer)
        if (peer === undefined) return undefined
        const { message } = input
        if (message._tag === "headers") return this.#headers(peer, message, now, out)
        if (message._tag === "getheaders") return this.#serve(peer, message, out)
        if (message._tag === "inv") return this.#inventory(peer, message, now, out)
        peer.prefersHeaders = true
        return undefined
      }
      case "Submit":
        return this.#submit(input.headers, input.count, now, out)
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  /** What can be told between turns. */
  snapshot(): Snapshot {
    return {
      tip: this.#tip(),
      headers: this.#tree.size,
      peers: this.#peers.size,
      syncingWith: this.#syncing?.id
    }
  }

  #tip(): Tip {
    const { best } = this.#tree
    return { height: this.#tree.height(best), hash: this.#tree.hash(best), time: this.#tree.time(best) }
  }

  #ready(id: PeerId, outbound: boolean, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const peer: PeerView = {
      id,
      outbound,
      prefersHeaders: false,
      askedForHeaders: false,
      started: false,
      best: -1,
      sent: -1,
      askedAt: undefined
    }
    this.#peers.set(id, peer)
    this.#waiting.add(peer)
    this.#startMore(now, out)
  }

  #gone(id: PeerId, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#peers.delete(id)
    this.#waiting.delete(peer)
    this.#deadlines.set(id, undefined)
    this.#askAgain.set(id, undefined)
    if (this.#syncing === peer) this.#syncing = undefined
    this.#startMore(now, out)
  }

  /** Starts the first sync of one more peer when none is under way, of all when our tip is recent. Outbound peers go first. */
  #startMore(now: Now, out: Outbox<HeaderSyncOutput>): void {
    const recent = this.#isRecent(now)
    while (this.#waiting.size > 0 && (recent || this.#syncing === undefined)) {
      let next: PeerView | undefined
      for (const peer of this.#waiting) {
        next ??= peer
        if (peer.outbound) {
          next = peer
          break
        }
      }
      if (next === undefined) return
      this.#waiting.delete(next)
      this.#start(next, now, out)
    }
  }

  #isRecent(now: Now): boolean {
    return this.#tree.time(this.#tree.best) > now.unix - RECENT_TIP_SECONDS
  }

  #start(peer: PeerView, now: Now, out: Outbox<HeaderSyncOutput>): void {
    peer.started = true
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

  /** Sends `getheaders` from `from`; while an earlier one may still be answered, only once that time is over. */
  #ask(peer: PeerView, from: number, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const answeredBy = peer.askedAt === undefined ? undefined : after(peer.askedAt, HEADERS_RESPONSE_TIME_MS)
    if (answeredBy !== undefined && now.instant < answeredBy) return this.#askAgain.set(peer.id, answeredBy)
    peer.askedAt = now.instant
    this.#askAgain.set(peer.id, undefined)
    const message: GetHeaders = {
      _tag: "getheaders",
      protocolVersion: this.#protocolVersion,
      locator: locator(this.#tree, from),
      stopHash: ZERO_HASH
    }
    out.push({ _tag: "Send", peer: peer.id, message })
  }

  #headers(peer: PeerView, message: Headers, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const { count } = message
    const acceptance = count === 0 ? undefined : this.#accept(message.headers, count, peer.id, now, out)
    // Something lies between: the answer to a question of ours will begin where our chains part. Headers that do not connect are no
    // answer, so a peer that sends nothing else is asked once in two minutes and not as fast as it can send.
    if (acceptance?._tag === "Unconnected") return this.#ask(peer, this.#tree.best, now, out)
    peer.askedAt = undefined
    this.#askAgain.set(peer.id, undefined)
    if (acceptance === undefined) return this.#finished(peer, now, out)
    if (acceptance.last >= 0) this.#has(peer, acceptance.last, out)
    const { fault } = acceptance
    if (fault !== undefined) {
      // A clock that runs ahead is nobody's attack: the header may be good in two hours.
      if (fault.rule === "time-too-new") return this.#finished(peer, now, out)
      out.push({ _tag: "Misbehaved", peer: peer.id, reason: { _tag: "InvalidHeader", ...fault } })
      return undefined
    }
    if (count === MAX_HEADERS_RESULTS) return this.#ask(peer, acceptance.last, now, out)
    return this.#finished(peer, now, out)
  }

  /** The peer has no more headers than it sent: its first sync is done, the next peer's may start. */
  #finished(peer: PeerView, now: Now, out: Outbox<HeaderSyncOutput>): void {
    this.#deadlines.set(peer.id, undefined)
    if (this.#syncing === peer) this.#syncing = undefined
    this.#startMore(now, out)
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
    const raw = this.#tree.rawRange(acceptance.first, acceptance.count)
    out.push({ _tag: "HeadersAccepted", first: acceptance.first, count: acceptance.count, headers: raw, from })
    if (this.#tree.best !== before) this.#tipChanged(before, from, now, out)
    return acceptance
  }

  #tipChanged(before: number, from: PeerId | undefined, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const tree = this.#tree
    const fork = tree.fork(before, tree.best)
    const forkHeight = tree.height(fork)
    out.push({
      _tag: "TipChanged",
      tip: this.#tip(),
      forkHeight,
      removed: tree.height(before) - forkHeight,
      added: tree.height(tree.best) - forkHeight,
      from
    })
    if (!this.#roles.announce || !this.#isRecent(now)) return
    for (const peer of this.#peers.values()) if (peer.id !== from) this.#announce(peer, out)
  }

  #announce(peer: PeerView, out: Outbox<HeaderSyncOutput>): void {
    const tree = this.#tree
    const tip = tree.best
    const height = tree.height(tip)
    const known = Math.max(this.#sharedHeight(peer.best), this.#sharedHeight(peer.sent))
    if (known === height) return
    const fresh = height - known
    const message =
      peer.prefersHeaders && known >= 0 && fresh <= MAX_BLOCKS_TO_ANNOUNCE
        ? headersMessage(tree.rawChain(tip, known + 1, height))
        : ({ _tag: "inv", inventory: Inventory.ofType(MSG_BLOCK, [tree.hash(tip)]) } as const)
    peer.sent = tip
    out.push({ _tag: "Send", peer: peer.id, message })
  }

  /** How high our best chain and the chain of `header` run together, or -1 where there is no such header. */
  #sharedHeight(header: number): number {
    return header < 0 ? -1 : this.#tree.height(this.#tree.fork(this.#tree.best, header))
  }

  /** Notes that the peer has `header` and all before it. */
  #has(peer: PeerView, header: number, out: Outbox<HeaderSyncOutput>): void {
    if (peer.best < 0 || this.#tree.compareWork(header, peer.best) > 0) peer.best = header
    if (!peer.askedForHeaders && this.#tree.chainWork(peer.best) >= this.#tree.params.minimumChainWork) {
      peer.askedForHeaders = true
      out.push({ _tag: "Send", peer: peer.id, message: SENDHEADERS })
    }
  }

  #serve(peer: PeerView, message: GetHeaders, out: Outbox<HeaderSyncOutput>): void {
    if (!this.#roles.serve) return
    const tree = this.#tree
    const tip = tree.best
    let from: number
    let to: number
    if (message.locator.length === 0) {
      // Without a locator it asks for the one header that it names.
      const wanted = tree.find(message.stopHash)
      if (wanted <= 0) return
      from = tree.height(wanted)
      to = from
      if (tree.ancestor(tip, from) !== wanted) return
    } else {
      from = tree.height(locate(tree, tip, message.locator)) + 1
      to = Math.min(tree.height(tip), from + MAX_HEADERS_RESULTS - 1)
      const stop = tree.find(message.stopHash)
      if (stop >= 0 && tree.ancestor(tip, tree.height(stop)) === stop) to = Math.min(to, tree.height(stop))
    }
    // Until our chain has the work that the network is known to have, it is none to be followed (Core answers with nothing too).
    const empty = to < from || tree.chainWork(tip) < tree.params.minimumChainWork
    const headers = empty ? new Uint8Array(0) : tree.rawChain(tip, from, to)
    if (!empty) peer.sent = tree.ancestor(tip, to)
    out.push({ _tag: "Send", peer: peer.id, message: headersMessage(headers) })
  }

  #inventory(peer: PeerView, message: Inv, now: Now, out: Outbox<HeaderSyncOutput>): void {
    let unknown = false
    const { inventory } = message
    for (let i = 0; i < inventory.count; i++) {
      if (inventory.typeAt(i) !== MSG_BLOCK) continue
      const header = this.#tree.find(inventory.hashAt(i))
      if (header >= 0) this.#has(peer, header, out)
      else unknown = true
    }
    if (unknown) this.#ask(peer, this.#tree.best, now, out)
  }

  #submit(headers: Uint8Array, count: number, now: Now, out: Outbox<HeaderSyncOutput>): void {
    const acceptance = this.#accept(headers, count, undefined, now, out)
    if (acceptance._tag === "Unconnected") out.push({ _tag: "SubmitRefused", rule: "unconnected", index: 0 })
    else if (acceptance.fault !== undefined) out.push({ _tag: "SubmitRefused", ...acceptance.fault })
  }

  #timeout(now: Now, out: Outbox<HeaderSyncOutput>): void {
    for (let id = this.#deadlines.takeDue(now.instant); id !== undefined; id = this.#deadlines.takeDue(now.instant)) {
      const peer = this.#peers.get(id)
      if (peer === undefined || this.#syncing !== peer) continue
      this.#syncing = undefined
      // Slow costs the connection when somebody else can be asked, and nothing else.
      if (this.#waiting.size > 0) out.push({ _tag: "TooSlow", peer: id, reason: { _tag: "HeadersTimeout" } })
    }
    for (let id = this.#askAgain.takeDue(now.instant); id !== undefined; id = this.#askAgain.takeDue(now.instant)) {
      const peer = this.#peers.get(id)
      if (peer !== undefined) this.#ask(peer, this.#tree.best, now, out)
    }
    this.#startMore(now, out)
  }
}
