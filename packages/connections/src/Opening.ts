/**
 * What to dial next, and for what. The order is Core's: whom we knew at the last start, then places that are free, then peers beyond those,
 * each kind at its own random times; and of the addresses that are drawn those that would add somebody new.
 *
 * Source: Bitcoin Core 31.99 `net.cpp` (`ThreadOpenConnections`).
 */
import { type Instant, type Now, type Random, after, exponentialMs, shuffle } from "@satwire/machine"
import { type Network, type NodeAddress, formatNode, isLocal, isValid } from "@satwire/netaddress"
import { isBadPort } from "./BadPorts.ts"
import type { AddressBook, DialKind } from "./ConnectionsEvents.ts"
import type { OutboundCensus, Slots } from "./Slots.ts"

export const MAX_OUTBOUND_FULL_RELAY_CONNECTIONS = 8
export const MAX_BLOCK_RELAY_ONLY_CONNECTIONS = 2
export const MAX_FEELER_CONNECTIONS = 1
/** On average, as the three below. */
export const FEELER_INTERVAL_MS: number = 2 * 60 * 1000
export const EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL_MS: number = 5 * 60 * 1000
export const EXTRA_NETWORK_PEER_INTERVAL_MS: number = 5 * 60 * 1000
/** A feeler is late by up to so much, so that it is not told apart by its time. */
const FEELER_SLEEP_WINDOW_MS = 1000

/** Addresses that are drawn for one dial at most. */
const MAX_DRAWS = 100
/** So many draws pass over what was tried in the last ten minutes … */
const DRAWS_WITHOUT_RECENT = 30
const RECENTLY_S = 10 * 60
/** … and so many over ports of other services. */
const DRAWS_WITHOUT_BAD_PORTS = 50

export interface OpeningOptions {
  readonly random: Random
  readonly book: AddressBook
  /** The networks that we can dial. */
  readonly networks: ReadonlyArray<Network>
  readonly maxFullRelay: number
  readonly maxBlockRelayOnly: number
  /** Whether these services are worth a connection. */
  readonly wants: (services: bigint, now: Now) => boolean
  /** Whether a feeler to somebody with these services tells us of an address worth having (Core's `MayHaveUsefulAddressDB`). */
  readonly mayKnowAddresses: (services: bigint) => boolean
  /** Whether the address is our own, banned or discouraged. */
  readonly isRefused: (node: NodeAddress, now: Now) => boolean
  /** Whether our user named the endpoint, so that it is not for us to dial. */
  readonly isNamed: (endpoint: string) => boolean
}

export interface Purpose {
  readonly kind: Extract<DialKind, "outbound-full-relay" | "block-relay-only" | "feeler">
  /** One of those that we knew at the last start. */
  readonly isAnchor: boolean
  /** Only there: so that one peer at least is on each network. */
  readonly network: Network | undefined
}

export interface Chosen {
  readonly node: NodeAddress
  readonly services: bigint
}

/** What the rest of the manager knows. */
export interface Wishes {
  /** One more full-relay peer, because no block has come for long. */
  readonly extraFullRelay: boolean
  /** Block-relay-only peers rotate. */
  readonly rotates: boolean
}

const ORDINARY: Purpose = { kind: "outbound-full-relay", isAnchor: false, network: undefined }

export class Opening {
  readonly #options: OpeningOptions
  readonly #slots: Slots
  readonly #anchors: Array<NodeAddress>
  #feelerAt: Instant
  #extraBlockRelayAt: Instant
  #extraNetworkAt: Instant

  constructor(options: OpeningOptions, slots: Slots, anchors: ReadonlyArray<NodeAddress>, instant: Instant) {
    this.#options = options
    this.#slots = slots
    this.#anchors = [...anchors]
    this.#feelerAt = this.#later(instant, FEELER_INTERVAL_MS)
    this.#extraBlockRelayAt = this.#later(instant, EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL_MS)
    this.#extraNetworkAt = this.#later(instant, EXTRA_NETWORK_PEER_INTERVAL_MS)
  }

