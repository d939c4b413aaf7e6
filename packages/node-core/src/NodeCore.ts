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
import {
  ConnectionManager,
  type ConnectionsInput,
  type ConnectionsOutput,
  type PeerDeeds,
  type Permission
} from "@satwire/connections"
import { nodeOf } from "@satwire/discovery"
import {
  InboundFraming,
  type InboundOptions,
  V1Framing,
  type V1Options,
  V2Framing,
  type V2Options,
  shouldRetryAsV1
} from "@satwire/framing"
import {
  IdMap,
  Deadlines,
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  type UnixSeconds,
  assert,
  earliest
} from "@satwire/machine"
import {
  NETWORKS,
  type NetAddr,
  type NetGroups,
  type Network,
  type NodeAddress,
  isSameNode,
  isValid,
  parseNode
} from "@satwire/netaddress"
import {
  type DisconnectCost,
  type ConnectionKind,
  type MessageWatch,
  type OwnDescription,
  Peer,
  type PeerInput,
  directionOf,
  type PeerIdentity,
  type PeerOutput
} from "@satwire/peer"
import { type Message, NODE_BLOOM, PROTOCOL_VERSION } from "@satwire/wire"
import type { DisconnectReason } from "./DisconnectReason.ts"
import { Addresses, type AddressesHost, type AddressesRole } from "./Addresses.ts"
import { Chain, type ChainHost, MAX_TIP_AGE_S } from "./Chain.ts"
import { DEFAULT_CONNECTIONS_ROLE, managerOptions } from "./ConnectionsRole.ts"
import { Exchanges } from "./Exchanges.ts"
import { HistoricUpload } from "./HistoricUpload.ts"
import { type ChainLookups, Manager } from "@satwire/node-roles"
import type { NodeCoreOptions, NodeCoreWatch } from "./NodeCoreOptions.ts"
import type { NodeCoreInput, NodeCoreOutput, PeerStatus, Queries } from "./NodeCoreEvents.ts"
import { type OwnStatus, type PeerDetails, medianOffset } from "./PeerDetails.ts"
import { PeerEntry } from "./PeerEntry.ts"
import { TrafficTotals } from "./TrafficTotals.ts"
import { ROUTES } from "./Routes.ts"

/**
 * How many peers with something due are served in one turn; the rest have theirs in the next.
 *
 * @limit peers whose timeouts are handled in one turn
 */
export const TIMEOUTS_PER_TURN = 8
/**
 * How many bytes of replies those peers may be sent in one turn; the one that fills them is the last.
 *
 * @limit bytes of replies in a turn that handles timeouts
 */
const REPLY_BYTES_OF_TIMEOUTS = 262_144
/**
 * How many received bytes may wait over all peers for the rest of their messages, or in long lists for their turn. Beyond that the peer that
 * has most of them is let go.
 *
 * @limit bytes received of all peers that wait for the rest of their messages, or for their turn
 */
export const DEFAULT_MAX_RECEIVED_BYTES: number = 256 * 1024 * 1024

