/** What this package asks of others. Each interface is small and lives here, with its consumer; `addrman` and `connections` satisfy them. */
import type { UnixSeconds } from "@satwire/machine"
import type { NetAddr, Network, NodeAddress } from "@satwire/netaddress"

/** An address as peers tell of it; an entry of `addrv2` is one. */
export interface KnownAddress extends NodeAddress {
  readonly services: bigint
  /** When it was last heard of. */
  readonly time: UnixSeconds
}

/** Who knows addresses to tell of: `AddrMan` is one. */
export interface AddressBook {
  /** What a `getaddr` is told. */
  getAddr(answer: { readonly network?: Network | undefined }, now: UnixSeconds): ReadonlyArray<KnownAddress>
}

/** Who knows how many addresses there are to try: `AddrMan` is one. */
export interface AddressCount {
  /** Of one network, or of all. */
  count(of?: { readonly network?: Network }): number
}

/** Whom we want nothing to do with, banned or discouraged: neither stored nor passed on. */
export interface Refusals {
  isRefused(host: NetAddr, now: UnixSeconds): boolean
}

/** Where we can be found: `LocalAddresses` is one. */
export interface OwnAddress {
  /** What this peer is told; `undefined` where there is nothing to tell. */
  forPeer(peer: AddressedPeer): NodeAddress | undefined
  /** A peer that dialled us said where it did so. */
  seen(host: NetAddr): void
}

/** The peer to whom an address of ours is to be told. */
export interface AddressedPeer {
  /** Its address; unknown where a name was dialled through a proxy. */
  readonly host: NetAddr | undefined
  readonly isInbound: boolean
  /** The network over which we talk, where `host` does not say: an inbound peer of our onion service comes from loopback. */
  readonly network: Network | undefined
  /** Where the peer says that it sees us. */
  readonly seenAs: NodeAddress | undefined
}
