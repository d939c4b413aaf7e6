/** What goes into the connection manager, what comes out, and what it asks others for. */
import type { Instant, PeerId, UnixSeconds } from "@satwire/machine"
import type { NetAddr, Network, NodeAddress } from "@satwire/netaddress"
import type { Permission } from "./Permissions.ts"
import type { Subnet } from "./Subnet.ts"

/** Names one attempt to connect. Counted up and never used again. */
export type DialId = number

/** What we dial for, by Core's names (28.1 `node/connection_types.h`). */
export type DialKind = "outbound-full-relay" | "block-relay-only" | "manual" | "feeler" | "addr-fetch"

/** What a connection is for. */
export type SlotKind = DialKind | "inbound"

/** How a connection ended, as far as it matters for the next one. */
export interface SlotEnd {
  /** What its end says of the peer. */
  readonly cost: "ignore" | "disconnect" | "discourage"
  /** The other end was this very node. */
  readonly reachedItself: boolean
  /** We dialled in v2, and the other end seems to know only v1 (BIP-0324). */
  readonly retryAsV1: boolean
}

/** Why one that dialled us is sent away at once. */
export type Refusal = "banned" | "discouraged" | "full"

/** Why we let a peer go that did nothing wrong. */
export type LetGo =
  /** All places for those that dial us are taken, and another one came. */
  | "evicted"
  /** There is one more than wanted, and it was of the least use. */
  | "extra"
  /** Our user banned its address. */
  | "banned"
  /** Another of its connections broke the rules. */
  | "discouraged"
  /** Our user does not want it any more. */
  | "released"

export type ConnectionsInput =
  /** Our user names an endpoint to which a connection is kept from now on: `host:port`, where the host may be a name. */
  | {
      readonly _tag: "Keep"
      readonly endpoint: string
      /** v2 is not to be tried. */
      readonly transport?: "v1" | undefined
    }
  /** It is kept no more. An open connection ends. */
  | { readonly _tag: "Release"; readonly endpoint: string }
  /** Dial once, for this: to fetch addresses from a seed node, or because our user wants it. */
  | {
      readonly _tag: "DialOnce"
      readonly endpoint: string
      readonly kind: DialKind
      readonly transport?: "v1" | undefined
    }
  /** A dial succeeded. */
  | { readonly _tag: "Opened"; readonly dial: DialId; readonly peer: PeerId }
  /** A dial failed; `isOurs` where what failed is on our side, such as a proxy: that says nothing of the address. */
  | { readonly _tag: "DialFailed"; readonly dial: DialId; readonly isOurs: boolean }
  /** Somebody dialled us from there. It is answered in the same turn by `Admitted` or `Refused`. */
  | {
      readonly _tag: "Arrived"
      readonly peer: PeerId
      readonly address: string
      /** At which of our sockets, where that is known. */
      readonly socket?: string | undefined
    }
  /** They have said who they are, and nothing speaks against it. */
  | {
      readonly _tag: "Introduced"
      readonly peer: PeerId
      readonly services: bigint
      readonly relaysTransactions: boolean
    }
  | { readonly _tag: "Ready"; readonly peer: PeerId }
  /** A ping was answered. */
  | { readonly _tag: "Pong"; readonly peer: PeerId; readonly roundTripMs: number }
  /** Why it is over. The place is free when it is `Closed`. */
  | { readonly _tag: "Ended"; readonly peer: PeerId; readonly end: SlotEnd }
  | { readonly _tag: "Closed"; readonly peer: PeerId }
  /** The peer announced a block of the best chain before others did. */
  | { readonly _tag: "BlockAnnounced"; readonly peer: PeerId }
  /** The peer sent a block that we had not. */
  | { readonly _tag: "UsefulBlock"; readonly peer: PeerId }
  /** The peer set a bloom filter or cleared it: from now on it wants to be told of transactions (BIP-0037). */
  | { readonly _tag: "FilterSet"; readonly peer: PeerId; readonly isSet: boolean }
  /** The peer sent a transaction that we took. */
  | { readonly _tag: "UsefulTransaction"; readonly peer: PeerId }
  /** So many blocks are on their way from the peer. */
  | { readonly _tag: "BlocksInFlight"; readonly peer: PeerId; readonly count: number }
  /** The peer is one of the few that chain sync keeps whatever comes (Core's `m_protect`). */
  | { readonly _tag: "Protected"; readonly peer: PeerId }
  /** No block has come for long (`true`), so that one more peer may help; or one has. */
  | { readonly _tag: "TipStale"; readonly isStale: boolean }
  /** The best chain is near the present for the first time: from now on block-relay-only peers rotate. */
  | { readonly _tag: "NearTip" }
  /** So many bytes left for a peer. */
  | { readonly _tag: "Sent"; readonly bytes: number }
  /** Addresses came to be known. */
  | { readonly _tag: "AddressesKnown" }
  | { readonly _tag: "Ban"; readonly subnet: Subnet; readonly seconds: number }
  | { readonly _tag: "Unban"; readonly subnet: Subnet }
  | { readonly _tag: "ClearBans" }
  /** Whether there are to be connections at all. Where not, all end and none begins. */
  | { readonly _tag: "NetworkActive"; readonly isActive: boolean }
  | { readonly _tag: "Timeout" }

