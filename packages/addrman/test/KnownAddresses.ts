/** Addresses and managers for these tests. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { UnixSeconds } from "@satwire/machine"
import { type NetAddr, NetGroups, type NodeAddress, parseHost, parseNode } from "@satwire/netaddress"
import { AddrMan, type AddrManOptions, type KnownAddress } from "../src/index.ts"

/** The beginning of 2026. */
export const START: UnixSeconds = UnixSeconds(1_767_225_600)

export const at = (seconds: number): UnixSeconds => UnixSeconds(START + seconds)

export const host = (text: string): NetAddr => {
  const parsed = parseHost(text)
  if (parsed === undefined) throw new Error(`no address: ${text}`)
  return parsed
}

export const node = (text: string): NodeAddress => {
  const parsed = parseNode(text, 8333)
  if (parsed === undefined) throw new Error(`no node: ${text}`)
  return parsed
}

/** A node heard of just now, with the usual services. */
export const known = (text: string, change: Partial<KnownAddress> = {}): KnownAddress => ({
  ...node(text),
  services: 1033n,
  time: START,
  ...change
})

/** An IPv4 address: `group` is its first two bytes, `n` the others. */
export const ipv4 = (group: number, n: number): string => `${group >> 8}.${group & 255}.${n >> 8}.${n & 255}`

export const addrMan = (seed: number, options: Partial<AddrManOptions> = {}): AddrMan =>
  new AddrMan({ random: ChaChaRandom.fromNumber(seed), sha256: portableSha256, groups: new NetGroups(), ...options })