export class NodeCore implements Machine<NodeCoreInput, NodeCoreOutput> {
  readonly #options: NodeCoreOptions
  readonly #entries: IdMap<PeerId, PeerEntry> = new IdMap()
  readonly #deadlines: Deadlines<PeerId> = new Deadlines(new IdMap())
  readonly #connections: ConnectionManager
  readonly #toConnectionManager: Manager<ConnectionsInput, ConnectionsOutput>
  readonly #addresses: Addresses | undefined
  readonly #chain: Chain
  /** Outbound peers that have not finished their handshake: whose nonces we would meet if we dialled ourselves. */
  readonly #shakingHands: Set<PeerEntry> = new Set()
  readonly #identity: PeerIdentity
  /** That for peers who may set bloom filters by permission. */
  readonly #bloomIdentity: PeerIdentity
  readonly #exchanges: Exchanges<PeerEntry> = new Exchanges()
  /** Since when any wait for their exchange. */
  #exchangeAt: Instant | undefined = undefined
  readonly #historic: HistoricUpload
  readonly #traffic: TrafficTotals = new TrafficTotals()
  /** What every encrypted transport is made of. */
  readonly #v1: V1Options
  readonly #v2: (V2Options & InboundOptions) | undefined
  readonly #maxReceivedBytes: number
  #heldBytes = 0
  #touched: Array<PeerEntry> = []
  readonly #fromPeers = (entry: PeerEntry, output: PeerOutput): void => this.#fromPeer(entry, output)
  /** Those of the turn that is under way. */
  #now: Now = { instant: 0 as Instant, unix: 0 as Now["unix"] }
  #out: Outbox<NodeCoreOutput> = { push: () => {} }
  readonly #countsUpload: boolean
  readonly #groups: Pick<NetGroups, "mappedAs">
  #lastSeenAs: NodeAddress | undefined = undefined
  #hasBegun = false
  /** Whether the best chain has ever been near the present. */
  #isNearTip = false
  /** Whether the connection that is being opened may stay. */
  #admitted: ReadonlySet<Permission> | undefined = undefined

  constructor(options: NodeCoreOptions) {
    this.#options = options
    this.#historic = new HistoricUpload(options.historicBytesPerSecond)
    this.#maxReceivedBytes = options.maxReceivedBytes ?? DEFAULT_MAX_RECEIVED_BYTES
    const { v2, params, sha256, random } = options
    this.#v1 = { magic: params.magic, sha256 }
    this.#v2 =
      v2 === undefined
        ? undefined
        : { ...v2, magic: params.magic, sha256, random, initiating: true, deferExchange: true }
    const { addresses, connections = DEFAULT_CONNECTIONS_ROLE } = options.roles
    this.#chain = this.#makeChain()
    const managing = managerOptions(connections, addresses, options)
    this.#groups = managing.groups
    this.#connections = new ConnectionManager(managing)
    this.#countsUpload = (connections.uploadTargetBytes ?? 0) > 0
    this.#toConnectionManager = new Manager(this.#connections, (output: ConnectionsOutput) =>
      this.#fromConnections(output)
    )
    this.#addresses = addresses === undefined ? undefined : this.#makeAddresses(addresses, connections.networks)
    this.#identity = {
      describe: () => ({
        protocolVersion: PROTOCOL_VERSION,
        services: options.services,
        userAgent: options.userAgent,
        startHeight: options.tree.height(options.tree.best),
        relay: options.roles.transactions !== undefined && options.roles.transactions.fetches !== false
      }),
      wants: (services) => managing.wants(services, this.#now),
      isOwnNonce: (nonce) => {
        for (const entry of this.#shakingHands) {
          if (entry.machine.openNonce !== nonce) continue
          entry.reachedItself = true
          return true
        }
        return false
      }
    }
    const described = (): OwnDescription => ({ ...this.#identity.describe(), services: options.services | NODE_BLOOM })
    this.#bloomIdentity = { ...this.#identity, describe: described }
  }

  #makeAddresses(role: AddressesRole, networks: ReadonlyArray<Network> | undefined): Addresses {
    const { random, services, sha256 } = this.#options
    const refusals = {
      isRefused: (host: NetAddr, unix: UnixSeconds) => this.#connections.isRefused(host, unix)
    }
    const host: AddressesHost = {
      send: (peer, message, isAnnouncement) => this.#send(peer, message, isAnnouncement ? "address" : undefined),
      close: (peer, reason, cost) => this.#close(peer, reason, cost),
      known: () => this.#toConnections({ _tag: "AddressesKnown" }),
      fetchFrom: (endpoint) => this.#toConnections({ _tag: "DialOnce", endpoint, kind: "addr-fetch" }),
      tell: (output) => this.#out.push(output),
      learned: (from, told, added) => {
        this.#out.push({ _tag: "AddressesLearned", from, told, added })
        if (added > 0) this.#toConnections({ _tag: "AddressesKnown" })
      }
    }
    return new Addresses(role, { random: random.fork(), sha256, services, networks, refusals, host })
  }