export type ConnectionsOutput =
  | {
      readonly _tag: "Dial"
      readonly dial: DialId
      readonly endpoint: string
      readonly kind: DialKind
      /** v2 is not to be tried. */
      readonly transport: "v1" | undefined
    }
  /** Whoever dialled us may stay, with these permissions; or whom we dialled has some. */
  | { readonly _tag: "Admitted"; readonly peer: PeerId; readonly permissions: ReadonlySet<Permission> }
  | { readonly _tag: "Refused"; readonly peer: PeerId; readonly address: string; readonly because: Refusal }
  | { readonly _tag: "LetGo"; readonly peer: PeerId; readonly because: LetGo }
  /** A dial failed; what was asked for is dialled again in so long, and other addresses whenever they are drawn. */
  | {
      readonly _tag: "DialEnded"
      readonly dial: DialId
      readonly endpoint: string
      readonly kind: DialKind
      readonly retryInMs: number | undefined
    }
  /** An endpoint that was to be kept is given up. */
  | { readonly _tag: "GivenUp"; readonly endpoint: string; readonly because: "OurOwnAddress" | "BrokeTheRules" }
  /** Whom to begin with after a restart: to be kept on disk. */
  | { readonly _tag: "AnchorsChanged"; readonly anchors: ReadonlyArray<NodeAddress> }
  /** The list of bans is another: to be kept on disk. */
  | { readonly _tag: "BansChanged" }

/** An address to try, as the address manager knows it. */
export interface Drawn extends NodeAddress {
  readonly services: bigint
  /** When it was last tried; 0 where never. */
  readonly lastTry: UnixSeconds
}

/** What the manager reads of the address manager, and tells it. */
export interface AddressBook {
  count(of?: { readonly network?: Network }): number
  select(
    selection: { readonly newOnly?: boolean; readonly networks?: ReadonlyArray<Network> | undefined },
    now: UnixSeconds
  ): Drawn | undefined
  selectTriedCollision(): Drawn | undefined
  resolveCollisions(now: UnixSeconds): void
  attempt(node: NodeAddress, countsFailure: boolean, now: UnixSeconds): void
  good(node: NodeAddress, now: UnixSeconds): boolean
  connected(node: NodeAddress, now: UnixSeconds): void
  setServices(node: NodeAddress, services: bigint): void
}

/** What counts as one owner's. */
export interface Groups {
  group(host: NetAddr): Uint8Array
}

/** How much of a day's upload is left. */
export interface UploadLeft {
  /** For a day; 0 for no target. */
  readonly targetBytes: number
  /** `undefined` without a target. */
  readonly leftBytes: number | undefined
  readonly leftMs: number
  /** Old blocks are served no more in this cycle. */
  readonly isReachedForHistoric: boolean
  readonly isReached: boolean
}

/** When a peer was last of use to us. */
export interface PeerDeeds {
  /** It sent a block that we had not. */
  readonly lastBlockAt: Instant | undefined
  /** It sent a transaction that we took. */
  readonly lastTransactionAt: Instant | undefined
}

/** How many connections of each kind are chosen at most, of those that are counted. */
export interface MostChosen {
  readonly fullRelay: number
  readonly blockRelayOnly: number
}

/** What is known of a connection, for people. */
export interface SlotSnapshot {
  readonly peer: PeerId | undefined
  readonly kind: SlotKind
  readonly endpoint: string
  readonly since: Instant
  readonly isReady: boolean
  readonly permissions: ReadonlySet<Permission>
}
