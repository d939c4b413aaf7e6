/**
 * From options to a js-libp2p node that is started. What is asked for is imported, and nothing else: a node over TCP loads no QUIC, no DHT.
 *
 * Specification: a paused stream must hold the other end back before its buffer is full. js-libp2p lets a window of Yamux grow to 16 MiB
 * and resets a stream that holds more than 4 MiB unread, so the windows here end below what a stream may hold.
 */
import { identify, identifyPush } from "@libp2p/identify"
import { generateKeyPair, privateKeyFromProtobuf } from "@libp2p/crypto/keys"
import type {
  ConnectionEncrypter,
  ConnectionGater,
  Libp2p,
  PeerDiscovery,
  PrivateKey,
  peerDiscoverySymbol
} from "@libp2p/interface"
import { noise } from "@libp2p/noise"
import { ping } from "@libp2p/ping"
import { yamux } from "@libp2p/yamux"
import { boundPieces, heldQuic, joiningEncrypter, joiningMuxer, keptKeyCrypto } from "@satwire/libp2p-wires"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Libp2pOptions, createLibp2p } from "libp2p"
import type { Carriage } from "./Addresses.ts"
import { type FoundPeer, discoveryParts } from "./Discovery.ts"
import { boundAddresses } from "./KnownAddresses.ts"
import type { Libp2pNodeOptions, NodeLimits } from "./NodeOptions.ts"
import { reachabilityParts } from "./Reachability.ts"
import { MAX_WAITING_BYTES } from "./StreamConnection.ts"

/** What goes on as long as the node is there. */
interface Kept {
  readonly keep: Effect.Effect<void, never, Scope.Scope>
}

export interface EngineServices extends Record<string, unknown> {
  readonly ping: ReturnType<ReturnType<typeof ping>>
  readonly dht?: { readonly [peerDiscoverySymbol]: PeerDiscovery }
  readonly ports?: Kept
  readonly places?: Kept
  /** There where holes are punched. */
  readonly dcutr?: unknown
}

export type Engine = Libp2p<EngineServices>

type Init = Libp2pOptions<Record<string, unknown>>
/** A transport of js-libp2p, as its modules make them. */
export type EngineTransport = NonNullable<Init["transports"]>[number]
export type Service = NonNullable<Init["services"]>[string]
export type PeerFinder = NonNullable<Init["peerDiscovery"]>[number]

/**
 * @limit bytes that a peer may send into a stream before they are read
 */
export const MAX_WINDOW_BYTES: number = 4 * 1024 * 1024

/**
 * @limit streams that one peer may have open over one connection, whatever they are for
 */
export const MAX_STREAMS_PER_CONNECTION = 1024

/**
 * @limit bytes that a peer may send into a stream over QUIC before they are read
 */
export const MAX_QUIC_WINDOW_BYTES: number = 1024 * 1024
/**
 * Thirty-two streams may be held back before the rest of their connection is.
 *
 * @limit bytes that a peer may send into all streams of a connection over QUIC before they are read
 */
export const MAX_QUIC_CONNECTION_BYTES: number = 32 * 1024 * 1024

const QUIC_WINDOWS = { maxStreamData: MAX_QUIC_WINDOW_BYTES, maxConnectionData: MAX_QUIC_CONNECTION_BYTES }

/** Deno's `node:tls` does not do TLS over a stream that is no socket of its own. */
const SECURITY: NonNullable<Libp2pNodeOptions["security"]> = "Deno" in globalThis ? ["noise"] : ["noise", "tls"]

/** Longer than a second would only hold up whoever stops. */
const CLOSE_TIMEOUT_MS = 500

const transportOf = async (kind: Carriage | "memory" | EngineTransport): Promise<EngineTransport> => {
  if (typeof kind !== "string") return kind
  switch (kind) {
    case "websocket":
      return (await import("@libp2p/websockets")).webSockets()
    case "quic":
      return heldQuic((await import("@chainsafe/libp2p-quic")).quic(QUIC_WINDOWS))
    case "memory":
      return (await import("@libp2p/memory")).memory()
    case "tcp":
      return (await import("@libp2p/tcp")).tcp()
  }
}

const encrypted = noise({ crypto: keptKeyCrypto })

const encrypterOf = async (kind: "noise" | "tls"): Promise<(components: never) => ConnectionEncrypter> =>
  kind === "noise" ? (components) => joiningEncrypter(encrypted(components)) : (await import("@libp2p/tls")).tls()

const multiplexer = yamux({
  maxInboundStreams: MAX_STREAMS_PER_CONNECTION,
  maxOutboundStreams: MAX_STREAMS_PER_CONNECTION,
  // Opened before the connection is told of: of more than these the connection would die.
  maxEarlyStreams: MAX_STREAMS_PER_CONNECTION,
  streamOptions: { maxStreamWindowSize: MAX_WINDOW_BYTES, maxReadBufferLength: MAX_WAITING_BYTES }
})

/** The key that was given, or a new one. */
export const keyOf = async (bytes: Uint8Array | undefined): Promise<PrivateKey> =>
  bytes === undefined ? generateKeyPair("Ed25519") : privateKeyFromProtobuf(bytes)

export interface EngineParts {
  readonly options: Libp2pNodeOptions
  readonly limits: NodeLimits
  readonly gater: ConnectionGater
  readonly onFound: (peer: FoundPeer) => void
}

/** A node that is not started yet. */
export const makeEngine = async ({ options, limits, gater, onFound }: EngineParts): Promise<Engine> => {
  boundPieces()
  const transports = await Promise.all((options.transports ?? ["tcp"]).map(transportOf))
  const encrypters = await Promise.all((options.security ?? SECURITY).map(encrypterOf))
  const found = await discoveryParts(options.discovery ?? {}, onFound)
  const reached = await reachabilityParts(options.reachability ?? {})
  const engine = await createLibp2p<EngineServices>({
    start: false,
    privateKey: await keyOf(options.privateKey),
    nodeInfo: { name: "satwire", userAgent: options.userAgent ?? "satwire" },
    addresses: {
      listen: [...(options.listen ?? []), ...reached.listen],
      announce: [...(options.announce ?? [])]
    },
    transports: [...transports, ...reached.transports],
    connectionEncrypters: encrypters as NonNullable<Init["connectionEncrypters"]>,
    streamMuxers: [() => joiningMuxer(multiplexer())],
    connectionGater: gater,
    connectionManager: {
      maxConnections: limits.maxConnections,
      maxIncomingPendingConnections: limits.maxPending,
      inboundConnectionThreshold: limits.maxPerHostASecond,
      maxParallelDials: limits.maxDialling,
      maxDialQueueLength: limits.maxDialQueue,
      dialTimeout: limits.dialTimeoutMs,
      inboundUpgradeTimeout: limits.handshakeTimeoutMs,
      connectionCloseTimeout: CLOSE_TIMEOUT_MS
    },
    peerDiscovery: found.finders,
    services: {
      ...options.services,
      ...found.services,
      ...reached.services,
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping()
    }
  })
  boundAddresses(engine.peerStore)
  return engine
}
