/**
 * What kind of address one is: whether it names a host at all, whether that host can be reached over the public network, and which
 * IPv4 address stands behind one of IPv6. The ranges are those of the RFCs that Bitcoin Core looks at, and no others.
 *
 * Source: Bitcoin Core 31.99 `netaddress.cpp` (`IsValid`, `IsRoutable`, `IsLocal`, `GetNetwork`, `GetNetClass`, `GetLinkedIPv4`).
 */
import type { NetAddr, Network } from "./NetAddr.ts"

/** The first bits of all addresses of a range. */
interface Range {
  readonly prefix: ReadonlyArray<number>
  readonly bits: number
}

const range = (bits: number, ...prefix: ReadonlyArray<number>): Range => ({ prefix, bits })

const isIn = (address: Uint8Array, { bits, prefix }: Range): boolean => {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== prefix[i]) return false
  const shift = 8 - (bits & 7)
  return shift === 8 || (address[whole] as number) >> shift === (prefix[whole] as number) >> shift
}

const isInAny = (address: Uint8Array, ranges: ReadonlyArray<Range>): boolean => {
  for (const one of ranges) if (isIn(address, one)) return true
  return false
}

/** Hosts of IPv4 that the public network does not lead to. */
const UNROUTABLE_IPV4: ReadonlyArray<Range> = [
  // RFC 1918: private networks
  range(8, 10),
  range(12, 172, 16),
  range(16, 192, 168),
  // RFC 2544: benchmarks
  range(15, 198, 18),
  // RFC 3927: link-local
  range(16, 169, 254),
  // RFC 6598: carriers' translation
  range(10, 100, 64),
  // RFC 5737: documentation
  range(24, 192, 0, 2),
  range(24, 198, 51, 100),
  range(24, 203, 0, 113)
]

/** The same of IPv6. */
const UNROUTABLE_IPV6: ReadonlyArray<Range> = [
  // RFC 4862: link-local
  range(64, 0xfe, 0x80, 0, 0, 0, 0, 0, 0),
  // RFC 4193: unique local
  range(7, 0xfc),
  // RFC 4843 and RFC 7343: ORCHID, names of hosts rather than places
  range(28, 0x20, 0x01, 0x00, 0x10),
  range(28, 0x20, 0x01, 0x00, 0x20)
]

/** RFC 3849: documentation, which Core counts among what is no address. */
const DOCUMENTATION_IPV6 = range(32, 0x20, 0x01, 0x0d, 0xb8)
/** RFC 3964: 6to4. IPv4 follows the prefix. */
const SIX_TO_FOUR = range(16, 0x20, 0x02)
/** RFC 4380: Teredo. IPv4 stands at the end, each bit turned. */
const TEREDO = range(32, 0x20, 0x01, 0, 0)
/** RFC 6052: NAT64. IPv4 stands at the end. */
const NAT64 = range(96, 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0)
/** RFC 6145: IPv4-translated. IPv4 stands at the end. */
const TRANSLATED = range(96, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0)
/** Hurricane Electric's tunnels, whose customers have /48s of one /32. */
const HE_NET = range(32, 0x20, 0x01, 0x04, 0x70)

const CJDNS_PREFIX = 0xfc

const isAll = (address: Uint8Array, byte: number, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) if (address[i] !== byte) return false
  return true
}

/** Whether the address can name a host, reachable or not. */
export const isValid = ({ address, network }: NetAddr): boolean => {
  switch (network) {
    case "ipv4":
      return !isAll(address, 0, 0, 4) && !isAll(address, 0xff, 0, 4)
    case "ipv6":
      return !isAll(address, 0, 0, 16) && !isIn(address, DOCUMENTATION_IPV6)
    case "cjdns":
      return address[0] === CJDNS_PREFIX
    case "torv3":
    case "i2p":
      return true
    case "internal":
      return false
  }
}

/** Whether the address is this host's own: `127.0.0.0/8`, `0.0.0.0/8`, `::1`. */
export const isLocal = ({ address, network }: NetAddr): boolean => {
  if (network === "ipv4") return address[0] === 127 || address[0] === 0
  return network === "ipv6" && isAll(address, 0, 0, 15) && address[15] === 1
}

/** Whether the public network leads to the address. */
export const isRoutable = (host: NetAddr): boolean => {
  const { address, network } = host
  if (network === "torv3" || network === "i2p") return true
  if (!isValid(host) || isLocal(host)) return false
  return !(
    (network === "ipv4" && isInAny(address, UNROUTABLE_IPV4)) ||
    (network === "ipv6" && isInAny(address, UNROUTABLE_IPV6))
  )
}

/** Whether the address is one of Teredo's (RFC 4380), behind which stands a host without IPv6 of its own. */
export const isTeredo = ({ address, network }: NetAddr): boolean => network === "ipv6" && isIn(address, TEREDO)

/** Whether the way to the address leads through a tunnel or a translator to IPv4: 6to4, NAT64 or IPv4-translated. */
export const isTunnelled = ({ address, network }: NetAddr): boolean =>
  network === "ipv6" && isInAny(address, [SIX_TO_FOUR, NAT64, TRANSLATED])

/** Whether the address is one of Hurricane Electric's. */
export const isHeNet = ({ address, network }: NetAddr): boolean => network === "ipv6" && isIn(address, HE_NET)

/**
 * The four bytes of IPv4 of a routable address: its own, or those of the IPv4 host that is reached through a tunnel or a translator.
 * Whoever owns that host owns 2^16 addresses of IPv6 and more with it, so they count as one.
 */
export const linkedIpv4 = (host: NetAddr): Uint8Array | undefined => {
  const { address, network } = host
  if ((network !== "ipv4" && network !== "ipv6") || !isRoutable(host)) return undefined
  if (network === "ipv4") return address
  if (isIn(address, NAT64) || isIn(address, TRANSLATED)) return address.subarray(12)
  if (isIn(address, SIX_TO_FOUR)) return address.subarray(2, 6)
  return isIn(address, TEREDO) ? address.subarray(12).map((byte) => byte ^ 0xff) : undefined
}

/** Core's `GetNetwork`: the network, of an address that is routable. */
export const networkOf = (host: NetAddr): Network | "internal" | "unroutable" =>
  host.network === "internal" || isRoutable(host) ? host.network : "unroutable"

/** Core's `GetNetClass`: as {@link networkOf}, but an address of IPv6 with a {@link linkedIpv4} is one of IPv4. */
export const netClass = (host: NetAddr): Network | "internal" | "unroutable" =>
  host.network === "ipv6" && linkedIpv4(host) !== undefined ? "ipv4" : networkOf(host)
