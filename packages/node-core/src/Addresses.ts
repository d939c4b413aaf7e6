/** The role of knowing nodes: what peers tell of addresses goes to the address manager, and what they ask is answered from it. */
import type { AddrMan } from "@satwire/addrman"
import type { Sha256 } from "@satwire/crypto"
import {
  AddrRelay,
  type AddrRelayInput,
  type AddrRelayOutput,
  type AddressCounts,
  type LocalAddress,
  type LocalAddresses,
  type Refusals,
  Seeding,
  type SeedingCommand,
  type SeedingFact,
  type SeedingInput,
  type SeedingOptions,
  type SeedingOutput
} from "@satwire/discovery"
import { type Instant, type Now, type PeerId, type Random, earliest } from "@satwire/machine"
import { NETWORKS, type Network, type NodeAddress } from "@satwire/netaddress"
import type { PeerInfo } from "@satwire/peer"
import type { Message } from "@satwire/wire"
import type { DisconnectReason } from "./DisconnectReason.ts"
import type { NodeCoreInput } from "./NodeCoreEvents.ts"
import { Manager } from "@satwire/node-roles"

export interface AddressesRole {
  readonly book: AddrMan
  /** Where we can be found. */
  readonly own: LocalAddresses
  /** Whether peers are told of us once the chain is near the present: where we listen. */
  readonly announceSelf: boolean
  /** Whom to ask while too few are known; nobody where not given. */
  readonly seeding?: Omit<SeedingOptions, "random" | "sha256" | "known" | "reachable"> | undefined
}

/** What the role asks of the node around it. */
export interface AddressesHost {
  readonly send: (peer: PeerId, message: Message, isAnnouncement: boolean) => void
  readonly close: (peer: PeerId, reason: DisconnectReason, cost: "disconnect" | "discourage") => void
  /** Addresses were told of, of which so many are new. */
  readonly learned: (from: PeerId, told: number, added: number) => void
  /** Addresses came from elsewhere. */
  readonly known: () => void
  /** Dial there, to ask for addresses. */
  readonly fetchFrom: (endpoint: string) => void
  readonly tell: (output: SeedingFact | Extract<SeedingCommand, { readonly _tag: "QuerySeed" }>) => void
}

export interface AddressesGiven {
  readonly random: Random
  readonly sha256: Sha256
  readonly services: bigint
  readonly networks: ReadonlyArray<Network> | undefined
  readonly refusals: Refusals
  readonly host: AddressesHost
}

/** How many addresses are in each table. */
export interface TableCounts {
  readonly new: number
  readonly tried: number
}

export interface KnownCounts extends TableCounts {
  readonly networks: ReadonlyArray<TableCounts & { readonly network: Network }>
}

export class Addresses {
  readonly #role: AddressesRole
  readonly #host: AddressesHost
  readonly #relay: AddrRelay
  readonly #manager: Manager<AddrRelayInput, AddrRelayOutput>
  readonly #seeding: Manager<SeedingInput, SeedingOutput> | undefined
  /** Full outbound peers that have shaken hands. */
  readonly #outbound: Set<PeerId> = new Set()
  #now: Now | undefined = undefined

