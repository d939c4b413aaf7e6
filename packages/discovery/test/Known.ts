/** Addresses for these tests. */
import { UnixSeconds } from "@satwire/machine"
import { type NodeAddress, formatNode, parseNode } from "@satwire/netaddress"
import type { KnownAddress } from "../src/index.ts"

/** The beginning of 2026. */
export const START: UnixSeconds = UnixSeconds(1_767_225_600)

export const node = (text: string): NodeAddress => {
  const parsed = parseNode(text, 8333)
  if (parsed === undefined) throw new Error(`no node: ${text}`)
  return parsed
}

/** The n-th of many public addresses of IPv4. */
export const nth = (n: number): NodeAddress => node(`${20 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.1`)

/** A node with the usual services. */
export const known = (where: string | NodeAddress, change: Partial<KnownAddress> = {}): KnownAddress => ({
  ...(typeof where === "string" ? node(where) : where),
  services: 1033n,
  time: START,
  ...change
})

export const textOf = (addresses: ReadonlyArray<NodeAddress>): ReadonlyArray<string> =>
  addresses.map((address) => formatNode(address))

/** A node that only Tor leads to. */
export const onion = (byte: number): NodeAddress => ({
  network: "torv3",
  address: new Uint8Array(32).fill(byte),
  port: 8333
})

export const ONION: NodeAddress = onion(7)
