/**
 * A node without its I/O: one peer machine for each connection, the managers behind them, and the routes between. It has no policy of
 * its own.
 *
 * ```
 *   BytesReceived ─▶ Peer ─▶ Received(message) ─▶ ROUTES ─▶ HeaderSync ─▶ facts
 *        Write ◀── Peer ◀──────── Send(message) ◀──────────────┘
 * ```
 *
 * One turn: one input, fully handled; then one write for each peer that has bytes.
 */
import type { Sha256 } from "@satwire/crypto"
import { V1Framing } from "@satwire/framing"
import {
  HeaderSync,
  type HeaderSyncInput,
  type HeaderSyncMessage,
  type HeaderSyncOutput,
  type HeaderTree
} from "@satwire/header-sync"
import {
  Deadlines,
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  type Random,
  assert,
  earliest
} from "@satwire/machine"
import { Miner, type MinerOutput } from "@satwire/mining"
import {
  type ConnectionKind,
  type DisconnectCost,
  Peer,
  directionOf,
  type PeerIdentity,
  type PeerOutput
} from "@satwire/peer"
import type { ChainParams } from "@satwire/primitives"
import { type Message, PROTOCOL_VERSION } from "@satwire/wire"
import type { DisconnectReason } from "./DisconnectReason.ts"
import type { NodeCoreInput, NodeCoreOutput, PeerStatus, Queries, Roles } from "./NodeCoreEvents.ts"
import { ROUTES } from "./Routes.ts"

/**
 * How many peers with something due are served in one turn; the rest have theirs in the next.
 *
 * @limit peers whose timeouts are handled in one turn
 */
export const TIMEOUTS_PER_TURN = 8

export interface NodeCoreOptions {
  readonly params: ChainParams
  readonly roles: Roles
  /** The headers, however they came to be here. The node adds to them. */
  readonly tree: HeaderTree
  readonly sha256: Sha256
  readonly random: Random
  /** BIP-0014. */
  readonly userAgent: string
  /** What our `version` offers. */
  readonly services: bigint
}

/** One connection, as the router sees it. */
interface Entry {
  readonly id: PeerId
  readonly address: string
  readonly kind: ConnectionKind
  readonly machine: Peer
  /** Where the peer machine's outputs go. */
  readonly outbox: Outbox<PeerOutput>
  ready: boolean
  paused: boolean
  /** It was touched in this turn and has its write and deadline still to come. */
  touched: boolean
}

export class NodeCore implements Machine<NodeCoreInput, NodeCoreOutput> {
  readonly #options: NodeCoreOptions
  readonly #entries: Map<PeerId, Entry> = new Map()
  readonly #deadlines: Deadlines<PeerId> = new Deadlines()
  readonly #headerSync: HeaderSync | undefined
  /** Outbound peers that have not finished their handshake: whose nonces we would meet if we dialled ourselves. */
  readonly #shakingHands: Set<Entry> = new Set()
  readonly #identity: PeerIdentity
  #touched: Array<Entry> = []
  /** Those of the turn that is under way. */
  #now: Now = { instant: 0 as Instant, unix: 0 as Now["unix"] }
  #out: Outbox<NodeCoreOutput> = { push: () => {} }
  readonly #miner: Miner | undefined
  readonly #minerOutbox: Outbox<MinerOutput> = { push: (output) => this.#fromMiner(output) }
  readonly #headerSyncOutbox: Outbox<HeaderSyncOutput> = { push: (output) => this.#fromHeaderSync(output) }
  /** Inputs that what header sync puts out brings about, while it is at work: a peer that it found at fault is gone. */
  #forHeaderSync: Array<HeaderSyncInput> = []
  #headerSyncIsAtWork = false

  constructor(options: NodeCoreOptions) {
    this.#options = options
    const { headers } = options.roles
    this.#headerSync =
      headers === undefined
        ? undefined
        : new HeaderSync({
            tree: options.tree,
            sha256: options.sha256,
            roles: headers,
            protocolVersion: PROTOCOL_VERSION
          })
    const { mining } = options.roles
    this.#miner =
      mining === undefined
        ? undefined
        : new Miner({
            params: options.params,
            view: options.tree,
            sha256: options.sha256,
            payTo: mining.payTo,
            firstExtraNonce: options.random.u32()
          })
    this.#identity = {
      describe: () => ({
        protocolVersion: PROTOCOL_VERSION,
        services: options.services,
        userAgent: options.userAgent,
        startHeight: options.tree.height(options.tree.best),
        relay: false
      }),
      isOwnNonce: (nonce) => {
        for (const entry of this.#shakingHands) if (entry.machine.openNonce === nonce) return true
        return false
      }
    }
  }