  #makeChain(): Chain {
    const host: ChainHost = {
      send: (peer, message, about, isHistoric) => this.#send(peer, message, about, isHistoric),
      sendPart: (peer, message, hasMore) => {
        const entry = this.#entries.get(peer)
        if (entry !== undefined) this.#touch(entry).machine.handle({ _tag: "Send", message, hasMore }, this.#now, entry)
      },
      owe: (peer, by, owed) => {
        const entry = this.#entries.get(peer)
        if (entry === undefined || !entry.owe(by, owed)) return
        this.#touch(entry).machine.handle({ _tag: "ReplyOwed", owed: entry.isServed }, this.#now, entry)
      },
      close: (peer, reason, cost) => this.#close(peer, reason, cost),
      isTargetReached: (now, isHistoric) => {
        if (!this.#countsUpload) return false
        const { isReached, isReachedForHistoric } = this.#connections.uploadLeft(now)
        return isHistoric ? isReachedForHistoric : isReached
      },
      connections: (input) => this.#toConnections(input),
      tell: (output) => this.#out.push(output)
    }
    return new Chain(this.#options, host)
  }

  handle(input: NodeCoreInput, now: Now, out: Outbox<NodeCoreOutput>): void {
    this.#now = now
    this.#out = out
    this.#historic.beginTurn()
    this.#chain.begin(now)
    if (!this.#hasBegun) {
      this.#hasBegun = true
      this.#addresses?.start(now)
    }
    if (!this.#isNearTip) this.#lookHowNear()
    this.#input(input)
    this.#endTurn()
  }

  nextTimeout(): Instant | undefined {
    const managers = earliest(this.#chain.nextTimeout(), this.#addresses?.nextTimeout())
    return earliest(
      earliest(this.#deadlines.earliest(), this.#exchangeAt),
      earliest(managers, this.#connections.nextTimeout())
    )
  }

  /** The end of the chain of which we have the blocks, by the number of its header; the tree's first without the role. */
  get blockTip(): number {
    return this.#chain.blockTip
  }

  /** Whether a block of that chain does not matter, where only those that do are kept. */
  isPassedOver(header: number): boolean {
    return this.#chain.isPassedOver(header)
  }

  /** Whether there is such a connection. */
  has(peer: PeerId): boolean {
    return this.#entries.has(peer)
  }

  /** What can be looked up between turns, one thing at a time. */
  get lookups(): ChainLookups {
    return this.#chain.lookups
  }

  /** Reads state between turns. */
  query<Name extends keyof Queries>(name: Name): Queries[Name] {
    const answers: { readonly [N in keyof Queries]: () => Queries[N] } = {
      peers: () => this.#inOrder().map((entry) => status(entry, this.#addresses)),
      peerDetails: () => this.#details(),
      self: () => this.#self(),
      headers: () => this.#chain.query("headers"),
      blocks: () => this.#chain.query("blocks"),
      filters: () => this.#chain.query("filters"),
      tips: () => this.#chain.query("tips"),
      pool: () => this.#chain.query("pool"),
      compact: () => this.#chain.query("compact"),
      connections: () => this.#connections.snapshot(),
      bans: () => this.#connections.bans.list(this.#now.unix),
      kept: () => this.#connections.kept,
      upload: () => this.#connections.uploadLeft(this.#now),
      addresses: () => this.#addresses?.known,
      local: () => this.#addresses?.local ?? [],
      traffic: () => this.#traffic.with(this.#inOrder().map(({ machine }) => machine.snapshot()))
    }
    return answers[name]()
  }

  #details(): ReadonlyArray<PeerDetails> {
    const ofChain = this.#chain.details()
    return this.#inOrder().map((entry) => {
      const { address, id, seenAs, socket } = entry
      const { lastBlockAt, lastTransactionAt } = this.#connections.deeds(id) ?? NO_DEEDS
      const host = parseNode(address)
      const mappedAs = host === undefined ? 0 : this.#groups.mappedAs(host)
      return {
        ...status(entry, this.#addresses),
        ...ofChain(id),
        lastBlockAt,
        lastTransactionAt,
        socket,
        seenAs,
        mappedAs
      }
    })
  }

  #self(): OwnStatus {
    const { protocolVersion, relay, services, userAgent } = this.#identity.describe()
    const { isActive, most } = this.#connections
    const offsets = this.#inOrder().flatMap(({ kind, machine }) =>
      kind === "inbound" ? [] : (machine.snapshot().info?.timeOffsetSeconds ?? [])
    )
    return {
      protocolVersion,
      services,
      userAgent,
      relaysTransactions: relay,
      isNetworkActive: isActive,
      timeOffsetSeconds: medianOffset(offsets),
      networks: this.#options.roles.connections?.networks ?? NETWORKS.map(({ network }) => network),
      speaksV2: this.#v2 !== undefined,
      maxFullRelay: most.fullRelay,
      maxBlockRelayOnly: most.blockRelayOnly
    }
  }

  /** Connections in the order in which they were opened. */
  #inOrder(): ReadonlyArray<PeerEntry> {
    return [...this.#entries.values()].toSorted((a, b) => a.id - b.id)
  }

  /** Whether nothing is held for any peer: so it is after the last one left. */
  get isEmpty(): boolean {
    return (
      this.#entries.size === 0 &&
      this.#connections.isEmpty &&
      this.#addresses?.isEmpty !== false &&
      this.#chain.isEmpty &&
      this.#deadlines.size === 0 &&
      this.#shakingHands.size === 0 &&
      this.#exchanges.size === 0 &&
      this.#historic.size === 0 &&
      this.#heldBytes === 0
    )
  }

  #input(input: NodeCoreInput): void {
    switch (input._tag) {
      case "ConnectionOpened":
        return this.#opened(input)
      case "BytesReceived": {
        const entry = this.#entries.get(input.peer)
        if (entry !== undefined)
          this.#touch(entry).machine.handle({ _tag: "Bytes", chunk: input.chunk }, this.#now, entry)
        return
      }
      case "SendBlocked": {
        const entry = this.#entries.get(input.peer)
        if (entry !== undefined) {
          this.#touch(entry).machine.handle({ _tag: "SendBlocked", blocked: input.blocked }, this.#now, entry)
        }
        return
      }
      case "ConnectionClosed":
        this.#drop(input.peer, { _tag: "ClosedByPeer", how: input.how }, "disconnect")
        return this.#toConnections({ _tag: "Closed", peer: input.peer })
      case "Disconnect":
        return this.#close(input.peer, { _tag: "Requested" }, "disconnect")
      case "SendPings":
        for (const entry of this.#entries.values())
          this.#touch(entry).machine.handle({ _tag: "Ping" }, this.#now, entry)
        return
      case "SendRaw": {
        const entry = this.#entries.get(input.peer)
        if (entry !== undefined) this.#touch(entry).machine.handle(input, this.#now, entry)
        return
      }
      case "AddAddress":
        return this.#addresses?.add(input, this.#now)
      case "SubmitHeaders":
      case "SubmitBlock":
      case "BlockChecked":
      case "BlockDropped":
      case "BlocksStored":
      case "BlockRead":
      case "BlocksPruned":
      case "BlockLost":
      case "HoldBlocks":
      case "InvalidateHeader":
      case "ReconsiderHeader":
      case "WatchScripts":
      case "MakeBlock":
      case "SubmitTransaction":
      case "MakeTransactions":
        return this.#chain.handle(input)
      case "Timeout":
        return this.#timeout()
      case "SeedAnswered":
      case "SeedFailed":
        return this.#addresses?.seedSaid(input, this.#now)
      default:
        return this.#toConnections(input)
    }
  }

  #opened({ peer: id, ...opened }: NodeCoreInput & { _tag: "ConnectionOpened" }): void {
    const { address, dial, kind, receiver, socket = "", transport } = opened
    const { patience, random } = this.#options
    assert(!this.#entries.has(id), `connection ${id} is opened twice`)
    if (kind === "inbound" && !this.#admits(id, address, socket)) return this.#out.push({ _tag: "Close", peer: id })
    const admitted = kind === "inbound" ? this.#admitted : undefined
    const mayFilter = admitted?.has("bloomfilter") === true
    const framing = this.#framingFor(kind, transport)
    const machine = new Peer({
      kind,
      identity: mayFilter ? this.#bloomIdentity : this.#identity,
      framing,
      random,
      receiver,
      allowance: this.#historic,
      patience,
      watch: watchOf(this.#options.watch, id, address),
      openedAt: this.#now.instant
    })
    const encrypted = framing instanceof V1Framing ? undefined : framing
    const offersBloom = mayFilter || (this.#options.services & NODE_BLOOM) !== 0n
    const entry = new PeerEntry({ id, address, kind, machine, encrypted, offersBloom }, this.#fromPeers)
    if (admitted !== undefined) entry.permissions = admitted
    entry.socket = socket
    this.#entries.set(id, entry)
    if (kind !== "inbound") this.#shakingHands.add(entry)
    this.#out.push({ _tag: "PeerConnected", peer: id, kind, direction: directionOf(kind), address })
    this.#touch(entry).machine.handle({ _tag: "Opened" }, this.#now, entry)
    if (dial !== undefined) this.#toConnections({ _tag: "Opened", dial, peer: id })
  }

  #admits(peer: PeerId, address: string, socket: string): boolean {
    this.#admitted = undefined
    this.#toConnections({ _tag: "Arrived", peer, address, socket })
    return this.#admitted !== undefined
  }

  #toConnections(input: ConnectionsInput): void {
    this.#toConnectionManager.handle(input, this.#now)
  }

  #fromConnections(output: ConnectionsOutput): void {
    switch (output._tag) {
      case "Admitted": {
        const dialled = this.#entries.get(output.peer)
        if (dialled === undefined) this.#admitted = output.permissions
        else dialled.permissions = output.permissions
        return
      }
      case "Refused":
        return this.#out.push({ ...output, _tag: "InboundRefused" })
      case "LetGo":
        return this.#close(output.peer, { _tag: "LetGo", because: output.because }, "disconnect")
      default:
        return this.#out.push(output)
    }
  }

  /** v1 where v2 is not spoken or was tried in vain; else v2 to those we dial, and whichever they speak to those that dial us. */
  #framingFor(kind: ConnectionKind, transport: "v1" | undefined): V1Framing | V2Framing | InboundFraming {
    const v2 = this.#v2
    if (v2 === undefined || transport === "v1") return new V1Framing(this.#v1)
    return kind === "inbound" ? new InboundFraming(v2) : new V2Framing(v2)
  }

  #fromPeer(entry: PeerEntry, output: PeerOutput): void {
    switch (output._tag) {
      case "Ready":
        entry.ready = true
        this.#shakingHands.delete(entry)
        this.#out.push({ _tag: "PeerReady", peer: entry.id, address: entry.address, info: output.info })
        this.#toConnections({ _tag: "Ready", peer: entry.id })
        this.#addresses?.ready(
          entry.id,
          {
            address: entry.address,
            socket: entry.socket,
            info: output.info,
            seenAs: entry.seenAs,
            mayFlood: entry.permissions.has("addr")
          },
          this.#now
        )
        return this.#chain.ready(entry, output.info)
      case "Introduced":
        entry.seenAs = this.#shared(nodeOf(output.seenAs))
        this.#out.push({
          _tag: "PeerIntroduced",
          peer: entry.id,
          address: entry.address,
          info: output.info,
          seenAs: output.seenAs
        })
        return this.#toConnections({
          _tag: "Introduced",
          peer: entry.id,
          services: output.info.services,
          relaysTransactions: output.info.relay
        })
      case "Received":
        return this.#route(entry, output.message)
      case "Pong":
        return this.#toConnections({ _tag: "Pong", peer: entry.id, roundTripMs: output.roundTripMs })
      case "Dropped":
        this.#out.push({ _tag: "MessageDropped", peer: entry.id, command: output.command, why: output.why })
        return
      case "Unsent":
        this.#out.push({ _tag: "MessageUnsent", peer: entry.id, command: output.command, why: output.why })
        return
      case "Disconnect":
        return this.#close(entry.id, output.reason, output.cost)
    }
  }

  /** Most peers see us at one address, and then one object serves all. */
  #shared(seenAs: NodeAddress | undefined): NodeAddress | undefined {
    if (seenAs === undefined || !isValid(seenAs)) return undefined
    if (this.#lastSeenAs === undefined || !isSameNode(seenAs, this.#lastSeenAs)) this.#lastSeenAs = seenAs
    return this.#lastSeenAs
  }

  #route(entry: PeerEntry, message: Message): void {
    if (ROUTES[message._tag] === "addresses") this.#addresses?.received(entry.id, message, this.#now)
    else this.#chain.received(entry.id, message)
  }

  /** A message of a manager's: an answer or a request, or news. */
  #send(
    peer: PeerId,
    message: Message,
    about: "block" | "transaction" | "address" | undefined,
    isHistoric: boolean = false
  ): void {
    const entry = this.#entries.get(peer)
    if (entry === undefined) return
    const input: PeerInput =
      about === undefined ? { _tag: "Send", message, isHistoric } : { _tag: "Announce", message, about }
    this.#touch(entry).machine.handle(input, this.#now, entry)
  }

  /** Core's end of the initial download: a tip that is younger than a day. Once near, it counts as near for good. */
  #lookHowNear(): void {
    const { tree } = this.#options
    if (this.#now.unix - tree.time(tree.best) > MAX_TIP_AGE_S) return
    this.#isNearTip = true
    this.#toConnections({ _tag: "NearTip" })
    this.#addresses?.nearTip(this.#now)
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
    this.#traffic.add(entry.machine.snapshot())
    this.#deadlines.set(id, undefined)
    this.#shakingHands.delete(entry)
    this.#exchanges.delete(entry)
    this.#heldBytes -= entry.heldBytes
    const { encrypted } = entry
    const retryAsV1 = entry.kind !== "inbound" && encrypted instanceof V2Framing && shouldRetryAsV1(encrypted.attempt)
    // It may be in the middle of a chunk, whose rest concerns nobody any more.
    entry.machine.handle({ _tag: "Close" }, this.#now, entry)
    this.#out.push({ _tag: "PeerDisconnecting", peer: id, address: entry.address, reason, cost, retryAsV1 })
    if (entry.ready) {
      this.#chain.gone(id)
      this.#addresses?.gone(id, this.#now)
    }
    this.#toConnections({ _tag: "Ended", peer: id, end: { cost, reachedItself: entry.reachedItself, retryAsV1 } })
  }

  #timeout(): void {
    const { instant } = this.#now
    let replyBytes = 0
    for (let served = 0; served < TIMEOUTS_PER_TURN && replyBytes < REPLY_BYTES_OF_TIMEOUTS; served++) {
      const id = this.#deadlines.takeDue(instant)
      if (id === undefined) break
      const entry = this.#entries.get(id)
      if (entry === undefined) continue
      this.#touch(entry).machine.handle({ _tag: "Timeout" }, this.#now, entry)
      replyBytes += entry.machine.queuedBytes
    }
    this.#exchange()
    this.#chain.timeout()
    this.#addresses?.timeout(this.#now)
    if (this.#toConnectionManager.isDue(instant)) this.#toConnections({ _tag: "Timeout" })
  }

  /** The costly step of one connection, and what had come behind it. */
  #exchange(): void {
    const entry = this.#exchanges.take()
    if (entry === undefined) return
    entry.encrypted?.exchange()
    this.#touch(entry).machine.handle({ _tag: "Bytes", chunk: NO_BYTES }, this.#now, entry)
  }

  #touch(entry: PeerEntry): PeerEntry {
    if (!entry.touched) {
      entry.touched = true
      this.#touched.push(entry)
    }
    return entry
  }

  /** One write, one deadline and one word on reading for every peer that had to do with this turn. */
  #endTurn(): void {
    this.#chain.endTurn()
    // Who is let go here may move others, which then have to do with this turn too.
    for (const entry of this.#touched) if (this.#entries.has(entry.id)) this.#weigh(entry)
    while (this.#touched.length > 0) this.#writeTouched()
    this.#exchangeAt = this.#exchanges.size === 0 ? undefined : (this.#exchangeAt ?? this.#now.instant)
  }

  #writeTouched(): void {
    const touched = this.#touched
    this.#touched = []
    for (const entry of touched) {
      entry.touched = false
      if (!this.#entries.has(entry.id)) continue
      this.#write(entry)
      if (entry.isServed && entry.machine.takesMore) this.#chain.drained(entry.id)
      this.#deadlines.set(entry.id, entry.machine.nextTimeout())
      const paused = this.#exchanges.has(entry) || entry.machine.shouldPause
      if (paused !== entry.paused) {
        entry.paused = paused
        this.#out.push({ _tag: "Pause", peer: entry.id, paused })
      }
    }
  }

  /** What a peer takes of what all have together: a costly step, and memory. */
  #weigh(entry: PeerEntry): void {
    const settled = entry.encrypted?.settled
    if (settled !== undefined) entry.encrypted = settled instanceof V2Framing ? settled : undefined
    if (entry.encrypted?.needsExchange === true && !this.#exchanges.has(entry)) {
      const crowdedOut = this.#exchanges.add(entry, entry.kind === "inbound")
      if (crowdedOut !== undefined) this.#close(crowdedOut.id, { _tag: "ExchangeCrowdedOut" }, "disconnect")
    }
    const heldBytes = entry.machine.receivedBytesWaiting + (entry.isServed ? this.#chain.heldBytes(entry.id) : 0)
    this.#heldBytes += heldBytes - entry.heldBytes
    entry.heldBytes = heldBytes
    if (this.#heldBytes <= this.#maxReceivedBytes) return
    let most = entry
    for (const other of this.#entries.values()) if (other.heldBytes > most.heldBytes) most = other
    this.#close(most.id, { _tag: "HeldTooMuch", heldBytes: most.heldBytes }, "disconnect")
  }

  #write(entry: PeerEntry): void {
    const bytes = entry.machine.takeOutput(this.#now)
    if (bytes === undefined) return
    this.#out.push({ _tag: "Write", peer: entry.id, bytes })
    if (this.#countsUpload) this.#toConnections({ _tag: "Sent", bytes: bytes.length })
  }
}

const NO_BYTES: Uint8Array = new Uint8Array(0)
const NO_DEEDS: PeerDeeds = { lastBlockAt: undefined, lastTransactionAt: undefined }

/** Who looks on at one peer's messages. */
const watchOf = (watch: NodeCoreWatch | undefined, peer: PeerId, address: string): MessageWatch | undefined =>
  watch === undefined
    ? undefined
    : (watched) => {
        if (watch.isOn) watch.seen(peer, address, watched)
      }

const status = (entry: PeerEntry, addresses: Addresses | undefined): PeerStatus => ({
  peer: entry.id,
  address: entry.address,
  permissions: entry.permissions,
  addresses: addresses?.counts(entry.id),
  ...entry.machine.snapshot()
})
