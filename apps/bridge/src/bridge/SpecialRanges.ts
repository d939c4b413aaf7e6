/**
 * Addresses that lead to this machine, to its network, or to nowhere: those that IANA's registries of special-purpose addresses (RFC 6890)
 * do not call globally reachable, and those that hide an IPv4 address inside an IPv6 one. No stranger has any business there.
 */
import * as IpNetwork from "effect/net/IpNetwork"
import type * as NetAddress from "effect/net/NetAddress"

const RANGES: ReadonlyArray<readonly [network: string, what: string]> = [
  ["0.0.0.0/8", "this network"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "a provider's own"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "reserved"],
  ["192.0.2.0/24", "documentation"],
  ["192.88.99.0/24", "reserved"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "benchmarking"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  // What is not in 2000::/3 is not on the Internet: loopback, link-local, unique local, multicast, NAT64, IPv4 in disguise.
  ["::/3", "not of the Internet"],
  ["4000::/2", "not of the Internet"],
  ["8000::/1", "not of the Internet"],
  ["2001::/23", "reserved"],
  ["2001:db8::/32", "documentation"],
  ["2002::/16", "IPv4 in disguise"],
  ["3fff::/20", "documentation"]
]

const SPECIAL: ReadonlyArray<readonly [network: IpNetwork.IpNetwork, what: string]> = RANGES.map(([text, what]) => [
  IpNetwork.fromStringUnsafe(text),
  what
])

/** The range that an address is in, if it is a special one, and in a word what that is. */
export const specialRangeOf = (
  address: NetAddress.IpAddress
): readonly [network: IpNetwork.IpNetwork, what: string] | undefined =>
  SPECIAL.find(([network]) => IpNetwork.contains(network, address))
