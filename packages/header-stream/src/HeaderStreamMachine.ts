/**
 * Header sync for somebody who has a list of peers and no others to turn to: `HeaderSync`, and beside it the question whether the peers that
 * were asked are of any use.
 *
 * ```
 *   PeerReady, PeerGone, Received, Timeout ─▶ HeaderSync ─▶ Send, HeadersAccepted, TipChanged
 *                                                │
 *                       who was asked, who brought something new ─▶ LetGo
 * ```
 *
 * Specification: while the best chain is still to be found, a peer that was asked has two minutes after the last new thing that it sent.
 * The chain is found when a connected peer has no more of it and it has the network's least work. Rationale: Core can wait for ever
 * for a silent peer, because it finds others; here nobody would be left to ask, and nothing would ever be said.
 */
import type { Sha256 } from "@satwire/crypto"
import {
  type ChainTimeout,
  HEADERS_RESPONSE_TIME_MS,
  HeaderSync,
  type HeaderSyncInput,
  type HeaderSyncOutput,
  type HeaderTree,
  type HeadersTimeout,
  type InvalidHeader,
  type LittleWork
} from "@satwire/header-sync"
import {
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  type Random,
  after,
  earliest
} from "@satwire/machine"
import { type BlockHash, HEADER_SIZE, headerHash, type HeaderPoint } from "@satwire/primitives"
import { type Headers, MAX_HEADERS_RESULTS, PROTOCOL_VERSION } from "@satwire/wire"

export type HeaderStreamInput =
  | Extract<HeaderSyncInput, { readonly _tag: "PeerReady" | "PeerGone" | "Received" | "Timeout" }>
  /** A header cannot be that of a valid block, whoever found that out: it is in no best chain any more. */
  | { readonly _tag: "Invalidate"; readonly hash: BlockHash }
  /** Nothing is read from the peers for now, or it is again: they cannot be late meanwhile. */
  | { readonly _tag: "Hold"; readonly held: boolean }

/** Why a peer is of no use to a header stream. */
export type ServingFault =
  /** A header of its breaks a rule of consensus, as no honest peer's does. */
  | InvalidHeader
  /** It took too long, while another could be asked. */
  | HeadersTimeout
  | ChainTimeout
  /** All that it has is less work than the network is known to have. */
  | LittleWork
  /** It was asked, and sent nothing new in `HEADERS_RESPONSE_TIME_MS` (2 minutes) while the best chain was still to be found. */
  | { readonly _tag: "NotServing" }

export type HeaderStreamOutput =
  | Extract<HeaderSyncOutput, { readonly _tag: "Send" | "HeadersAccepted" | "TipChanged" }>
  /** The connection with the peer is to end. */
  | { readonly _tag: "LetGo"; readonly peer: PeerId; readonly fault: ServingFault }

/** What is known of a connected peer. */
interface Server {
  readonly id: PeerId
  /** When it was asked first or sent something new last; `undefined` before it was asked. */
  usefulAt: Instant | undefined
  /** It has no more than it sent. */
  isDone: boolean
  /** It sent headers that were new. */
  hasServed: boolean
  isLetGo: boolean
}

export class HeaderStreamMachine implements Machine<HeaderStreamInput, HeaderStreamOutput> {
  readonly #sync: HeaderSync
  readonly #tree: HeaderTree
  readonly #sha256: Sha256
  readonly #servers: Map<PeerId, Server> = new Map()
  #isHeld = false
  #isFound = false
  /** Those of the turn that is under way. */
  #now: Now | undefined = undefined
  #out: Outbox<HeaderStreamOutput> = { push: () => {} }
  readonly #fromSync: Outbox<HeaderSyncOutput> = { push: (output) => this.#syncSays(output) }

  constructor(options: {
    readonly tree: HeaderTree
    readonly sha256: Sha256
    readonly random: Random
    readonly skeleton: ReadonlyArray<HeaderPoint> | undefined
  }) {
    const roles = { serve: false, announce: false }
    this.#sync = new HeaderSync({ ...options, roles, protocolVersion: PROTOCOL_VERSION })
    this.#tree = options.tree
    this.#sha256 = options.sha256
  }

  /** Whether a connected peer has no more than is here, and that has the network's least work. */
  get isFound(): boolean {
    return this.#isFound
  }

  /** Whether the peer, which is connected, has brought headers that were new. */
  hasServed(peer: PeerId): boolean {
    return this.#servers.get(peer)?.hasServed === true
  }

  /** The header of most work that we know the peer has, or -1. */
  bestOf(peer: PeerId): number {
    return this.#sync.bestOf(peer)
  }

