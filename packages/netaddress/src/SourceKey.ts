/**
 * What counts as one source, where somebody may have so much by host: connections at once, or in a second.
 *
 * Specification: an IPv4 address; an IPv6 network of 64 bits; where an address of IPv6 stands for one of IPv4 behind a tunnel or a translator, that
 * one; any other host by its text. Rationale: one customer is given 64 bits and more (RFC 6177), and so 2^64 addresses to come from.
 */
import { linkedIpv4 } from "./AddressClass.ts"
import { formatHost, parseHost } from "./AddressText.ts"

/** Bytes of an address that name a customer's network. */
const NETWORK_BYTES = 8

/** The text of the source that a host, as a socket or a URL names it, belongs to. */
export const sourceKey = (host: string): string => {
  const [text = host] = host.split("%", 1)
  const parsed = parseHost(text)
  if (parsed === undefined) return host
  const ipv4 = linkedIpv4(parsed)
  if (ipv4 !== undefined) return formatHost({ network: "ipv4", address: ipv4 })
  if (parsed.network !== "ipv6") return formatHost(parsed)
  const network = new Uint8Array(16)
  network.set(parsed.address.subarray(0, NETWORK_BYTES))
  return `${formatHost({ network: "ipv6", address: network })}/64`
}
