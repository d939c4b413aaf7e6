/** Addresses into `addr` and `addrv2`, and out of them. */
import { copyOut } from "@satwire/bytes"
import { type NodeAddress, ipv4InIpv6 } from "@satwire/netaddress"
import { type Addr, type AddrV2, type NetAddress, addrV2Address } from "@satwire/wire"
import type { KnownAddress } from "./AddressBook.ts"

/**
 * The addresses of a message, in an array of the caller's. They are views of the message. What is none any more (TorV2 in an old `addr`) is left
 * out.
 */
export const addressesOf = (message: Addr | AddrV2): Array<KnownAddress> => {
  if (message._tag === "addrv2") return [...message.addresses]
  const addresses: Array<KnownAddress> = []
  for (const { ip, port, services, time } of message.addresses) {
    const place = addrV2Address(ip)
    if (place !== undefined) addresses.push({ network: place.network, address: place.address, port, services, time })
  }
  return addresses
}

/** Whether the address fits into the message that the peer understands: without BIP-0155 that is IPv4 and IPv6. */
export const isCompatible = ({ network }: NodeAddress, addrV2: boolean): boolean =>
  addrV2 || network === "ipv4" || network === "ipv6"

/** `addrv2` where the peer asked for it, and else `addr`. */
export const addressMessage = (addresses: ReadonlyArray<KnownAddress>, addrV2: boolean): Addr | AddrV2 =>
  addrV2
    ? { _tag: "addrv2", addresses }
    : {
        _tag: "addr",
        addresses: addresses.map(({ address, network, port, services, time }) => ({
          time,
          services,
          ip: network === "ipv4" ? ipv4InIpv6(address) : address,
          port
        }))
      }

/** An address that outlives the message in which it came. */
export const kept = ({ address, network, port, services, time }: KnownAddress): KnownAddress => ({
  network,
  address: copyOut(address),
  port,
  services,
  time
})

/** Where a peer's `version` says that it sees us; `undefined` where it says nothing of use. */
export const nodeOf = ({ ip, port }: NetAddress): NodeAddress | undefined => {
  const place = addrV2Address(ip)
  return place === undefined ? undefined : { network: place.network, address: copyOut(place.address), port }
}
