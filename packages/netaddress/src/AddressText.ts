/**
 * Addresses as people write them: `203.0.113.5:8333`, `[2001:db8::1]:8333`, `pg6m….onion:8333`, `ukeu….b32.i2p:0`. Names that have to
 * be resolved are no addresses: for those see `Endpoint` of `transport`.
 *
 * What lies in `fc00::/8` is read as CJDNS, because IPv6 has no public address there.
 *
 * Source: Bitcoin Core 31.99 `netaddress.cpp` (`SetTor`, `SetI2P`, `ToStringAddr`), RFC 5952, Tor's rend-spec-v3.
 */
import { concat, equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { sha3_256 } from "@noble/hashes/sha3.js"
import { base32, base32nopad } from "@scure/base"
import { INTERNAL_LENGTH, type NetAddr, type Network, type NodeAddress, ipv4Of } from "./NetAddr.ts"

/** A host on a network, which an internal address is not. */
export type NetworkAddr = NetAddr & { readonly network: Network }

/** The source under which addresses are kept that a name gave, such as a DNS seed's: Core's `SetInternal`. */
export const internalAddr = (name: string, sha256: Sha256): NetAddr => {
  const bytes = new TextEncoder().encode(name)
  const digest = new Uint8Array(32)
  sha256.sha256(bytes, 0, bytes.length, digest, 0)
  return { network: "internal", address: digest.slice(0, INTERNAL_LENGTH) }
}

/** The host alone, without brackets and port. */
export const formatHost = ({ address, network }: NetAddr): string => {
  switch (network) {
    case "ipv4":
      return address.join(".")
    case "ipv6":
    case "cjdns":
      return formatIpv6(address)
    case "torv3":
      return `${lower(base32.encode(concat([address, onionChecksum(address), ONION_VERSION])))}${ONION}`
    case "i2p":
      return `${lower(base32nopad.encode(address))}${I2P}`
    case "internal":
      return `${lower(base32.encode(address))}.internal`
  }
}

/** Host and port. */
export const formatNode = (node: NodeAddress): string => {
  const host = formatHost(node)
  return host.includes(":") ? `[${host}]:${node.port}` : `${host}:${node.port}`
}

/** The host that `text` names; `undefined` where it is no address. */
export const parseHost = (text: string): NetworkAddr | undefined => {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  const name = lower(text)
  if (name.endsWith(ONION)) return parseOnion(name.slice(0, -ONION.length))
  if (name.endsWith(I2P)) return parseI2p(name.slice(0, -I2P.length))
  if (!name.includes(":")) return hostOf("ipv4", parseIpv4(name))
  const ip = parseIpv6(name)
  if (ip === undefined) return undefined
  const ipv4 = ipv4Of(ip)
  if (ipv4 !== undefined) return { network: "ipv4", address: ipv4 }
  return { network: ip[0] === 0xfc ? "cjdns" : "ipv6", address: ip }
}

/** The node that `text` names; where it names no port, `defaultPort` is taken, if given, and 0 on I2P. */
export const parseNode = (text: string, defaultPort?: number): NodeAddress | undefined => {
  // An IPv6 address without brackets has colons of its own, and so no port.
  const parts = /^\[(?<ip>[^\]]*)\](?::(?<port>\d{1,5}))?$|^(?<host>[^:[\]]+)(?::(?<hostPort>\d{1,5}))?$/.exec(
    text
  )?.groups
  const host = parseHost(parts?.["ip"] ?? parts?.["host"] ?? text)
  if (host === undefined || (parts?.["ip"] !== undefined && !parts["ip"].includes(":"))) return undefined
  const written = parts?.["port"] ?? parts?.["hostPort"]
  const port = written === undefined ? (host.network === "i2p" ? 0 : defaultPort) : Number(written)
  return port === undefined || port > 0xffff ? undefined : { network: host.network, address: host.address, port }
}

const ONION = ".onion"
const I2P = ".b32.i2p"
const ONION_VERSION = Uint8Array.of(3)
const ONION_CHECKSUM_PREFIX = new TextEncoder().encode(".onion checksum")
/** The longest, an onion's, has 62. */
const MAX_TEXT_LENGTH = 64

const lower = (text: string): string => text.toLowerCase()

const hostOf = (network: Network, address: Uint8Array | undefined): NetworkAddr | undefined =>
  address === undefined ? undefined : { network, address }

const onionChecksum = (address: Uint8Array): Uint8Array =>
  sha3_256(concat([ONION_CHECKSUM_PREFIX, address, ONION_VERSION])).subarray(0, 2)

const parseOnion = (text: string): NetworkAddr | undefined => {
  if (!/^[a-z2-7]{56}$/.test(text)) return undefined
  const bytes = base32.decode(text.toUpperCase())
  const address = bytes.slice(0, 32)
  const isWhole = equals(bytes.subarray(32), concat([onionChecksum(address), ONION_VERSION]))
  return isWhole ? { network: "torv3", address } : undefined
}

/** 52 characters hold 260 bits, of which the last four are nothing and must be zero. */
const parseI2p = (text: string): NetworkAddr | undefined =>
  /^[a-z2-7]{51}[aq]$/.test(text) ? hostOf("i2p", base32nopad.decode(text.toUpperCase())) : undefined

const parseIpv4 = (text: string): Uint8Array | undefined => {
  const parts = text.split(".")
  const isDecimal = parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  return isDecimal ? Uint8Array.from(parts, Number) : undefined
}

const parseIpv6 = (text: string): Uint8Array | undefined => {
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const before = parseGroups(halves[0] as string, halves.length === 1)
  const after = halves.length === 2 ? parseGroups(halves[1] as string, true) : []
  if (before === undefined || after === undefined) return undefined
  const missing = 8 - before.length - after.length
  // A `::` stands for at least one group of zeros.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...before, ...new Array<number>(missing).fill(0), ...after]
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]))
}

/** The 16-bit groups of one side of a `::`; at the very end of an address, the last two may be written as IPv4. */
const parseGroups = (text: string, isLast: boolean): ReadonlyArray<number> | undefined => {
  if (text === "") return []
  const groups: Array<number> = []
  const parts = text.split(":")
  for (const [i, part] of parts.entries()) {
    const ipv4 = isLast && i === parts.length - 1 ? parseIpv4(part) : undefined
    if (ipv4 !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = ipv4
      groups.push(a * 256 + b, c * 256 + d)
    } else if (/^[0-9a-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

/** RFC 5952: the longest run of two or more groups of zeros, the first of equals, becomes `::`. */
const formatIpv6 = (address: Uint8Array): string => {
  const groups = Array.from({ length: 8 }, (_, i) => (address[2 * i] as number) * 256 + (address[2 * i + 1] as number))
  let start = 0
  let length = 0
  for (let i = 0, run = 0; i < 8; i++) {
    run = groups[i] === 0 ? run + 1 : 0
    if (run > length) [start, length] = [i - run + 1, run]
  }
  const hex = groups.map((group) => group.toString(16))
  return length < 2 ? hex.join(":") : `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`
}