  constructor(role: AddressesRole, { host, networks, random, refusals, services, sha256 }: AddressesGiven) {
    const reachable = new Set(networks ?? NETWORKS.map(({ network }) => network))
    this.#role = role
    this.#host = host
    this.#relay = new AddrRelay({
      random,
      own: role.own,
      addresses: role.book,
      refusals,
      services: () => services,
      reachable
    })
    this.#manager = new Manager(this.#relay, (output: AddrRelayOutput) => this.#perform(output))
    this.#seeding =
      role.seeding === undefined
        ? undefined
        : new Manager(
            new Seeding({ ...role.seeding, random: random.fork(), sha256, known: role.book, reachable }),
            (output: SeedingOutput) => this.#performSeeding(output)
          )
  }

  /** Looks for somebody from now on. */
  start(now: Now): void {
    this.#seed({ _tag: "Started" }, now)
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#relay.nextTimeout(), this.#seeding?.nextTimeout())
  }

  get isEmpty(): boolean {
    return this.#relay.size === 0
  }

  get known(): KnownCounts {
    const { book } = this.#role
    const count = (network?: Network): TableCounts => ({
      new: book.count({ table: "new", ...(network === undefined ? {} : { network }) }),
      tried: book.count({ table: "tried", ...(network === undefined ? {} : { network }) })
    })
    return { ...count(), networks: NETWORKS.map(({ network }) => ({ network, ...count(network) })) }
  }

  get local(): ReadonlyArray<LocalAddress> {
    return this.#role.own.list()
  }

  counts(peer: PeerId): AddressCounts | undefined {
    return this.#relay.counts(peer)
  }

  /** Our user knows a node: it is taken as if it had told of itself, and had answered where `isTried`. */
  add({ isTried, node, services }: NodeCoreInput & { readonly _tag: "AddAddress" }, { unix }: Now): void {
    const { book } = this.#role
    if (book.add([{ ...node, services, time: unix }], node, unix) === 0) return
    if (isTried) book.good(node, unix)
    this.#host.known()
  }

  /** The chain is near the present. */
  nearTip(now: Now): void {
    if (this.#role.announceSelf) this.#handle({ _tag: "AnnounceSelf", on: true }, now)
  }

  ready(
    peer: PeerId,
    given: {
      readonly address: string
      readonly socket: string
      readonly info: PeerInfo
      readonly seenAs: NodeAddress | undefined
      readonly mayFlood: boolean
    },
    now: Now
  ): void {
    const { address, info, mayFlood, seenAs, socket } = given
    this.#handle(
      {
        _tag: "PeerReady",
        peer,
        kind: info.kind,
        address,
        network: undefined,
        socket,
        addrV2: info.addrV2,
        seenAs,
        mayFlood
      },
      now
    )
    if (info.kind !== "outbound-full-relay") return
    this.#outbound.add(peer)
    this.#seed({ _tag: "OutboundCount", count: this.#outbound.size }, now)
  }

  gone(peer: PeerId, now: Now): void {
    this.#handle({ _tag: "PeerGone", peer }, now)
    if (this.#outbound.delete(peer)) this.#seed({ _tag: "OutboundCount", count: this.#outbound.size }, now)
  }

  /** What became of a question to a DNS seed. */
  seedSaid(input: Extract<SeedingInput, { readonly _tag: "SeedAnswered" | "SeedFailed" }>, now: Now): void {
    this.#seed(input, now)
  }

  received(peer: PeerId, message: Message, now: Now): void {
    this.#handle({ _tag: "Received", peer, message }, now)
  }

  timeout(now: Now): void {
    if (this.#manager.isDue(now.instant)) this.#handle({ _tag: "Timeout" }, now)
    if (this.#seeding?.isDue(now.instant) === true) this.#seed({ _tag: "Timeout" }, now)
  }

  #seed(input: SeedingInput, now: Now): void {
    this.#now = now
    this.#seeding?.handle(input, now)
  }

  #handle(input: AddrRelayInput, now: Now): void {
    this.#now = now
    this.#manager.handle(input, now)
  }

  #perform(output: AddrRelayOutput): void {
    switch (output._tag) {
      case "Send":
        return this.#host.send(output.peer, output.message, false)
      case "Announce":
        return this.#host.send(output.peer, output.message, true)
      case "Learned": {
        const { addresses, from, source, timePenaltyS } = output
        const added = this.#role.book.add(addresses, source, (this.#now as Now).unix, timePenaltyS)
        return this.#host.learned(from, addresses.length, added)
      }
      case "Misbehaved":
        return this.#host.close(output.peer, output.reason, "discourage")
      case "AddressesFetched":
        return this.#host.close(output.peer, { _tag: "AddressesFetched", answered: output.answered }, "disconnect")
    }
  }

  #performSeeding(output: SeedingOutput): void {
    switch (output._tag) {
      case "Learned": {
        const { addresses, source, timePenaltyS } = output
        this.#role.book.add(addresses, source, (this.#now as Now).unix, timePenaltyS)
        return this.#host.known()
      }
      case "FetchAddresses": {
        const { host, port } = output.endpoint
        return this.#host.fetchFrom(host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`)
      }
      default:
        return this.#host.tell(output)
    }
  }
}
