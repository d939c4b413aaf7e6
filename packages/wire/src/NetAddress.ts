/**
 * A place on the network in the old 26-byte form that `version` and `addr` carry: 16 bytes of IPv6, in which an IPv4 address
 * stands behind a prefix. What does not fit there needs `addrv2` (BIP-0155).
 */
import { type Reader, type Writer, equals } from "@satwire/bytes"

export interface NetAddress {
  /** Service bits: see `Protocol.ts`. */
  readonly services: bigint
  /** 16 bytes of IPv6, first byte first. */
  readonly ip: Uint8Array
  readonly port: number
}

/** Bytes of one address on the wire. */
export const NET_ADDRESS_SIZE = 26

/** `::ffff:0:0/96`: behind it stand the four bytes of an IPv4 address. */
export const IPV4_IN_IPV6_PREFIX: Uint8Array = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** The 16 bytes in which four of IPv4 travel. */
export const ipv4InIpv6 = (ipv4: Uint8Array): Uint8Array => {
  if (ipv4.length !== 4) throw new RangeError(`an IPv4 address has 4 bytes, not ${ipv4.length}`)
  const ip = new Uint8Array(16)
  ip.set(IPV4_IN_IPV6_PREFIX)
  ip.set(ipv4, 12)
  return ip
}

/** The four bytes of IPv4 that `ip` stands for, as a view; `undefined` where it is IPv6. */
export const ipv4Of = (ip: Uint8Array): Uint8Array | undefined =>
  equals(ip.subarray(0, 12), IPV4_IN_IPV6_PREFIX) ? ip.subarray(12, 16) : undefined

/** No address: what a node that does not say where it is puts in its `version`. */
export const NO_ADDRESS: NetAddress = { services: 0n, ip: new Uint8Array(16), port: 0 }

/** Reads 26 bytes. */
export const readNetAddress = (r: Reader): NetAddress => ({
  services: r.u64("address services"),
  ip: r.view(16, "address"),
  port: r.u16be("port")
})

/** Writes 26 bytes. */
export const writeNetAddress = (w: Writer, address: NetAddress): void => {
  w.u64(address.services)
  w.raw(address.ip)
  w.u16be(address.port)
}