  /** When something is to be dialled though all places are taken. */
  nextExtra(wishes: Wishes): Instant {
    const soonest = Math.min(this.#feelerAt, this.#extraNetworkAt) as Instant
    return wishes.rotates ? (Math.min(soonest, this.#extraBlockRelayAt) as Instant) : soonest
  }

  /** What a connection is wanted for now; `undefined` where for nothing. */
  purpose(census: OutboundCensus, wishes: Wishes, { instant }: Now): Purpose | undefined {
    const { maxBlockRelayOnly, maxFullRelay } = this.#options
    if (this.#anchors.length > 0 && census.blockRelayOnly < maxBlockRelayOnly) {
      return { kind: "block-relay-only", isAnchor: true, network: undefined }
    }
    if (census.fullRelay < maxFullRelay) return ORDINARY
    if (census.blockRelayOnly < maxBlockRelayOnly) return { ...ORDINARY, kind: "block-relay-only" }
    // One more of a kind at a time, of a kind that is wanted at all.
    if (wishes.extraFullRelay && maxFullRelay > 0 && census.fullRelay === maxFullRelay) return ORDINARY
    if (wishes.rotates && instant >= this.#extraBlockRelayAt) {
      this.#extraBlockRelayAt = this.#later(instant, EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL_MS)
      if (maxBlockRelayOnly > 0 && census.blockRelayOnly === maxBlockRelayOnly)
        return { ...ORDINARY, kind: "block-relay-only" }
    }
    if (instant >= this.#feelerAt) {
      const sleptMs = this.#options.random.below(FEELER_SLEEP_WINDOW_MS + 1)
      this.#feelerAt = after(this.#later(instant, FEELER_INTERVAL_MS), sleptMs)
      if (census.feelers < MAX_FEELER_CONNECTIONS) return { ...ORDINARY, kind: "feeler" }
    }
    if (instant >= this.#extraNetworkAt) {
      this.#extraNetworkAt = this.#later(instant, EXTRA_NETWORK_PEER_INTERVAL_MS)
      const network = maxFullRelay === 0 || census.fullRelay > maxFullRelay ? undefined : this.#networkWithoutPeer()
      if (network !== undefined) return { ...ORDINARY, network }
    }
    return undefined
  }

  /** Draws whom to dial for it. */
  choose(purpose: Purpose, census: OutboundCensus, now: Now): Chosen | undefined {
    if (purpose.isAnchor) return this.#anchor(census, now)
    const { book } = this.#options
    book.resolveCollisions(now.unix)
    for (let draws = 1; draws <= MAX_DRAWS; draws++) {
      const drawn = this.#draw(purpose, now)
      if (drawn === undefined) return undefined
      if (this.#suits(drawn, drawn.services, drawn.lastTry, { purpose, census, draws, now })) {
        return { node: drawn, services: drawn.services }
      }
    }
    return undefined
  }

  #draw({ kind, network }: Purpose, now: Now): ReturnType<AddressBook["select"]> {
    const { book, networks } = this.#options
    if (kind === "feeler") {
      const tested = book.selectTriedCollision()
      if (tested !== undefined && !this.#slots.isConnectedWith(tested)) return tested
      return book.select({ newOnly: true, networks }, now.unix)
    }
    return book.select({ networks: network === undefined ? networks : [network] }, now.unix)
  }

  #suits(
    node: NodeAddress,
    services: bigint,
    lastTry: number,
    given: { readonly purpose: Purpose; readonly census: OutboundCensus; readonly draws: number; readonly now: Now }
  ): boolean {
    const { census, draws, now, purpose } = given
    const { isNamed, mayKnowAddresses, networks, wants } = this.#options
    const isFeeler = purpose.kind === "feeler"
    const hasGroup = node.network === "ipv4" || node.network === "ipv6"
    if (!isFeeler && hasGroup && census.groups.has(this.#slots.groupOf(node))) return false
    if (!isValid(node) || isLocal(node) || !networks.includes(node.network)) return false
    if (now.unix - lastTry < RECENTLY_S && draws < DRAWS_WITHOUT_RECENT) return false
    if (isFeeler ? !mayKnowAddresses(services) : !wants(services, now)) return false
    if (hasGroup && draws < DRAWS_WITHOUT_BAD_PORTS && isBadPort(node.port)) return false
    return !isNamed(formatNode(node)) && this.#isFree(node, now)
  }

  /** Each is taken once, whatever becomes of it. */
  #anchor(census: OutboundCensus, now: Now): Chosen | undefined {
    for (let node = this.#anchors.pop(); node !== undefined; node = this.#anchors.pop()) {
      const isReachable = isValid(node) && !isLocal(node) && this.#options.networks.includes(node.network)
      const hasGroup = node.network === "ipv4" || node.network === "ipv6"
      const isAlike = hasGroup && census.groups.has(this.#slots.groupOf(node))
      // What it serves we knew when we were connected.
      if (isReachable && !isAlike && this.#isFree(node, now)) return { node, services: 0n }
    }
    return undefined
  }

  #isFree(node: NodeAddress, now: Now): boolean {
    return !this.#options.isRefused(node, now) && !this.#slots.leadsTo(formatNode(node))
  }

  /** A network that we reach and know addresses of, and on which nobody is a peer for everything. */
  #networkWithoutPeer(): Network | undefined {
    const { book, networks, random } = this.#options
    const taken = new Set<Network | undefined>()
    for (const { kind, node } of this.#slots.outbound) {
      if (kind === "outbound-full-relay" || kind === "manual") taken.add(node?.network)
    }
    return shuffle(random, [...networks]).find((network) => !taken.has(network) && book.count({ network }) > 0)
  }

  #later(instant: Instant, meanMs: number): Instant {
    return after(instant, exponentialMs(this.#options.random, meanMs))
  }
}