  /** Whether nothing is held for any peer. */
  get isEmpty(): boolean {
    return this.#servers.size === 0 && this.#sync.isEmpty
  }

  nextTimeout(): Instant | undefined {
    let next = this.#sync.nextTimeout()
    for (const server of this.#servers.values()) next = earliest(next, this.#deadline(server))
    return next
  }

  handle(input: HeaderStreamInput, now: Now, out: Outbox<HeaderStreamOutput>): void {
    this.#now = now
    this.#out = out
    switch (input._tag) {
      case "Hold":
        this.#isHeld = input.held
        if (!input.held) this.#startAnew()
        return
      case "PeerReady":
        this.#servers.set(input.peer, serverOf(input.peer))
        this.#sync.handle(input, now, this.#fromSync)
        break
      case "Received":
        this.#received(input, now)
        break
      case "PeerGone":
        this.#servers.delete(input.peer)
        this.#sync.handle(input, now, this.#fromSync)
        break
      case "Invalidate":
      case "Timeout":
        this.#sync.handle(input, now, this.#fromSync)
        break
    }
    this.#look(now.instant)
  }

  #received(input: HeaderStreamInput & { readonly _tag: "Received" }, now: Now): void {
    const server = this.#servers.get(input.peer)
    if (server === undefined || server.isLetGo) return
    this.#sync.handle(input, now, this.#fromSync)
    if (input.message._tag !== "headers") return
    // It says so once: who says it again and again brings nothing new.
    if (this.#endsChain(input.message) && !server.isDone) this.#useful(server).isDone = true
  }

  /** Whether the answer says that there is no more behind what is here. */
  #endsChain({ count, headers }: Headers): boolean {
    if (this.#sync.hasSkeleton || count === MAX_HEADERS_RESULTS) return false
    if (count === 0) return true
    const last = headers.subarray((count - 1) * HEADER_SIZE, count * HEADER_SIZE)
    return this.#tree.find(headerHash(this.#sha256, last)) >= 0
  }

  #syncSays(output: HeaderSyncOutput): void {
    switch (output._tag) {
      case "Send":
        if (output.message._tag === "getheaders") this.#asked(output.peer)
        return this.#out.push(output)
      case "HeadersAccepted": {
        const server = output.from === undefined ? undefined : this.#servers.get(output.from)
        if (server !== undefined) this.#useful(server).hasServed = true
        return this.#out.push(output)
      }
      case "TipChanged":
        return this.#out.push(output)
      case "Presynced": {
        const server = this.#servers.get(output.peer)
        if (server !== undefined) this.#useful(server)
        return
      }
      case "Misbehaved":
        return this.#letGo(output.peer, output.reason)
      case "TooSlow":
        // Who is not read from is not slow.
        return this.#isHeld ? undefined : this.#letGo(output.peer, output.reason)
      case "SkeletonEnded":
        return this.#startAnew()
      case "TipStale":
      case "Protected":
      case "SubmitRefused":
        return
    }
  }

  #asked(peer: PeerId): void {
    const server = this.#servers.get(peer)
    if (server !== undefined) server.usefulAt ??= this.#now?.instant
  }

  #useful(server: Server): Server {
    if (server.usefulAt !== undefined) server.usefulAt = this.#now?.instant
    return server
  }

  #letGo(peer: PeerId, fault: ServingFault): void {
    const server = this.#servers.get(peer)
    if (server === undefined || server.isLetGo) return
    server.isLetGo = true
    this.#out.push({ _tag: "LetGo", peer, fault })
  }

  /** Sees whether the chain is found or lost again, and lets go who is late. */
  #look(now: Instant): void {
    const { best, params } = this.#tree
    const servers = [...this.#servers.values()]
    const isFound =
      servers.some(({ isDone, isLetGo }) => isDone && !isLetGo) && this.#tree.chainWork(best) >= params.minimumChainWork
    // What nobody had to bring before is to be brought from now on.
    if (this.#isFound && !isFound) this.#startAnew()
    this.#isFound = isFound
    for (const server of servers) {
      const deadline = this.#deadline(server)
      if (deadline !== undefined && deadline <= now) this.#letGo(server.id, { _tag: "NotServing" })
    }
  }

  #deadline({ isLetGo, usefulAt }: Server): Instant | undefined {
    if (this.#isFound || this.#isHeld || this.#sync.hasSkeleton || isLetGo || usefulAt === undefined) return undefined
    return after(usefulAt, HEADERS_RESPONSE_TIME_MS)
  }

  #startAnew(): void {
    for (const server of this.#servers.values()) this.#useful(server)
  }
}

const serverOf = (id: PeerId): Server => ({
  id,
  usefulAt: undefined,
  isDone: false,
  hasServed: false,
  isLetGo: false
})
