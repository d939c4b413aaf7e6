/** Addresses for these tests: by text, and of any kind by chance. */
import * as fc from "fast-check"
import { type NetAddr, NETWORKS, type NetworkAddr, parseHost } from "../src/index.ts"

/** The host that the text names. */
export const host = (text: string): NetworkAddr => {
  const parsed = parseHost(text)
  if (parsed === undefined) throw new Error(`no address: ${text}`)
  return parsed
}

const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

/** Any address that a message may carry. */
export const arbitraryHost: fc.Arbitrary<NetworkAddr> = fc
  .constantFrom(...NETWORKS)
  .chain(({ length, network }) =>
    exactly(length).map((address) => {
      if (network === "cjdns") address[0] = 0xfc
      return { network, address }
    })
  )
  .filter(({ address, network }) => network !== "ipv6" || (address[0] !== 0xfc && host16(address)))

/** Not IPv4 in the clothes of IPv6. */
const host16 = (address: Uint8Array): boolean => address.subarray(0, 12).some((byte, i) => byte !== (i < 10 ? 0 : 0xff))

/** A range as its first address and how many of its bits are fixed. */
export interface Cidr {
  readonly network: "ipv4" | "ipv6"
  readonly first: bigint
  readonly bits: number
  readonly width: number
}

export const numberOf = ({ address }: NetAddr): bigint =>
  address.reduce((number, byte) => number * 256n + BigInt(byte), 0n)

export const cidr = (text: string): Cidr => {
  const [address = "", bits = ""] = text.split("/")
  // An IPv6 range of `fc00::/8` is of IPv6 here, whatever a node in it would be.
  const { address: bytes, network } = host(address)
  const width = bytes.length * 8
  return {
    network: width === 32 ? "ipv4" : "ipv6",
    first: numberOf({ network, address: bytes }),
    bits: Number(bits),
    width
  }
}

/** The address with this number. */
export const addressOf = (network: "ipv4" | "ipv6", number: bigint): NetworkAddr => {
  const address = new Uint8Array(network === "ipv4" ? 4 : 16)
  for (let i = address.length - 1, left = number; i >= 0; i--, left >>= 8n) address[i] = Number(left & 0xffn)
  return { network, address }
}

/** The first and last address of the range, and what lies right outside of it. */
export const edges = ({ bits, first, network, width }: Cidr): ReadonlyArray<NetworkAddr> => {
  const size = 1n << BigInt(width - bits)
  const last = first + size - 1n
  const all = 1n << BigInt(width)
  return [first, last, (first - 1n + all) % all, (last + 1n) % all].map((number) => addressOf(network, number))
}
