/**
 * Which addresses count as one owner's: the group of an address. An attacker gets addresses by the network, so whatever must not fall
 * to one owner (buckets of the address manager, outbound peers, protection from eviction) is spread by group and not by address.
 *
 * ```
 *   IPv4, and IPv6 that stands for IPv4     /16        with an AS map: the AS
 *   IPv6                                    /32        with an AS map: the AS
 *   Hurricane Electric's tunnels            /36        with an AS map: the AS
 *   TorV3, I2P                              4 bits     an address costs nothing but a key
 *   CJDNS                                   4 bits after the 8 that all of them share
 *   internal                                each its own
 *   local, unroutable                       one for all
 * ```
 *
 * Source: Bitcoin Core 31.99 `netgroup.cpp` (`NetGroupManager`), byte for byte.
 */
import { isHeNet, linkedIpv4, netClass, networkOf } from "./AddressClass.ts"
import type { AsMap } from "./AsMap.ts"
import { type NetAddr, ipv4InIpv6 } from "./NetAddr.ts"

/** What a group's first byte says; Core's `enum Network`. */
const CLASS = { unroutable: 0, ipv4: 1, ipv6: 2, torv3: 3, i2p: 4, cjdns: 5, internal: 6 } as const

/** Bytes of {@link NetGroups.version}. */
const VERSION_LENGTH = 32

export class NetGroups {
  readonly #asMap: AsMap | undefined
  /** What groups depend on beside the address: the hash of the AS map, 32 zeros where there is none. */
  readonly version: Uint8Array

  constructor(asMap?: AsMap) {
    this.#asMap = asMap
    this.version = asMap?.version ?? new Uint8Array(VERSION_LENGTH)
  }

  /** Whether IPv4 and IPv6 are grouped by AS. */
  get usesAsMap(): boolean {
    return this.#asMap !== undefined
  }

  /** The AS that the map gives for the address; 0, which no AS has, where there is no map or none in it. */
  mappedAs(host: NetAddr): number {
    if (this.#asMap === undefined) return 0
    const ipv4 = linkedIpv4(host)
    if (ipv4 !== undefined) return this.#asMap.lookup(ipv4InIpv6(ipv4))
    return networkOf(host) === "ipv6" ? this.#asMap.lookup(host.address) : 0
  }

  /** The group: addresses whose groups are equal are taken for one owner's. */
  group(host: NetAddr): Uint8Array {
    const as = this.mappedAs(host)
    // The same AS is one group for IPv4 and IPv6.
    if (as !== 0) return Uint8Array.of(CLASS.ipv6, as, as >>> 8, as >>> 16, as >>> 24)
    const ipv4 = linkedIpv4(host)
    if (ipv4 !== undefined) return Uint8Array.of(CLASS.ipv4, ipv4[0] as number, ipv4[1] as number)
    const { address } = host
    const kind = netClass(host)
    switch (kind) {
      case "torv3":
      case "i2p":
        return leading(CLASS[kind], address, 4)
      case "cjdns":
        return leading(CLASS.cjdns, address, 12)
      case "ipv6":
        return leading(CLASS.ipv6, address, isHeNet(host) ? 36 : 32)
      case "internal":
        return leading(CLASS.internal, address, 80)
      case "ipv4":
      case "unroutable":
        return Uint8Array.of(CLASS.unroutable)
    }
  }
}

/** A class and the first bits of an address, the last byte filled up with ones. */
const leading = (kind: number, address: Uint8Array, bits: number): Uint8Array => {
  const group = new Uint8Array(1 + Math.ceil(bits / 8))
  group[0] = kind
  group.set(address.subarray(0, group.length - 1), 1)
  if (bits % 8 > 0) group[group.length - 1] = (group[group.length - 1] as number) | (0xff >> (bits % 8))
  return group
}
