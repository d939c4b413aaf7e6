/**
 * Whom to be connected with: which addresses are dialled, when and for what; who is let in; and who goes. With the address manager it is what
 * keeps a node from being surrounded: places of several kinds, groups of which only one is dialled, peers that nobody learns of, and now and
 * then somebody new in place of whoever is of the least use.
 *
 * ```
 *   Keep, DialOnce, time ─▶ Dial ─▶ Opened ─▶ Introduced ─▶ Ready ─▶ Ended ─▶ Closed ─▶ the place is free
 *                            └─▶ DialFailed                    Arrived ─▶ Admitted, or Refused
 * ```
 *
 * It opens no socket, shakes no hand and judges no message: others do, and tell it.
 *
 * Source: Bitcoin Core 31.99 `net.cpp`; what deviates says so.
 */
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import {
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  PeerId,
  type Random,
  type UnixSeconds,
  after,
  earliest
} from "@satwire/machine"
import {
  type NetAddr,
  type Network,
  type NodeAddress,
  formatNode,
  isLocal,
  isSameHost,
  parseNode
} from "@satwire/netaddress"
import type { BanList } from "./BanList.ts"
import type {
  AddressBook,
  ConnectionsInput,
  ConnectionsOutput,
  DialId,
  DialKind,
  Groups,
  LetGo,
  MostChosen,
  PeerDeeds,
  SlotEnd,
  SlotSnapshot,
  UploadLeft
} from "./ConnectionsEvents.ts"
import { Discouraged } from "./Discouraged.ts"
import { type EvictionCandidate, selectToEvict } from "./Eviction.ts"
import { EXTRA_PEER_CHECK_INTERVAL_MS, extraBlockRelayOnly, extraFullRelay } from "./ExtraPeers.ts"
import {
  MAX_BLOCK_RELAY_ONLY_CONNECTIONS,
  MAX_OUTBOUND_FULL_RELAY_CONNECTIONS,
  Opening,
  type Wishes
} from "./Opening.ts"
import {
  NO_PERMISSIONS,
  type Permission,
  type PermissionRule,
  type SocketRule,
  permissionsAt,
  permissionsOf
} from "./Permissions.ts"
import { Persistent } from "./Persistent.ts"
import { Slot, Slots, type Deeds } from "./Slots.ts"
import { containsHost } from "./Subnet.ts"
import { UploadTarget } from "./UploadTarget.ts"

/** Core's pause of `ThreadOpenConnections`: between two dials that we choose ourselves. */
export const OPEN_INTERVAL_MS = 500
/** Where nobody is found to dial the pause doubles up to this, until something changes. Core looks on twice a second. */
const LONGEST_OPEN_INTERVAL_MS = 8000
/**
 * How many seed nodes are asked for addresses at once.
 *
 * @limit addr-fetch connections at once
 */
export const MAX_ADDR_FETCHES = 2
/**
 * How many endpoints may wait to be dialled once; the oldest make room.
 *
 * @limit endpoints that wait to be dialled once
 */
export const MAX_WAITING_DIALS = 64
/** Core's `MAX_BLOCK_RELAY_ONLY_ANCHORS`. */
export const MAX_ANCHORS = 2

export interface ConnectionManagerOptions {
  readonly random: Random
  readonly groups: Groups
  /** Where addresses to dial are drawn from; without it only those are dialled that our user names. */
  readonly book?: AddressBook | undefined
  /** The networks that we can dial. */
  readonly networks: ReadonlyArray<Network>
  readonly maxInbound: number
  /** {@link MAX_OUTBOUND_FULL_RELAY_CONNECTIONS} where not given. */
  readonly maxFullRelay?: number | undefined
  /** {@link MAX_BLOCK_RELAY_ONLY_CONNECTIONS} where not given. */
  readonly maxBlockRelayOnly?: number | undefined
  /** Who may do what others may not. */
  readonly permissions?: ReadonlyArray<PermissionRule> | undefined
  /** What is given to whoever comes in at one of our sockets. */
  readonly socketPermissions?: ReadonlyArray<SocketRule> | undefined
  readonly bans: BanList
  /** Block-relay-only peers of the last run, with which this one begins. */
  readonly anchors?: ReadonlyArray<NodeAddress> | undefined
  /** Whether these services are worth a connection that we choose. */
  readonly wants: (services: bigint, now: Now) => boolean
  /** Whether somebody with these services may know addresses. */
  readonly mayKnowAddresses: (services: bigint) => boolean
  /** Whether these services name the encrypted transport (BIP-0324). Whom our user names is dialled in it whatever it says. */
  readonly speaksV2: (services: bigint) => boolean
  /** How many bytes may be uploaded in a day (`-maxuploadtarget`); no target where not given. */
  readonly uploadTargetBytes?: number | undefined
  /** Whether the address is one of ours. */
  readonly isOwn?: ((node: NodeAddress) => boolean) | undefined
}

