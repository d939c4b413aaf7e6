import {
  type Reader,
  type Writer,
  compactSize64Length,
  compactSizeLength,
  equals,
  varBytesLength
} from "@satwire/bytes"
import type { UnixSeconds } from "@satwire/machine"
import { NETWORKS, type Network, type NetworkRow, type NodeAddress, ipv4Of } from "@satwire/netaddress"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_ADDR_TO_SEND } from "./addr.ts"

/**
 * Bitcoin Core's `MAX_ADDRV2_SIZE` (netaddress.h): bytes of an address, also of one on a network that nobody knows yet.
 *
 * @limit bytes of an address in `addrv2`
 */
export const MAX_ADDRV2_SIZE = 512

/** The networks that are alive. TorV2, of id 3, is dropped like a network that nobody knows. */
const BY_ID: ReadonlyMap<number, NetworkRow> = new Map(NETWORKS.map((row) => [row.id, row]))
const BY_NETWORK: ReadonlyMap<Network, NetworkRow> = new Map(NETWORKS.map((row) => [row.network, row]))

/** `fd87:d87e:eb43::/48`, where TorV2 hid in IPv6 (OnionCat). */
const TORV2_IN_IPV6_PREFIX = Uint8Array.of(0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43)
/** All of CJDNS lies in `fc00::/8`. */
const CJDNS_PREFIX = 0xfc

/** An address and when it was last heard of. */
export interface AddrV2Entry extends NodeAddress {
  /** As the sender claims. */
  readonly time: UnixSeconds
  readonly services: bigint
}

/**
 * Addresses of nodes on any network (BIP-0155).
 *
 * Decoding leaves out what the BIP tells to ignore: networks that nobody knows, TorV2, IPv4 and TorV2 in the clothes of IPv6, CJDNS
 * outside its prefix. Such an entry still counts towards the 1,000. Encoding throws on one: an IPv4 address goes out as `ipv4`
 * (`addrV2Address`).
 */
export interface AddrV2 {
  readonly _tag: "addrv2"
  readonly addresses: ReadonlyArray<AddrV2Entry>
}

/** time 4, services 1, network 1, length 1, no address, port 2 */
const MIN_ENTRY_SIZE = 9
const MAX_ENTRY_SIZE = 4 + 9 + 1 + compactSizeLength(MAX_ADDRV2_SIZE) + MAX_ADDRV2_SIZE + 2

const rowOf = (network: Network): NetworkRow => BY_NETWORK.get(network) as NetworkRow

const isIgnored = (network: Network, address: Uint8Array): boolean =>
  network === "ipv6"
    ? ipv4Of(address) !== undefined || equals(address.subarray(0, 6), TORV2_IN_IPV6_PREFIX)
    : network === "cjdns" && address[0] !== CJDNS_PREFIX

/** Where the 16 bytes of an old address belong here, as IPv4 or IPv6. `undefined` for TorV2, which has no place any more. */
export const addrV2Address = (ip: Uint8Array): Pick<AddrV2Entry, "network" | "address"> | undefined => {
  const ipv4 = ipv4Of(ip)
  if (ipv4 !== undefined) return { network: "ipv4", address: ipv4 }
  return isIgnored("ipv6", ip) ? undefined : { network: "ipv6", address: ip }
}

const readEntry = (r: Reader): AddrV2Entry | undefined => {
  const time = r.u32("address time") as UnixSeconds
  const services = r.compactSize64("address services")
  const row = BY_ID.get(r.u8("network id"))
  const at = r.offset
  const length = r.compactSize("address length")
  // Core throws here, which costs nothing: it is no limit in the sense of `overLimit` (netaddress.h, `UnserializeV2Stream`).
  if (length > MAX_ADDRV2_SIZE) r.malformed(`an address of ${length} bytes where ${MAX_ADDRV2_SIZE} are allowed`, at)
  if (row !== undefined && row.length !== length) r.malformed(`a ${row.network} address of ${length} bytes`, at)
  const address = r.view(length, "address")
  const port = r.u16be()
  return row === undefined || isIgnored(row.network, address)
    ? undefined
    : { time, services, network: row.network, address, port }
}

/** BIP-0155 §"Specification": what a receiver ignores a sender MUST NOT send. An entry of ours that is one is our own bug and throws. */
const writeEntry = (w: Writer, entry: AddrV2Entry): void => {
  const { id, length } = rowOf(entry.network)
  if (entry.address.length !== length)
    throw new RangeError(`a ${entry.network} address of ${entry.address.length} bytes`)
  if (isIgnored(entry.network, entry.address)) throw new RangeError(`an address that ${entry.network} does not have`)
  w.u32(entry.time)
  w.compactSize64(entry.services)
  w.u8(id)
  w.varBytes(entry.address)
  w.u16be(entry.port)
}

export const addrv2: Codec<AddrV2> = defineCodec<AddrV2>({
  command: "addrv2",
  shortId: 28,
  spec: "BIP-0155",
  maxSize: compactSizeLength(MAX_ADDR_TO_SEND) + MAX_ADDR_TO_SEND * MAX_ENTRY_SIZE,
  // Core 28.1 `net_processing.cpp`: `Misbehaving`.
  overLimit: "discourage",
  size(m) {
    let size = compactSizeLength(m.addresses.length)
    for (const entry of m.addresses) size += 7 + compactSize64Length(entry.services) + varBytesLength(entry.address)
    return size
  },
  encode(w, m) {
    w.compactSize(m.addresses.length)
    for (const entry of m.addresses) writeEntry(w, entry)
  },
  decode(r) {
    const addresses: Array<AddrV2Entry> = []
    for (let left = r.count(MAX_ADDR_TO_SEND, MIN_ENTRY_SIZE, "addresses"); left > 0; left--) {
      const entry = readEntry(r)
      if (entry !== undefined) addresses.push(entry)
    }
    return { _tag: "addrv2", addresses }
  }
})