  handle(input: NodeCoreInput, now: Now, out: Outbox<NodeCoreOutput>): void {
    this.#now = now
    this.#out = out
    this.#input(input)
    this.#endTurn()
  }

  nextTimeout(): Instant | undefined {
    const managers = earliest(this.#headerSync?.nextTimeout(), this.#miner?.nextTimeout())
    return earliest(this.#deadlines.earliest(), managers)
  }

  /** Reads state between turns. */
  query<Name extends keyof Queries>(name: Name): Queries[Name] {
    const answers: { readonly [N in keyof Queries]: () => Queries[N] } = {
      peers: () => [...this.#entries.values()].map(status),
      headers: () => this.#headerSync?.snapshot()
    }
    return answers[name]()
  }

  /** Whether nothing is held for any peer: so it is after the last one left. */
  get isEmpty(): boolean {
    const headers = this.#headerSync?.snapshot()
    return (
      this.#entries.size === 0 &&
      this.#deadlines.size === 0 &&
      this.#shakingHands.size === 0 &&
      (headers === undefined || (headers.peers === 0 && this.#headerSync?.nextTimeout() === undefined))
    )
  }

  #input(input: NodeCoreInput): void {
    switch (input._tag) {
      case "ConnectionOpened":
        return this.#opened(input.peer, input.kind, input.address)
      case "BytesReceived": {
        const entry = this.#entries.get(input.peer)
        if (entry !== undefined)
          this.#touch(entry).machine.handle({ _tag: "Bytes", chunk: input.chunk }, this.#now, entry.outbox)
        return
      }
      case "SendBlocked": {
        const entry = this.#entries.get(input.peer)
        if (entry !== undefined) {
          this.#touch(entry).machine.handle({ _tag: "SendBlocked", blocked: input.blocked }, this.#now, entry.outbox)
        }
        return
      }
      case "ConnectionClosed":
        return this.#drop(input.peer, { _tag: "ClosedByPeer", how: input.how }, "disconnect")
      case "Disconnect":
        return this.#close(input.peer, { _tag: "Requested" }, "disconnect")
      case "SubmitHeaders":
        return this.#toHeaderSync({ _tag: "Submit", headers: input.headers, count: input.count })
      case "MakeBlock":
        this.#miner?.handle({ _tag: "MakeBlock" }, this.#now, this.#minerOutbox)
        return
      case "Timeout":
        return this.#timeout()
    }
  }

  #opened(id: PeerId, kind: ConnectionKind, address: string): void {
    const { random, params, sha256 } = this.#options
    assert(!this.#entries.has(id), `connection ${id} is opened twice`)
    const entry: Entry = {
      id,
      address,
      kind,
      machine: new Peer({
        kind,
        identity: this.#identity,
        framing: new V1Framing({ magic: params.magic, sha256 }),
        random,
        openedAt: this.#now.instant
      }),
      outbox: { push: (output) => this.#fromPeer(entry, output) },
      ready: false,
      paused: false,
      touched: false
    }
    this.#entries.set(id, entry)
    if (kind !== "inbound") this.#shakingHands.add(entry)
    this.#out.push({ _tag: "PeerConnected", peer: id, kind, direction: directionOf(kind), address })
    this.#touch(entry).machine.handle({ _tag: "Opened" }, this.#now, entry.outbox)
  }

  #fromPeer(entry: Entry, output: PeerOutput): void {
    switch (output._tag) {
      case "Ready":
        entry.ready = true
        this.#shakingHands.delete(entry)
        this.#out.push({ _tag: "PeerReady", peer: entry.id, address: entry.address, info: output.info })
        return this.#toHeaderSync({ _tag: "PeerReady", peer: entry.id, outbound: entry.kind !== "inbound" })
      case "Received":
        return this.#route(entry, output.message)
      case "Pong":
        return
      case "Dropped":
        this.#out.push({ _tag: "MessageDropped", peer: entry.id, command: output.command, why: output.why })
        return
      case "Disconnect":
        return this.#close(entry.id, output.reason, output.cost)
    }
  }

  #route(entry: Entry, message: Message): void {
    switch (ROUTES[message._tag]) {
      case "headerSync":
        return this.#toHeaderSync({ _tag: "Received", peer: entry.id, message: message as HeaderSyncMessage })
      case "peer":
      case "ignore":
        return
    }
  }

  /** One input after another: a machine is never entered while it is at work. */
  #toHeaderSync(input: HeaderSyncInput): void {
    const headerSync = this.#headerSync
    if (headerSync === undefined) return
    if (this.#headerSyncIsAtWork) {
      this.#forHeaderSync.push(input)
      return
    }
    this.#headerSyncIsAtWork = true
    for (let next: HeaderSyncInput | undefined = input; next !== undefined; next = this.#forHeaderSync.shift()) {
      headerSync.handle(next, this.#now, this.#headerSyncOutbox)
    }
    this.#headerSyncIsAtWork = false
  }

  #fromHeaderSync(output: HeaderSyncOutput): void {
    switch (output._tag) {
      case "Send": {
        const entry = this.#entries.get(output.peer)
        if (entry !== undefined) {
          this.#touch(entry).machine.handle({ _tag: "Send", message: output.message }, this.#now, entry.outbox)
        }
        return
      }
      case "Misbehaved":
        return this.#close(output.peer, output.reason, "discourage")
      case "TooSlow":
        return this.#close(output.peer, output.reason, "disconnect")
      case "HeadersAccepted":
        this.#out.push({ _tag: "HeadersAccepted", headers: output.headers, count: output.count, from: output.from })
        return
      case "TipChanged":
        this.#out.push(output)
        this.#miner?.handle({ _tag: "TipMoved" }, this.#now, this.#minerOutbox)
        return
      default:
        this.#out.push(output)
    }
  }

  #fromMiner(output: MinerOutput): void {
    this.#out.push(output)
    this.#toHeaderSync({ _tag: "Submit", headers: output.header, count: 1 })
  }

  /** Ends a connection from our side. */
  #close(id: PeerId, reason: DisconnectReason, cost: DisconnectCost): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#write(entry)
    this.#out.push({ _tag: "Close", peer: id })
    this.#drop(id, reason, cost)
  }