export class ConnectionManager implements Machine<ConnectionsInput, ConnectionsOutput> {
  readonly #options: ConnectionManagerOptions
  readonly #slots: Slots
  readonly #persistent: Persistent = new Persistent()
  readonly #discouraged: Discouraged
  readonly #groupKey: SipKey
  readonly #upload: UploadTarget
  readonly #maxFullRelay: number
  readonly #maxBlockRelayOnly: number
  #waiting: Array<ConnectionsInput & { readonly _tag: "DialOnce" }> = []
  /** Made with the first input, since only then the time is known. */
  #opening: Opening | undefined = undefined
  #isActive = true
  #tipIsStale = false
  #rotates = false
  #dials = 0
  #leavingInbound = 0
  #anchors: ReadonlyArray<NodeAddress>
  /** When to look for somebody to dial. */
  #openAt: Instant | undefined = undefined
  #openPauseMs = OPEN_INTERVAL_MS
  #extraCheckAt: Instant | undefined = undefined
  /** Those of the turn that is under way. */
  #now: Now = { instant: 0 as Instant, unix: 0 as Now["unix"] }
  #out: Outbox<ConnectionsOutput> = { push: () => {} }

  constructor(options: ConnectionManagerOptions) {
    this.#options = options
    this.#slots = new Slots(options.groups)
    this.#discouraged = new Discouraged(options.random.fork())
    this.#groupKey = sipKey(options.random.bytes(16))
    this.#upload = new UploadTarget(options.uploadTargetBytes ?? 0)
    this.#maxFullRelay = options.maxFullRelay ?? MAX_OUTBOUND_FULL_RELAY_CONNECTIONS
    this.#maxBlockRelayOnly = options.maxBlockRelayOnly ?? MAX_BLOCK_RELAY_ONLY_CONNECTIONS
    this.#anchors = options.anchors ?? []
  }

  handle(input: ConnectionsInput, now: Now, out: Outbox<ConnectionsOutput>): void {
    this.#now = now
    this.#out = out
    this.#begin()
    this.#input(input)
  }

