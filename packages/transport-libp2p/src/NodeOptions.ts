/** What a libp2p node is told at its start. */
import type { Libp2pInit } from "libp2p"
import type { Carriage } from "./Addresses.ts"
import { MAX_KNOWN_PEERS } from "./KnownPeers.ts"
import type { Discovery } from "./Discovery.ts"
import type { EngineTransport } from "./Engine.ts"
import type { Reachability } from "./Reachability.ts"

/** Somebody at the other end; the peer is unknown before it has proven its key, the host where a relay is between. */
export interface Remote {
  readonly host: string | undefined
  readonly peerId: string | undefined
  /** Whether that peer is at that host, whose key it has proven there. What is dialled is only said to be so, by whoever told of it. */
  readonly isProven?: boolean
}

/**
 * js-libp2p's own.
 *
 * @limit connections of a libp2p node, unless told otherwise
 */
export const MAX_CONNECTIONS = 300

/**
 * Half of them: the rest is for those whom we dial ourselves.
 *
 * @limit connections that others dialled to a libp2p node, unless told otherwise
 */
export const MAX_INBOUND = 150

/**
 * More than js-libp2p's 10, which one slow stranger each fills in a second. One host has a quarter of them.
 *
 * @limit accepted connections of a libp2p node that are not through with their handshake, unless told otherwise
 */
export const MAX_PENDING = 32

/**
 * js-libp2p's own.
 *
 * @limit connections that one host, an IPv4 address or 64 bits of IPv6, may make to a libp2p node in a second, unless told otherwise
 */
export const MAX_PER_HOST_A_SECOND = 5

/**
 * @limit peers that a libp2p node dials at once, unless told otherwise
 */
export const MAX_DIALLING = 32

/**
 * js-libp2p's own.
 *
 * @limit dials of a libp2p node that wait for their turn, unless told otherwise; more fail at once
 */
export const MAX_DIAL_QUEUE = 500

/**
 * js-libp2p's own.
 *
 * @limit milliseconds in which a libp2p node has to reach a peer, all its addresses together, unless told otherwise
 */
export const DIAL_TIMEOUT_MS = 10_000

/**
 * js-libp2p's own.
 *
 * @limit milliseconds of the handshake of somebody who dialled a libp2p node, unless told otherwise
 */
export const HANDSHAKE_TIMEOUT_MS = 10_000

export interface NodeLimits {
  /** Connections that stand. Of dialled ones beyond it those of least worth are closed (js-libp2p's pruner). */
  readonly maxConnections: number
  /** Of these, how many others may have dialled; of one host, but for this machine, a quarter of these, and eight in any case. */
  readonly maxInbound: number
  /** Accepted and not through with their handshake; of one host a quarter of these. */
  readonly maxPending: number
  /** Accepted from one host in a second: an IPv4 address, or 64 bits of IPv6. */
  readonly maxPerHostASecond: number
  readonly maxDialling: number
  /** Dials that wait for their turn; more fail at once. */
  readonly maxDialQueue: number
  /** Peers whose addresses are kept without being told to; the oldest go. */
  readonly maxKnownPeers: number
  /** For all addresses of a peer together; a call that gives itself less time has less. */
  readonly dialTimeoutMs: number
  /** What who dials us has from the first byte to the last of encryption and multiplexer. */
  readonly handshakeTimeoutMs: number
}

export const DEFAULT_LIMITS: NodeLimits = {
  maxConnections: MAX_CONNECTIONS,
  maxInbound: MAX_INBOUND,
  maxPending: MAX_PENDING,
  maxPerHostASecond: MAX_PER_HOST_A_SECOND,
  maxDialling: MAX_DIALLING,
  maxDialQueue: MAX_DIAL_QUEUE,
  maxKnownPeers: MAX_KNOWN_PEERS,
  dialTimeoutMs: DIAL_TIMEOUT_MS,
  handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS
}

export interface Libp2pNodeOptions {
  /** Multiaddrs to listen on, such as `/ip4/0.0.0.0/tcp/9333`; none where not given. */
  readonly listen?: ReadonlyArray<string>
  /** Multiaddrs to tell others of instead of those. */
  readonly announce?: ReadonlyArray<string>
  /** TCP where not given; further ones of js-libp2p, such as WebRTC of `@satwire/transport-webrtc`, as they are. */
  readonly transports?: ReadonlyArray<Carriage | "memory" | EngineTransport>
  /** Both, Noise first, where not given; on Deno Noise alone. QUIC brings its own. */
  readonly security?: ReadonlyArray<"noise" | "tls">
  /** A lasting identity, from `makePrivateKey`; a new one each time where not given. */
  readonly privateKey?: Uint8Array | undefined
  /** What we call ourselves to peers. */
  readonly userAgent?: string
  readonly limits?: Partial<NodeLimits>
  /** Asked before a dial, when somebody comes, when it has proven its key, and of everybody by `dropBanned`. */
  readonly isBanned?: (who: Remote) => boolean
  readonly discovery?: Discovery
  readonly reachability?: Reachability
  /** Further services of js-libp2p, such as gossipsub; they are at `engine.services` then. */
  readonly services?: NonNullable<Libp2pInit["services"]>
}
