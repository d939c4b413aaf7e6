/** How Bitcoin Core writes networks, services and times in its answers. */
import { toHex } from "@satwire/bytes"
import type { Instant, Now } from "@satwire/machine"
import { NETWORKS, type NetAddr, type Network, netClass } from "@satwire/netaddress"

export const NETWORK_NAMES: { readonly [N in Network]: string } = {
  ipv4: "ipv4",
  ipv6: "ipv6",
  torv3: "onion",
  i2p: "i2p",
  cjdns: "cjdns"
}

/** For help texts: `ipv4, ipv6, …`. */
export const NETWORK_LIST: string = NETWORKS.map(({ network }) => NETWORK_NAMES[network]).join(", ")

/** The network that a user names, in whatever case. */
export const networkNamed = (name: string): Network | undefined =>
  NETWORKS.find(({ network }) => NETWORK_NAMES[network] === name.toLowerCase())?.network

/** Core's name for where an address lies; a name that was not resolved lies nowhere that is known. */
export const networkNameOf = (host: NetAddr | undefined): string => {
  const network = host === undefined ? "unroutable" : netClass(host)
  if (network === "unroutable") return "not_publicly_routable"
  return network === "internal" ? "internal" : NETWORK_NAMES[network]
}

/** Sixteen hex digits, the highest first. */
export const servicesHex = (services: bigint): string => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, services)
  return toHex(bytes)
}

/**
 * When something was, in seconds since 1970; 0 for never.
 *
 * Specification: reckoned back from now, and up to the next whole second. Rationale: instants are kept, and times are not; up, so that with a
 * held clock (`setmocktime`) what has just happened was at the time at which it is held.
 */
export const unixOf = (instant: Instant | undefined, now: Now): number =>
  instant === undefined ? 0 : Math.ceil(now.unix - (now.instant - instant) / 1000)
