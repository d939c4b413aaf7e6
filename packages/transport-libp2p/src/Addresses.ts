/**
 * Endpoints and multiaddrs. A libp2p peer is known by its key; where it is reached is the node's business, and may be a relay. So an endpoint
 * is one of two:
 *
 * ```
 *   203.0.113.5:8333              somebody there, whoever it is        /ip4/203.0.113.5/tcp/8333
 *   k51qzi5….libp2p.alt:0         that peer, wherever it is            /p2p/12D3KooW…
 * ```
 *
 * The name is the peer's id in base 36, which a host name may hold, under `alt`, which no name server is asked for (RFC 9476).
 *
 * Source: libp2p specs "Peer Ids" (string representation), "Addressing".
 */
import { type PeerId, isPeerId } from "@libp2p/interface"
import { peerIdFromCID, peerIdFromString } from "@libp2p/peer-id"
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr"
import { type Endpoint, NOWHERE } from "@satwire/transport"
import { base36 } from "multiformats/bases/base36"
import { CID } from "multiformats/cid"

/** What carries the bytes of an endpoint that is a host and a port. */
export type Carriage = "tcp" | "websocket" | "quic"

const SUFFIX = ".libp2p.alt"
/** RFC 1035 §2.3.4. Only ids that hold a secp256k1 key are longer. */
const LABEL = /.{1,63}/g

/** The host that stands for a peer, whatever its addresses. */
export const hostOfPeer = (peerId: PeerId): string => {
  const text = peerId.toCID().toString(base36)
  return `${(text.match(LABEL) ?? []).join(".")}${SUFFIX}`
}

/** The peer that a host stands for; `undefined` where it is another kind of host. */
export const peerOfHost = (host: string): PeerId | undefined => {
  if (!host.endsWith(SUFFIX)) return undefined
  const text = host.slice(0, -SUFFIX.length).replaceAll(".", "")
  return quietly(() => peerIdFromCID(CID.parse(text, base36)))
}

/** The peer of a text as people and libp2p write it, `12D3KooW…`; `undefined` where it is none. */
export const parsePeer = (text: string): PeerId | undefined => quietly(() => peerIdFromString(text))

/** Whose address it is; `undefined` where it does not say. */
export const peerOfAddress = (address: Multiaddr): PeerId | undefined =>
  parsePeer(address.getComponents().findLast(({ name }) => name === "p2p")?.value ?? "")

/** A multiaddr from its text; `undefined` where it is none. */
export const parseMultiaddr = (text: string): Multiaddr | undefined => quietly(() => multiaddr(text))

/** Whether libp2p can read it as an address. */
export const isMultiaddr = (text: string): boolean => parseMultiaddr(text) !== undefined

const quietly = <A>(parse: () => A): A | undefined => {
  try {
    return parse()
  } catch {
    return undefined
  }
}

const AFTER_HOST: Record<Carriage, (port: number) => string> = {
  tcp: (port) => `tcp/${port}`,
  websocket: (port) => `tcp/${port}/ws`,
  quic: (port) => `udp/${port}/quic-v1`
}

/** What to dial for an endpoint. */
export const targetOf = ({ host, port }: Endpoint, carriage: Carriage): PeerId | Multiaddr | undefined => {
  if (host.endsWith(SUFFIX)) return port === 0 ? peerOfHost(host) : undefined
  const [address = "", zone] = host.split("%", 2)
  const zoned = zone === undefined ? "" : `/ip6zone/${zone}`
  const kind = address.includes(":") ? "ip6" : /^[0-9.]+$/.test(address) ? "ip4" : "dns"
  return parseMultiaddr(`${zoned}/${kind}/${address}/${AFTER_HOST[carriage](port)}`)
}

/** What to dial for the text of a peer or a multiaddr. */
export const targetOfText = (text: string): PeerId | Multiaddr | undefined =>
  text.startsWith("/") ? parseMultiaddr(text) : parsePeer(text)

const HOSTS = new Set(["ip4", "ip6", "dns", "dns4", "dns6"])

/** The host and port that bytes come from; `undefined` where they come through a relay, or from nothing that has a host. */
export const directEndpoint = (address: Multiaddr): Endpoint | undefined => {
  const parts = address.getComponents()
  const isRelayed = parts.some(({ name }) => name === "p2p-circuit")
  const host = parts.find(({ name }) => HOSTS.has(name))?.value
  const port = parts.find(({ name }) => name === "tcp" || name === "udp")?.value
  return isRelayed || host === undefined || port === undefined ? undefined : { host, port: Number(port) }
}

/** The endpoint of somebody we are connected to: where the bytes come from, since that is what is banned and grouped; else who it is. */
export const endpointOf = (address: Multiaddr, peerId: PeerId): Endpoint =>
  directEndpoint(address) ?? { host: hostOfPeer(peerId), port: 0 }

/** An endpoint that comes closest to what was asked for, for an error about it. */
export const endpointOfTarget = (target: PeerId | Multiaddr | undefined): Endpoint => {
  if (target === undefined) return NOWHERE
  if (isPeerId(target)) return { host: hostOfPeer(target), port: 0 }
  const peerId = peerOfAddress(target)
  return directEndpoint(target) ?? (peerId === undefined ? NOWHERE : { host: hostOfPeer(peerId), port: 0 })
}
