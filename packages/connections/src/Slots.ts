/**
 * The places that are taken: each by a dial that is under way, then by the connection that came of it, until that is closed. It counts them
 * and finds them; it decides nothing.
 */
import { IdMap, type Instant, type PeerId, assert, wholeMs } from "@satwire/machine"
import { type NodeAddress, isSameHost, parseNode } from "@satwire/netaddress"
import type { DialId, DialKind, Groups, SlotEnd, SlotKind } from "./ConnectionsEvents.ts"
import { NO_PERMISSIONS, type Permission } from "./Permissions.ts"

/** What a peer did for us. It is replaced whole, as most who dialled us never do any of it. */
export interface Deeds {
  readonly lastBlockAt: Instant | undefined
  readonly lastTransactionAt: Instant | undefined
  readonly announcedAt: Instant | undefined
  readonly blocksInFlight: number
  /** It is not let go for a tip that seems stale. */
  readonly isProtected: boolean
}

const NOTHING_DONE: Deeds = {
  lastBlockAt: undefined,
  lastTransactionAt: undefined,
  announcedAt: undefined,
  blocksInFlight: 0,
  isProtected: false
}

export class Slot {
  readonly kind: SlotKind
  readonly endpoint: string
  readonly since: Instant
  readonly transport: "v1" | undefined
  readonly permissions: ReadonlySet<Permission>
  peer: PeerId | undefined = undefined
  isIntroduced = false
  isReady = false
  services = 0n
  relaysTransactions = false
  hasBloomFilter = false
  minPingMs: number | undefined = undefined
  deeds: Deeds = NOTHING_DONE
  /** It was released while it was being dialled. */
  isUnwanted = false
  /** It is to go, and said so. */
  isLeaving = false
  end: SlotEnd | undefined = undefined
  /** `null` where it is a name. */
  #node: NodeAddress | null | undefined = undefined

  constructor(fields: {
    readonly kind: SlotKind
    readonly endpoint: string
    readonly since: Instant
    readonly transport?: "v1" | undefined
    readonly permissions?: ReadonlySet<Permission>
  }) {
    this.kind = fields.kind
    this.endpoint = fields.endpoint
    this.since = wholeMs(fields.since)
    this.transport = fields.transport
    this.permissions = fields.permissions ?? NO_PERMISSIONS
  }

  /** Where it leads, where that is an address and no name. Only asked of many at once where all places are taken, so that most never parse it. */
  get node(): NodeAddress | undefined {
    this.#node ??= parseNode(this.endpoint) ?? null
    return this.#node ?? undefined
  }
}

/** What the outbound places make up together. */
export interface OutboundCensus {
  readonly fullRelay: number
  readonly blockRelayOnly: number
  readonly feelers: number
  readonly addrFetches: number
  /** Groups of peers over IPv4 and IPv6, of which no second one is dialled. */
  readonly groups: ReadonlySet<string>
  /** Peers on networks without groups: Tor, I2P, CJDNS. */
  readonly private: number
}

export class Slots {
  readonly #groups: Groups
  readonly #byPeer: IdMap<PeerId, Slot> = new IdMap()
  readonly #dials: Map<DialId, Slot> = new Map()
  readonly #outbound: Set<Slot> = new Set()
  #inbound = 0

  constructor(groups: Groups) {
    this.#groups = groups
  }

  get isDialling(): boolean {
    return this.#dials.size > 0
  }

  /** Connections that others opened. */
  get inbound(): number {
    return this.#inbound
  }

  /** Dials and connections that we opened. */
  get outbound(): Iterable<Slot> {
    return this.#outbound
  }

  get connections(): Iterable<Slot> {
    return this.#byPeer.values()
  }

  of(peer: PeerId): Slot | undefined {
    return this.#byPeer.get(peer)
  }

  ofDial(dial: DialId): Slot | undefined {
    return this.#dials.get(dial)
  }

  dialling(dial: DialId, slot: Slot): void {
    this.#dials.set(dial, slot)
    this.#outbound.add(slot)
  }

  /** The dial became a connection. */
  opened(dial: DialId, peer: PeerId): Slot | undefined {
    const slot = this.#dials.get(dial)
    if (slot === undefined) return undefined
    this.#dials.delete(dial)
    this.#place(slot, peer)
    return slot
  }

  arrived(peer: PeerId, slot: Slot): void {
    this.#inbound += 1
    this.#place(slot, peer)
  }

  failed(dial: DialId): Slot | undefined {
    const slot = this.#dials.get(dial)
    this.#dials.delete(dial)
    if (slot !== undefined) this.#outbound.delete(slot)
    return slot
  }

  closed(peer: PeerId): Slot | undefined {
    const slot = this.#byPeer.get(peer)
    if (slot === undefined) return undefined
    this.#byPeer.delete(peer)
    this.#outbound.delete(slot)
    if (slot.kind === "inbound") this.#inbound -= 1
    return slot
  }

  /** Whether a dial or a connection of ours, for whatever, leads to this endpoint. */
  leadsTo(endpoint: string): boolean {
    for (const slot of this.#outbound) if (slot.endpoint === endpoint) return true
    return false
  }

  /** Whether we are connected with the host, whoever dialled. */
  isConnectedWith(node: NodeAddress): boolean {
    for (const slot of this.#byPeer.values()) {
      const other = slot.node
      if (other !== undefined && isSameHost(other, node)) return true
    }
    return false
  }

  groupOf(node: NodeAddress): string {
    return String.fromCharCode(...this.#groups.group(node))
  }

  census(): OutboundCensus {
    const groups = new Set<string>()
    const of: Record<DialKind, number> = {
      "outbound-full-relay": 0,
      "block-relay-only": 0,
      manual: 0,
      feeler: 0,
      "addr-fetch": 0
    }
    let privateNetworks = 0
    for (const { kind, node } of this.#outbound) {
      of[kind as DialKind] += 1
      if (node === undefined || kind === "feeler" || kind === "addr-fetch") continue
      if (node.network === "ipv4" || node.network === "ipv6") groups.add(this.groupOf(node))
      else privateNetworks += 1
    }
    return {
      fullRelay: of["outbound-full-relay"],
      blockRelayOnly: of["block-relay-only"],
      feelers: of.feeler,
      addrFetches: of["addr-fetch"],
      groups,
      private: privateNetworks
    }
  }

  #place(slot: Slot, peer: PeerId): void {
    assert(!this.#byPeer.has(peer), `connection ${peer} takes two places`)
    slot.peer = peer
    this.#byPeer.set(peer, slot)
  }
}
