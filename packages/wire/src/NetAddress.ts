/**
 * A place on the network in the old 26-byte form that `version` and `addr` carry: 16 bytes of IPv6, in which an IPv4 address
 * stands behind a prefix. What does not fit there needs `addrv2` (BIP-0155).
 */
import type { Reader, Writer } from "@satwire/bytes"

export interface NetAddress {
  /** Service bits: see `Protocol.ts`. */
  readonly services: bigint
  /** 16 bytes of IPv6, first byte first. */
  readonly ip: Uint8Array
  readonly port: number
}

/** Bytes of one address on the wire. */
export const NET_ADDRESS_SIZE = 26

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
