/** The role of knowing nodes: what peers tell of addresses goes to the address manager, and what they ask is answered from it. */
import type { AddrMan } from "@satwire/addrman"
import {
  AddrRelay,
  type AddrRelayInput,
  type AddrRelayOutput,
  type AddressCounts,
  type LocalAddresses,
  type Refusals,
  nodeOf
} from "@satwire/discovery"
import type { Instant, Now, PeerId, Random } from "@satwire/machine"
import { NETWORKS, type Network, parseNode } from "@satwire/netaddress"
import type { PeerInfo } from "@satwire/peer"
import type { Message, NetAddress } from "@satwire/wire"
import type { DisconnectReason } from "./DisconnectReason.ts"
import { Manager } from "./Manager.ts"

export interface AddressesRole {
  readonly book: AddrMan
  /** Where we can be found. */
  readonly own: LocalAddresses
  /** Whether peers are told of us once the chain is near the present: where we listen. */
  readonly announceSelf: boolean
}

/** What the role asks of the node around it. */
export interface AddressesHost {
  readonly send: (peer: PeerId, message: Message, isAnnouncement: boolean) => void
  readonly close: (peer: PeerId, reason: DisconnectReason, cost: "disconnect" | "discourage") => void
  /** Addresses were told of, of which so many are new. */
  readonly learned: (from: PeerId, told: number, added: number) => void
}

export interface AddressesGiven {
  readonly random: Random
  readonly services: bigint
  readonly networks: ReadonlyArray<Network> | undefined
  readonly refusals: Refusals
  readonly host: AddressesHost
}

export class Addresses {
  readonly #role: AddressesRole
  readonly #host: AddressesHost
  readonly #relay: AddrRelay
  readonly #manager: Manager<AddrRelayInput, AddrRelayOutput>
  #now: Now | undefined = undefined

  constructor(role: AddressesRole, { host, networks, random, refusals, services }: AddressesGiven) {
    this.#role = role
    this.#host = host
    this.#relay = new AddrRelay({
      random,
      own: role.own,
      addresses: role.book,
      refusals,
      services: () => services,
      reachable: new Set(networks ?? NETWORKS.map(({ network }) => network))
    })
    this.#manager = new Manager(this.#relay, (output: AddrRelayOutput) => this.#perform(output))
  }

  nextTimeout(): Instant | undefined {
    return this.#relay.nextTimeout()
  }

  get isEmpty(): boolean {
    return this.#relay.size === 0
  }

  counts(peer: PeerId): AddressCounts | undefined {
    return this.#relay.counts(peer)
  }

  /** The chain is near the present. */
  nearTip(now: Now): void {
    if (this.#role.announceSelf) this.#handle({ _tag: "AnnounceSelf", on: true }, now)
  }

  ready(
    peer: PeerId,
    given: {
      readonly address: string
      readonly info: PeerInfo
      readonly seenAs: NetAddress | undefined
      readonly mayFlood: boolean
    },
    now: Now
  ): void {
    const { address, info, mayFlood, seenAs } = given
    this.#handle(
      {
        _tag: "PeerReady",
        peer,
        kind: info.kind,
        host: parseNode(address),
        network: undefined,
        socket: "",
        addrV2: info.addrV2,
        seenAs: seenAs === undefined ? undefined : nodeOf(seenAs),
        mayFlood
      },
      now
    )
  }

  gone(peer: PeerId, now: Now): void {
    this.#handle({ _tag: "PeerGone", peer }, now)
  }

  received(peer: PeerId, message: Message, now: Now): void {
    this.#handle({ _tag: "Received", peer, message }, now)
  }

  timeout(now: Now): void {
    if (this.#manager.isDue(now.instant)) this.#handle({ _tag: "Timeout" }, now)
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
}