  /** Forgets a connection everywhere. */
  #drop(id: PeerId, reason: DisconnectReason, cost: DisconnectCost): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#deadlines.set(id, undefined)
    this.#shakingHands.delete(entry)
    // It may be in the middle of a chunk, whose rest concerns nobody any more.
    entry.machine.handle({ _tag: "Close" }, this.#now, entry.outbox)
    this.#out.push({ _tag: "PeerDisconnected", peer: id, address: entry.address, reason, cost })
    if (entry.ready) this.#toHeaderSync({ _tag: "PeerGone", peer: id })
  }

  #timeout(): void {
    const { instant } = this.#now
    for (let served = 0; served < TIMEOUTS_PER_TURN; served++) {
      const id = this.#deadlines.takeDue(instant)
      if (id === undefined) break
      const entry = this.#entries.get(id)
      if (entry !== undefined) this.#touch(entry).machine.handle({ _tag: "Timeout" }, this.#now, entry.outbox)
    }
    if (isDue(this.#headerSync, instant)) this.#toHeaderSync({ _tag: "Timeout" })
    if (isDue(this.#miner, instant)) this.#miner?.handle({ _tag: "Timeout" }, this.#now, this.#minerOutbox)
  }

  #touch(entry: Entry): Entry {
    if (!entry.touched) {
      entry.touched = true
      this.#touched.push(entry)
    }
    return entry
  }

  /** One write, one deadline and one word on reading for every peer that had to do with this turn. */
  #endTurn(): void {
    const touched = this.#touched
    if (touched.length === 0) return
    this.#touched = []
    for (const entry of touched) {
      entry.touched = false
      if (!this.#entries.has(entry.id)) continue
      this.#write(entry)
      this.#deadlines.set(entry.id, entry.machine.nextTimeout())
      const paused = entry.machine.shouldPause
      if (paused !== entry.paused) {
        entry.paused = paused
        this.#out.push({ _tag: "Pause", peer: entry.id, paused })
      }
    }
  }

  #write(entry: Entry): void {
    const bytes = entry.machine.takeOutput(this.#now)
    if (bytes !== undefined) this.#out.push({ _tag: "Write", peer: entry.id, bytes })
  }
}

const isDue = (machine: { nextTimeout(): Instant | undefined } | undefined, instant: Instant): boolean =>
  (machine?.nextTimeout() ?? Infinity) <= instant

const status = (entry: Entry): PeerStatus => ({ peer: entry.id, address: entry.address, ...entry.machine.snapshot() })
