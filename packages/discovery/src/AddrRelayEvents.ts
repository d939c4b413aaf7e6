/** What goes into the relay of addresses and what comes out. */
import type { PeerId } from "@satwire/machine"
import type { NetAddr, Network, NodeAddress } from "@satwire/netaddress"
import type { Message } from "@satwire/wire"
import type { KnownAddress } from "./AddressBook.ts"

/** What a connection is for, by the names of `ConnectionKind` of `peer`. */
export type RelayKind =
  | "inbound"
  | "outbound-full-relay"
  | "block-relay-only"
  | "manual"
  | "feeler"
  | "addr-fetch"
  | "private-broadcast"

/** A peer whose handshake is done. */
export interface PeerReady {
  readonly _tag: "PeerReady"
  readonly peer: PeerId
  readonly kind: RelayKind
  /** Its address as `formatNode` writes it. `undefined`, or anything else, where a name was dialled through a proxy. */
  readonly address: string | undefined
  /** The network over which we talk, where the address does not say it: an inbound peer of our onion service comes from loopback. */
  readonly network: Network | undefined
  /** Our end, where a peer that dialled us came in: answers to `getaddr` are cached for each. */
  readonly socket: string
  /** It understands `addrv2` (BIP-0155). */
  readonly addrV2: boolean
  /** Where it says that it sees us. */
  readonly seenAs: NodeAddress | undefined
  /** Our user lets it tell as many addresses as it likes, and hear what we know now (permission `addr`). */
  readonly mayFlood: boolean
}

export type AddrRelayInput =
  | PeerReady
  | { readonly _tag: "PeerGone"; readonly peer: PeerId }
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly message: Message }
  /** Whether we tell peers of ourselves: not at first, and then while we listen and have caught up with the chain. */
  | { readonly _tag: "AnnounceSelf"; readonly on: boolean }
  | { readonly _tag: "Timeout" }

export type AddrRelayOutput =
  /** A request, or the answer to one. */
  | { readonly _tag: "Send"; readonly peer: PeerId; readonly message: Message }
  /** What nobody asked for: where the peer takes no more, it may be dropped. */
  | { readonly _tag: "Announce"; readonly peer: PeerId; readonly message: Message }
  /** To be taken in by the address manager. They are views of the message: whoever keeps one copies it. */
  | {
      readonly _tag: "Learned"
      readonly from: PeerId
      readonly source: NetAddr
      readonly addresses: ReadonlyArray<KnownAddress>
      readonly timePenaltyS: number
    }
  /** To be disconnected and discouraged. */
  | { readonly _tag: "Misbehaved"; readonly peer: PeerId; readonly reason: AddressFault }
  /** An addr-fetch peer has answered, or will not: to be disconnected. */
  | { readonly _tag: "AddressesFetched"; readonly peer: PeerId; readonly answered: boolean }

/** What a peer did that no honest one does. */
export interface AddressFault {
  readonly _tag: "TooManyAddresses"
  readonly count: number
}

/** What `getpeerinfo` says of a peer. */
export interface AddressCounts {
  /** Core's `addr_relay_enabled`. */
  readonly isRelaying: boolean
  /** Core's `addr_processed`: addresses that were taken in. */
  readonly processed: number
  /** Core's `addr_rate_limited`: addresses that were not looked at, because they were too many. */
  readonly rateLimited: number
}