  nextTimeout(): Instant | undefined {
    if (!this.#isActive) return undefined
    if (this.#opening === undefined && this.#options.book !== undefined) return 0 as Instant
    return earliest(earliest(this.#openAt, this.#extraCheckAt), this.#persistent.nextDue())
  }

  /** Everything that takes a place. */
  snapshot(): ReadonlyArray<SlotSnapshot> {
    return [...new Set([...this.#slots.outbound, ...this.#slots.connections])].map(
      ({ endpoint, isReady, kind, peer, permissions, since }) => ({ endpoint, isReady, kind, peer, permissions, since })
    )
  }

  /** How much may still be uploaded. */
  uploadLeft({ instant }: Now): UploadLeft {
    return {
      targetBytes: this.#options.uploadTargetBytes ?? 0,
      leftBytes: this.#upload.leftBytes(instant),
      leftMs: this.#upload.leftMs(instant),
      isReachedForHistoric: this.#upload.isReached(true, instant),
      isReached: this.#upload.isReached(false, instant)
    }
  }

  /** What our user banned. */
  get bans(): BanList {
    return this.#options.bans
  }

  /** Whether there are to be connections at all. */
  get isActive(): boolean {
    return this.#isActive
  }

  get most(): MostChosen {
    return { fullRelay: this.#maxFullRelay, blockRelayOnly: this.#maxBlockRelayOnly }
  }

  /** What a peer did for us. */
  deeds(peer: PeerId): PeerDeeds | undefined {
    return this.#slots.of(peer)?.deeds
  }

  /** Endpoints that our user named. */
  get kept(): ReadonlyArray<string> {
    return [...this.#persistent.endpoints]
  }

  /** How many full-relay peers we chose, those included that shake hands still. */
  get fullRelayCount(): number {
    return this.#slots.census().fullRelay
  }

  /** Whether nothing is held but for connections that have ended and wait for being closed. */
  get isEmpty(): boolean {
    for (const { end } of this.#slots.connections) if (end === undefined) return false
    return !this.#slots.isDialling
  }

  /** Whether nothing is to be had to do with a host, whose addresses then are not passed on either. */
  isRefused(host: NetAddr, unix: UnixSeconds): boolean {
    return this.#options.bans.isBanned(host, unix) || this.#discouraged.has(host)
  }

  isDiscouraged(host: NetAddr): boolean {
    return this.#discouraged.has(host)
  }

  #begin(): void {
    const { book, isOwn, mayKnowAddresses, networks, random, wants } = this.#options
    if (this.#opening !== undefined || book === undefined) return
    this.#opening = new Opening(
      {
        random: random.fork(),
        book,
        networks,
        wants,
        mayKnowAddresses,
        maxFullRelay: this.#maxFullRelay,
        maxBlockRelayOnly: this.#maxBlockRelayOnly,
        isRefused: (node, at) => isOwn?.(node) === true || this.isRefused(node, at.unix),
        isNamed: (endpoint) => this.#persistent.has(endpoint)
      },
      this.#slots,
      this.#anchors,
      this.#now.instant
    )
    this.#openAt = this.#now.instant
  }

  #input(input: ConnectionsInput): void {
    switch (input._tag) {
      case "Keep":
        this.#persistent.keep(input.endpoint, input.transport, this.#now.instant)
        return this.#dialDue()
      case "Release":
        return this.#release(input.endpoint)
      case "DialOnce":
        return this.#wait(input)
      case "Opened":
        return this.#opened(input.dial, input.peer)
      case "DialFailed":
        return this.#failed(input.dial, input.isOurs)
      case "Arrived":
        return this.#arrived(input.peer, input.address, input.socket)
      case "Ended":
        return this.#ended(input.peer, input.end)
      case "Closed":
        return this.#closed(input.peer)
      case "TipStale":
        this.#tipIsStale = input.isStale
        return input.isStale ? this.#wake() : undefined
      case "NearTip":
        this.#rotates = true
        return this.#wake()
      case "Sent":
        return this.#upload.sent(input.bytes, this.#now.instant)
      case "AddressesKnown":
        return this.#wake()
      case "NetworkActive":
        return this.#setActive(input.isActive)
      case "Timeout":
        return this.#timeout()
      case "Ban":
      case "Unban":
      case "ClearBans":
        return this.#changeBans(input)
      default: {
        const slot = this.#slots.of(input.peer)
        if (slot !== undefined) this.#learn(slot, input)
      }
    }
  }

  /** What comes to light of a peer. */
  #learn(slot: Slot, input: OfPeer): void {
    const { instant } = this.#now
    switch (input._tag) {
      case "Introduced":
        return this.#introduced(slot, input.services, input.relaysTransactions)
      case "Ready":
        slot.isReady = true
        if (slot.kind === "block-relay-only") this.#keepAnchors()
        return this.#checkExtraLater()
      case "Pong":
        slot.minPingMs = Math.min(slot.minPingMs ?? Infinity, input.roundTripMs)
        return
      case "BlockAnnounced":
        return did(slot, { announcedAt: instant })
      case "UsefulBlock":
        return did(slot, { lastBlockAt: instant })
      case "FilterSet":
        slot.relaysTransactions = true
        slot.hasBloomFilter = input.isSet
        return
      case "UsefulTransaction":
        return did(slot, { lastTransactionAt: instant })
      case "BlocksInFlight":
        return did(slot, { blocksInFlight: input.count })
      case "Protected":
        return did(slot, { isProtected: true })
    }
  }

  #introduced(slot: Slot, services: bigint, relaysTransactions: boolean): void {
    slot.isIntroduced = true
    slot.services = services
    slot.relaysTransactions = relaysTransactions
    if (slot.kind === "inbound") return
    const { node } = slot
    const { book } = this.#options
    if (node === undefined || book === undefined) return
    book.setServices(node, services)
    book.good(node, this.#now.unix)
  }

  /** Block-relay-only peers of now, and of before as far as there is room. Nobody is struck off for leaving: who stops last would have none. */
  #keepAnchors(): void {
    const current = [...this.#slots.outbound].filter(({ isReady, kind }) => isReady && kind === "block-relay-only")
    const nodes = current.map(({ node }) => node).filter((node) => node !== undefined)
    this.#anchors = nodes.toReversed().slice(0, MAX_ANCHORS)
    this.#out.push({ _tag: "AnchorsChanged", anchors: this.#anchors })
  }

  #opened(dial: DialId, peer: PeerId): void {
    const slot = this.#slots.opened(dial, peer)
    if (slot === undefined) return
    this.#attempted(slot)
    if (slot.permissions !== NO_PERMISSIONS) {
      this.#out.push({ _tag: "Admitted", peer, permissions: slot.permissions })
    }
    if (!this.#isActive || slot.isUnwanted) this.#letGo(slot, "released")
  }

  #failed(dial: DialId, isOurs: boolean): void {
    const slot = this.#slots.failed(dial)
    if (slot === undefined || slot.kind === "inbound") return
    if (!isOurs) this.#attempted(slot)
    const { endpoint, kind } = slot
    const retryInMs = kind === "manual" ? this.#persistent.ended(endpoint, 0, this.#now.instant) : undefined
    this.#out.push({ _tag: "DialEnded", dial, endpoint, kind, retryInMs })
    this.#wake()
  }

  /** A failure is the node's own while we are connected with others of two groups. */
  #attempted({ kind, node }: Slot): void {
    const { book } = this.#options
    if (node === undefined || book === undefined) return
    const { groups, private: others } = this.#slots.census()
    const areOthersConnected = groups.size + others > (groups.has(this.#slots.groupOf(node)) ? 2 : 1)
    book.attempt(node, kind !== "manual" && areOthersConnected, this.#now.unix)
  }

  #permissionsFor(host: NetAddr | undefined, socket: string | undefined): ReadonlySet<Permission> {
    const { permissions: rules = [], socketPermissions = [] } = this.#options
    const theirs = host === undefined ? NO_PERMISSIONS : permissionsOf(rules, host)
    const ofPlace = socket === undefined ? NO_PERMISSIONS : permissionsAt(socketPermissions, socket)
    if (ofPlace.size === 0) return theirs
    return theirs.size === 0 ? ofPlace : new Set([...theirs, ...ofPlace])
  }

  #arrived(peer: PeerId, address: string, socket: string | undefined): void {
    const { bans, maxInbound } = this.#options
    const host = parseNode(address)
    const permissions = this.#permissionsFor(host, socket)
    const refuse = (because: "banned" | "discouraged" | "full"): void =>
      this.#out.push({ _tag: "Refused", peer, address, because })
    if (!this.#isActive) return refuse("full")
    const inbound = this.#slots.inbound - this.#leavingInbound
    if (host !== undefined && !permissions.has("noban")) {
      if (bans.refuses(host, this.#now.unix)) return refuse("banned")
      if (inbound + 1 >= maxInbound && this.#discouraged.has(host)) return refuse("discouraged")
    }
    if (inbound >= maxInbound && !this.#evict()) return refuse("full")
    this.#slots.arrived(peer, new Slot({ kind: "inbound", endpoint: address, since: this.#now.instant, permissions }))
    this.#out.push({ _tag: "Admitted", peer, permissions })
  }

  #evict(): boolean {
    const candidates: Array<EvictionCandidate> = []
    for (const slot of this.#slots.connections) if (!slot.isLeaving) candidates.push(this.#candidate(slot))
    const peer = selectToEvict(candidates)
    const slot = peer === undefined ? undefined : this.#slots.of(peer)
    if (slot === undefined) return false
    this.#letGo(slot, "evicted")
    return true
  }

  #candidate(slot: Slot): EvictionCandidate {
    const { isIntroduced, kind, minPingMs, node, permissions, services, since } = slot
    const { lastBlockAt, lastTransactionAt } = slot.deeds
    return {
      peer: slot.peer ?? PeerId(0),
      isInbound: kind === "inbound",
      noBan: permissions.has("noban"),
      connectedAt: since,
      minPingMs,
      lastBlockAt,
      lastTransactionAt,
      hasRelevantServices: isIntroduced && this.#options.wants(services, this.#now),
      relaysTransactions: slot.relaysTransactions,
      hasBloomFilter: slot.hasBloomFilter,
      keyedNetgroup: node === undefined ? 0 : this.#keyedGroup(node),
      isDiscouraged: node !== undefined && this.#discouraged.has(node),
      isLocal: node !== undefined && isLocal(node),
      network: node?.network ?? "ipv4"
    }
  }

  #keyedGroup(node: NodeAddress): number {
    const group = this.#options.groups.group(node)
    sipHash24(this.#groupKey, group, 0, group.length, halves)
    return (halves[1] as number) * 2 ** 21 + ((halves[0] as number) >>> 11)
  }

  #letGo(slot: Slot, because: LetGo): void {
    if (slot.peer === undefined || slot.isLeaving) return
    this.#leaves(slot)
    this.#out.push({ _tag: "LetGo", peer: slot.peer, because })
  }

  #leaves(slot: Slot): void {
    if (slot.isLeaving) return
    slot.isLeaving = true
    if (slot.kind === "inbound") this.#leavingInbound += 1
  }

  #ended(peer: PeerId, end: SlotEnd): void {
    const slot = this.#slots.of(peer)
    if (slot === undefined) return
    slot.end = end
    this.#leaves(slot)
    if (end.cost === "discourage") this.#discourage(slot)
  }

  /** Core spares whom our user named, who has the permission, and this machine. */
  #discourage(slot: Slot): void {
    const { node } = slot
    if (slot.kind === "manual" || slot.permissions.has("noban") || node === undefined || isLocal(node)) return
    this.#discouraged.add(node)
    for (const other of this.#slots.connections) {
      if (other === slot || other.permissions.has("noban") || other.kind === "manual") continue
      if (other.node !== undefined && isSameHost(other.node, node)) this.#letGo(other, "discouraged")
    }
  }

  #closed(peer: PeerId): void {
    const slot = this.#slots.closed(peer)
    if (slot === undefined) return
    if (slot.kind === "inbound") {
      if (slot.isLeaving) this.#leavingInbound -= 1
      return
    }
    const { end, endpoint, isReady, kind, node, since } = slot
    const { book } = this.#options
    // Never of a block-relay-only peer: by `getaddr` others would learn of it.
    if (isReady && node !== undefined && kind !== "block-relay-only") book?.connected(node, this.#now.unix)
    this.#wake()
    if (this.#isGivenUp(endpoint, end)) return
    if (end?.retryAsV1 === true && this.#isActive) return this.#dial(endpoint, kind, "v1")
    if (kind === "manual") this.#persistent.ended(endpoint, this.#now.instant - since, this.#now.instant)
  }

  #isGivenUp(endpoint: string, end: SlotEnd | undefined): boolean {
    const because =
      end?.reachedItself === true ? "OurOwnAddress" : end?.cost === "discourage" ? "BrokeTheRules" : undefined
    if (because === undefined || !this.#persistent.release(endpoint)) return false
    this.#out.push({ _tag: "GivenUp", endpoint, because })
    return true
  }

  #release(endpoint: string): void {
    if (!this.#persistent.release(endpoint)) return
    for (const slot of this.#slots.outbound) {
      if (slot.endpoint !== endpoint) continue
      slot.isUnwanted = true
      this.#letGo(slot, "released")
    }
  }

  #wait(dial: ConnectionsInput & { readonly _tag: "DialOnce" }): void {
    this.#waiting.push(dial)
    if (this.#waiting.length > MAX_WAITING_DIALS) this.#waiting.shift()
    this.#dialWaiting()
  }

  #dialWaiting(): void {
    if (!this.#isActive) return
    let addrFetches = this.#slots.census().addrFetches
    this.#waiting = this.#waiting.filter(({ endpoint, kind, transport }) => {
      if (kind === "addr-fetch" && addrFetches >= MAX_ADDR_FETCHES) return true
      if (this.#slots.leadsTo(endpoint)) return false
      if (kind === "addr-fetch") addrFetches += 1
      this.#dial(endpoint, kind, transport)
      return false
    })
  }

  #dialDue(): void {
    if (!this.#isActive) return
    for (const { endpoint, transport } of this.#persistent.takeDue(this.#now.instant)) {
      // One that we are connected with for something else is looked at again later.
      if (this.#slots.leadsTo(endpoint)) this.#persistent.ended(endpoint, 0, this.#now.instant)
      else this.#dial(endpoint, "manual", transport)
    }
  }

  #dial(endpoint: string, kind: DialKind, transport: "v1" | undefined): void {
    const dial = ++this.#dials
    const host = kind === "manual" ? parseNode(endpoint) : undefined
    const permissions =
      host === undefined ? NO_PERMISSIONS : permissionsOf(this.#options.permissions ?? [], host, "out")
    this.#slots.dialling(dial, new Slot({ kind, endpoint, since: this.#now.instant, transport, permissions }))
    this.#out.push({ _tag: "Dial", dial, endpoint, kind, transport })
  }

  /** Something changed: looks for somebody to dial soon. */
  #wake(): void {
    this.#dialWaiting()
    if (this.#opening === undefined) return
    this.#openPauseMs = OPEN_INTERVAL_MS
    const soon = after(this.#now.instant, OPEN_INTERVAL_MS)
    this.#openAt = this.#openAt === undefined || this.#openAt > soon ? soon : this.#openAt
  }

  #timeout(): void {
    const { instant } = this.#now
    this.#dialDue()
    if (this.#openAt !== undefined && this.#openAt <= instant) this.#open()
    if (this.#extraCheckAt !== undefined && this.#extraCheckAt <= instant) this.#checkExtra()
  }

  /** At most one dial, and when to look again. */
  #open(): void {
    const opening = this.#opening
    if (opening === undefined || !this.#isActive) {
      this.#openAt = undefined
      return
    }
    const { instant } = this.#now
    const wishes: Wishes = { extraFullRelay: this.#tipIsStale, rotates: this.#rotates }
    const census = this.#slots.census()
    const purpose = opening.purpose(census, wishes, this.#now)
    if (purpose === undefined) {
      this.#openAt = earliest(opening.nextExtra(wishes), undefined)
      return
    }
    const chosen = opening.choose(purpose, census, this.#now)
    this.#openPauseMs =
      chosen === undefined ? Math.min(2 * this.#openPauseMs, LONGEST_OPEN_INTERVAL_MS) : OPEN_INTERVAL_MS
    this.#openAt = after(instant, this.#openPauseMs)
    if (chosen === undefined) return
    // Of an anchor nobody told us what it speaks.
    const transport = purpose.isAnchor || this.#options.speaksV2(chosen.services) ? undefined : "v1"
    this.#dial(formatNode(chosen.node), purpose.kind, transport)
  }

  #checkExtraLater(): void {
    this.#extraCheckAt ??= this.#hasExtra ? after(this.#now.instant, EXTRA_PEER_CHECK_INTERVAL_MS) : undefined
  }

  get #hasExtra(): boolean {
    const { blockRelayOnly, fullRelay } = this.#slots.census()
    return fullRelay > this.#maxFullRelay || blockRelayOnly > this.#maxBlockRelayOnly
  }

  #checkExtra(): void {
    const { instant } = this.#now
    this.#extraCheckAt = undefined
    const block = extraBlockRelayOnly(this.#slots.outbound, this.#maxBlockRelayOnly, instant)
    if (block !== undefined) this.#letGo(block, "extra")
    const full = extraFullRelay(this.#slots.outbound, this.#maxFullRelay, instant)
    if (full !== undefined) {
      this.#letGo(full, "extra")
      // One exchange for each time that the tip is found stale.
      this.#tipIsStale = false
    }
    this.#checkExtraLater()
  }

  #setActive(isActive: boolean): void {
    if (isActive === this.#isActive) return
    this.#isActive = isActive
    if (!isActive) for (const slot of this.#slots.connections) this.#letGo(slot, "released")
    else {
      this.#dialDue()
      this.#wake()
    }
  }

  #changeBans(input: ConnectionsInput & { readonly _tag: "Ban" | "Unban" | "ClearBans" }): void {
    const { bans } = this.#options
    if (input._tag === "ClearBans") bans.clear()
    else if (input._tag === "Unban") bans.unban(input.subnet)
    else {
      bans.ban(input.subnet, this.#now.unix, input.seconds)
      for (const slot of this.#slots.connections) {
        if (slot.node !== undefined && containsHost(input.subnet, slot.node)) this.#letGo(slot, "banned")
      }
    }
    this.#out.push({ _tag: "BansChanged" })
  }
}

/** What is told of a peer while it is one. */
type OfPeer = Exclude<
  Extract<ConnectionsInput, { readonly peer: PeerId }>,
  { readonly _tag: "Arrived" | "Closed" | "Ended" | "Opened" }
>

/** Reused: a hash as two words. */
const halves = new Uint32Array(2)

const did = (slot: Slot, deeds: Partial<Deeds>): void => {
  slot.deeds = { ...slot.deeds, ...deeds }
}
