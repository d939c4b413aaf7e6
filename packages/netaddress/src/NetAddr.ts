/**
 * Where a node is, on any of the networks of BIP-0155. A {@link NetAddr} is a host (Core's `CNetAddr`), a {@link NodeAddress} a host
 * and a port (`CService`). They say nothing of how a message carries them, which is `wire`'s, nor of who resolves or dials them.
 *
 * An IPv4 address never stands here in the clothes of IPv6: who reads the old 16-byte form takes it out with {@link ipv4Of}.
 */
import { equals } from "@satwire/bytes"

/** The networks of BIP-0155 that are alive. */
export type Network = "ipv4" | "ipv6" | "torv3" | "i2p" | "cjdns"

export interface NetworkRow {
  readonly network: Network
  /** Its number in BIP-0155. */
  readonly id: number
  /** Bytes of its addresses. */
  readonly length: number
}

/** BIP-0155 §"Specification". Id 3 is TorV2, dead since 2021. */
export const NETWORKS: ReadonlyArray<NetworkRow> = [
  { network: "ipv4", id: 1, length: 4 },
  { network: "ipv6", id: 2, length: 16 },
  { network: "torv3", id: 4, length: 32 },
  { network: "i2p", id: 5, length: 32 },
  { network: "cjdns", id: 6, length: 16 }
]

/** A host. */
export interface NetAddr {
  /** `internal` is no network: it stands for a name, such as that of the DNS seed that an address came from ({@link internalAddr}). */
  readonly network: Network | "internal"
  /** As many bytes as the network's addresses have, and 10 of an internal one. */
  readonly address: Uint8Array
}

/** A host and the port on which its node listens. */
export interface NodeAddress extends NetAddr {
  readonly network: Network
  /** 0 .. 65535; 0 on I2P, which knows no ports. */
  readonly port: number
}

/** Bytes of an internal address. */
export const INTERNAL_LENGTH = 10

const LENGTHS: ReadonlyMap<string, number> = new Map([
  ...NETWORKS.map(({ network, length }) => [network, length] as const),
  ["internal", INTERNAL_LENGTH] as const
])

/** Whether `address` is as long as addresses of its network are. */
export const hasRightLength = (address: NetAddr): boolean => LENGTHS.get(address.network) === address.address.length

/** `::ffff:0:0/96`: behind it stand the four bytes of an IPv4 address. */
export const IPV4_IN_IPV6_PREFIX: Uint8Array = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** `fd6b:88c0:8724::/48`: behind it stand the ten bytes of an internal address, where 16 are asked for. */
const INTERNAL_IN_IPV6_PREFIX = Uint8Array.of(0xfd, 0x6b, 0x88, 0xc0, 0x87, 0x24)

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

/** The address as Core writes it into keys: IPv4 and internal ones in 16 bytes of IPv6, all others as they are. */
const keyBytes = ({ address, network }: NetAddr): Uint8Array => {
  if (network === "ipv4") return ipv4InIpv6(address)
  if (network !== "internal") return address
  const ip = new Uint8Array(16)
  ip.set(INTERNAL_IN_IPV6_PREFIX)
  ip.set(address, INTERNAL_IN_IPV6_PREFIX.length)
  return ip
}

/**
 * The bytes that tell one node from every other: the address, and the port with its high byte first.
 *
 * Source: Bitcoin Core 31.99 `netaddress.cpp`, `CService::GetKey`.
 */
export const nodeKey = (node: NodeAddress): Uint8Array => {
  const address = keyBytes(node)
  const key = new Uint8Array(address.length + 2)
  key.set(address)
  key[address.length] = node.port >>> 8
  key[address.length + 1] = node.port
  return key
}

/** Whether both are the same host. */
export const isSameHost = (a: NetAddr, b: NetAddr): boolean => a.network === b.network && equals(a.address, b.address)

/** Whether both are the same node: host and port. */
export const isSameNode = (a: NodeAddress, b: NodeAddress): boolean => a.port === b.port && isSameHost(a, b)
