/**
 * A host or all hosts that begin with the same bits: what is banned, and what has permissions. On Tor, I2P and CJDNS, where nobody owns a range,
 * only single hosts can be named.
 *
 * Source: Bitcoin Core 28.1 `netaddress.cpp` (`CSubNet`, `LookupSubNet`).
 */
import { type NetAddr, type NetworkAddr, formatHost, isSameHost, parseHost } from "@satwire/netaddress"

export interface Subnet {
  readonly base: NetworkAddr
  /** How many leading bits count; all of them for a single host. */
  readonly prefixBits: number
}

const NETMASK = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** The subnet of one host. */
export const subnetOf = (host: NetworkAddr): Subnet => ({ base: host, prefixBits: 8 * host.address.length })

/** `192.0.2.0/24`, `192.0.2.0/255.255.255.0`, `2001:db8::/32`, or a host alone; `undefined` where the text is none of these. */
export const parseSubnet = (text: string): Subnet | undefined => {
  const [hostText = "", maskText, ...more] = text.split("/")
  const host = parseHost(hostText)
  if (host === undefined || more.length > 0) return undefined
  if (maskText === undefined) return subnetOf(host)
  if (!hasRanges(host)) return undefined
  const most = 8 * host.address.length
  const bits = /^\d{1,3}$/.test(maskText) ? Number(maskText) : host.network === "ipv4" ? maskBits(maskText) : undefined
  if (bits === undefined || bits > most) return undefined
  return { base: { network: host.network, address: masked(host.address, bits) }, prefixBits: bits }
}

/** The text that {@link parseSubnet} reads back. */
export const formatSubnet = ({ base, prefixBits }: Subnet): string =>
  hasRanges(base) ? `${formatHost(base)}/${prefixBits}` : formatHost(base)

export const containsHost = (subnet: Subnet, host: NetAddr): boolean => {
  const { base, prefixBits } = subnet
  if (prefixBits === 8 * base.address.length) return isSameHost(base, host)
  if (host.network !== base.network) return false
  const whole = prefixBits >>> 3
  for (let i = 0; i < whole; i++) if (host.address[i] !== base.address[i]) return false
  const rest = prefixBits & 7
  if (rest === 0) return true
  const mask = 0xff << (8 - rest)
  return (((host.address[whole] as number) ^ (base.address[whole] as number)) & mask & 0xff) === 0
}

/** Whether anybody owns ranges of this network. */
const hasRanges = ({ network }: NetAddr): boolean => network === "ipv4" || network === "ipv6"

const masked = (address: Uint8Array, bits: number): Uint8Array =>
  address.map((byte, i) => (8 * i + 8 <= bits ? byte : 8 * i >= bits ? 0 : byte & (0xff << (8 * i + 8 - bits))))

/** The bits of a netmask that is ones and then zeros. */
const maskBits = (text: string): number | undefined => {
  const bytes = NETMASK.exec(text)?.slice(1).map(Number)
  if (bytes === undefined || bytes.some((byte) => byte > 255)) return undefined
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("")
  const ones = bits.indexOf("0") < 0 ? 32 : bits.indexOf("0")
  return bits.indexOf("1", ones) < 0 ? ones : undefined
}
