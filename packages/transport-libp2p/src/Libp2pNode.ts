/**
 * A libp2p node as a scoped service. Everything that runs in it, connections, streams, timers, ends with the scope of its layer.
 */
import { privateKeyToProtobuf } from "@libp2p/crypto/keys"
import {
  type Connection as PeerLink,
  type Stream as EngineStream,
  isPeerId,
  peerDiscoverySymbol
} from "@libp2p/interface"
import { seededRandom } from "@satwire/runtime"
import { DialError, type Endpoint, ListenError } from "@satwire/transport"
import { codeOf, listenReasonOf, wordsOf } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { endpointOfTarget, hostOfPeer, parseMultiaddr, peerOfAddress, targetOfText } from "./Addresses.ts"
import { type ByteStream, scopedStream } from "./ByteStream.ts"
import { dialFailure } from "./DialFailure.ts"
import { type FoundPeer, foundPeer } from "./Discovery.ts"
import { type Engine, keyOf, makeEngine } from "./Engine.ts"
import { Inbound, ShakingHands, gaterOf, remoteOfConnection } from "./Gater.ts"
import { KnownPeers } from "./KnownPeers.ts"
import { DEFAULT_LIMITS, type Libp2pNodeOptions, type Remote } from "./NodeOptions.ts"
import { type HandleOptions, type StreamHandler, handleProtocol } from "./Protocols.ts"
import { type RoutingShape, routingOf } from "./Routing.ts"

export interface Libp2pNodeShape {
  /** Who we are, `12D3KooW…`. */
  readonly peerId: string
  /** The same as the endpoint of a dialer over libp2p. */
  readonly endpoint: Endpoint
  /** Where we believe that we can be reached: multiaddrs that end in our id. They change. */
  readonly addresses: () => ReadonlyArray<string>
  readonly connections: () => ReadonlyArray<PeerConnection>
  /** Keeps addresses of a peer, for dials to it by its id alone. */
  readonly learn: (addresses: ReadonlyArray<string>) => Effect.Effect<void>
  /** Connects, or does nothing where a connection stands. */
  readonly connect: (to: string, options?: ConnectOptions) => Effect.Effect<PeerConnection, DialError>
  /** Milliseconds there and back. */
  readonly ping: (to: string) => Effect.Effect<number, DialError>
  /** Closes every connection with a peer now, without a farewell; how many those were. */
  readonly hangUp: (peerId: string) => Effect.Effect<number>
  /** Asks `isBanned` about everybody who is connected, and closes those connections now; how many those were. */
  readonly dropBanned: Effect.Effect<number>
  /** A stream of that protocol, or of the first of several that the other end knows, as long as the scope. */
  readonly openStream: (
    to: string,
    protocol: string | ReadonlyArray<string>,
    options?: OpenStreamOptions
  ) => Effect.Effect<ByteStream, DialError, Scope.Scope>
  /** Handles each stream of that protocol in a fiber of its own, as long as the scope. */
  readonly handle: <R>(
    protocol: string,
    handler: StreamHandler<R>,
    options?: HandleOptions
  ) => Effect.Effect<void, ListenError, R | Scope.Scope>
  /** Who was found, from now on, after the last few of before. Who reads slowly misses the oldest. */
  readonly found: Stream.Stream<FoundPeer>
  /** Questions to the distributed hash table, where there is one. */
  readonly routing: RoutingShape
  /** The js-libp2p node itself, for what has no place here. */
  readonly engine: Engine
}

export interface ConnectOptions {
  /** {@link REACH_TIMEOUT_MS} where not given; the node's `dialTimeoutMs` holds besides. */
  readonly timeoutMs?: number
}

export interface OpenStreamOptions extends ConnectOptions {
  /** Whether a relay that bounds it in time and bytes will do. */
  readonly overLimited?: boolean
}

/**
 * @limit milliseconds to reach a peer of libp2p, with its lookup, the handshake and the protocol, unless told otherwise
 */
export const REACH_TIMEOUT_MS = 10_000

/** How many found peers a slow reader has before he misses some, and how many one who comes late is told of. */
const [FOUND_KEPT, FOUND_REPLAYED] = [1024, 64]

/** A connection that stands, which many streams share. */
export interface PeerConnection {
  readonly peerId: string
  /** The other end's multiaddr. */
  readonly address: string
  readonly direction: "inbound" | "outbound"
  /** Whether it is a relay's, which bounds it in time and bytes. */
  readonly isLimited: boolean
  readonly streams: number
}

const Libp2pNodeBase: Context.ServiceClass<Libp2pNode, "@satwire/transport-libp2p/Libp2pNode", Libp2pNodeShape> =
  Context.Service<Libp2pNode, Libp2pNodeShape>()("@satwire/transport-libp2p/Libp2pNode")

export class Libp2pNode extends Libp2pNodeBase {
  static readonly layer = (options: Libp2pNodeOptions = {}): Layer.Layer<Libp2pNode, ListenError> =>
    Layer.effect(Libp2pNode, makeLibp2pNode(options))
}

/** A lasting identity, which is the caller's to keep in secret. */
export const makePrivateKey: Effect.Effect<Uint8Array> = Effect.map(
  Effect.promise(() => keyOf(undefined)),
  privateKeyToProtobuf
)

type Connections = ReturnType<Engine["getConnections"]>

const seen = (connection: Connections[number]): PeerConnection => ({
  peerId: connection.remotePeer.toString(),
  address: connection.remoteAddr.toString(),
  direction: connection.direction,
  isLimited: connection.limits !== undefined,
  streams: connection.streams.length
})

const drop = (connections: Connections, why: string): number => {
  for (const connection of connections) connection.abort(new Error(why))
  return connections.length
}

/** A node as long as the scope. */
export const makeLibp2pNode = (
  options: Libp2pNodeOptions = {}
): Effect.Effect<Libp2pNodeShape, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const found = yield* PubSub.sliding<FoundPeer>({ capacity: FOUND_KEPT, replay: FOUND_REPLAYED })
    const { engine, known } = yield* started(options, (peer) => PubSub.publishUnsafe(found, peer))
    for (const kept of [engine.services.ports, engine.services.places]) if (kept !== undefined) yield* kept.keep
    const random = yield* seededRandom
    return {
      ...talking(engine, known, options.isBanned ?? (() => false)),
      engine,
      peerId: engine.peerId.toString(),
      endpoint: { host: hostOfPeer(engine.peerId), port: 0 },
      addresses: () => engine.getMultiaddrs().map(String),
      found: Stream.fromPubSub(found),
      routing: routingOf(engine, random)
    }
  })

type Talking = Omit<Libp2pNodeShape, "engine" | "peerId" | "endpoint" | "addresses" | "found" | "routing">

const talking = (engine: Engine, known: KnownPeers, isBanned: (who: Remote) => boolean): Talking => ({
  connections: () => engine.getConnections().map(seen),
  learn: (addresses) => Effect.promise(() => learn(engine, known, addresses)),
  connect: (to, options = {}) =>
    Effect.map(
      reach(to, options, (target, signal) => engine.dial(target, { signal })),
      seen
    ),
  ping: (to) => reach(to, {}, (target, signal) => engine.services.ping.ping(target, { signal })),
  openStream: (to, protocol, options = {}) =>
    Effect.flatMap(
      reach(to, options, (target, signal) => opened(engine, target, protocol, options, signal)),
      ({ stream, link }) => scopedStream(stream, link)
    ),
  handle: (protocol, handler, options = {}) => handleProtocol(engine, protocol, handler, options),
  hangUp: (peerId) =>
    Effect.sync(() => {
      const target = targetOfText(peerId)
      return isPeerId(target) ? drop(engine.getConnections(target), "hung up") : 0
    }),
  dropBanned: Effect.sync(() =>
    drop(
      engine.getConnections().filter((connection) => isBanned(remoteOfConnection(connection))),
      "banned"
    )
  )
})

const opened = async (
  engine: Engine,
  target: Target,
  protocol: string | ReadonlyArray<string>,
  { overLimited = false }: OpenStreamOptions,
  signal: AbortSignal
): Promise<{ readonly stream: EngineStream; readonly link: PeerLink }> => {
  const link = await engine.dial(target, { signal })
  const protocols = typeof protocol === "string" ? [protocol] : [...protocol]
  const stream = await link.newStream(protocols, { signal, runOnLimitedConnection: overLimited })
  if (!signal.aborted) return { stream, link }
  stream.abort(new Error("given up"))
  throw new DOMException("given up", "AbortError")
}

const reach = <A>(
  to: string,
  { timeoutMs = REACH_TIMEOUT_MS }: ConnectOptions,
  run: (target: Target, signal: AbortSignal) => Promise<A>
): Effect.Effect<A, DialError> =>
  Effect.suspend(() => {
    const target = targetOfText(to)
    const endpoint = endpointOfTarget(target)
    if (target === undefined) {
      const told = { asked: `"${to.slice(0, 80)}"`, detail: "it is neither a multiaddr nor a peer's id" }
      return Effect.fail(new DialError({ reason: "NoRoute", endpoint, code: "EINVAL", ...told }))
    }
    return Effect.tryPromise({
      try: (signal) => run(target, signal),
      catch: (thrown) => dialFailure(endpoint, thrown, to)
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.fail(new DialError({ reason: "TimedOut", endpoint, code: "ETIMEDOUT" }))
      })
    )
  })

type Target = NonNullable<ReturnType<typeof targetOfText>>

/** Addresses without the id of a peer are passed over. */
const learn = async (engine: Engine, known: KnownPeers, addresses: ReadonlyArray<string>): Promise<void> => {
  for (const text of addresses) {
    const address = parseMultiaddr(text)
    const target = address === undefined ? undefined : peerOfAddress(address)
    if (address === undefined || target === undefined) continue
    known.keep(target)
    await engine.peerStore.merge(target, { multiaddrs: [address] })
  }
}

const started = (
  options: Libp2pNodeOptions,
  onFound: (peer: FoundPeer) => void
): Effect.Effect<{ readonly engine: Engine; readonly known: KnownPeers }, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    const inbound = new Inbound(limits.maxInbound)
    const shakingHands = new ShakingHands(limits)
    const gater = gaterOf({ isBanned: options.isBanned ?? (() => false), inbound, shakingHands })
    const failed = (thrown: unknown): ListenError => listenFailure(options, thrown)
    const engine = yield* Effect.tryPromise({
      try: () => makeEngine({ options, limits, gater, onFound }),
      catch: failed
    })
    inbound.watch(engine)
    shakingHands.watch(engine)
    const known = new KnownPeers(engine, limits.maxKnownPeers)
    engine.addEventListener("peer:identify", ({ detail }) => {
      onFound(foundPeer({ id: detail.peerId, multiaddrs: detail.listenAddrs }, "identify"))
    })
    const { dht } = engine.services
    if (dht !== undefined) {
      dht[peerDiscoverySymbol].addEventListener("peer", ({ detail }) => onFound(foundPeer(detail, "dht")))
    }
    yield* Effect.acquireRelease(Effect.tryPromise({ try: async () => engine.start(), catch: failed }), () =>
      Effect.promise(async () => {
        // What stands would be given half a second each to say farewell.
        drop(engine.getConnections(), "stopping")
        await engine.stop()
      })
    )
    return { engine, known }
  })

/** Of several addresses, one line each, with a stack. */
const ONE_OF_SEVERAL = /\n\s*(\/\S+): (?:Error: )?([^\n]+)/

/** js-libp2p has the socket's error in the words of its own only. */
const listenFailure = (options: Libp2pNodeOptions, thrown: unknown): ListenError => {
  const words = wordsOf(thrown)
  const code = /\bE[A-Z]{4,}\b/.exec(words)?.[0] ?? codeOf(thrown)
  const asked = [...(options.listen ?? []), ...(options.reachability?.relayed?.at ?? [])]
  const bad = asked.find((text) => parseMultiaddr(text) === undefined) ?? asked[0] ?? ""
  const [, which = bad, what = words] = ONE_OF_SEVERAL.exec(words) ?? []
  const endpoint = endpointOfTarget(parseMultiaddr(which))
  const told = { asked: endpoint.port === 0 ? which : undefined, detail: what }
  return new ListenError({ reason: listenReasonOf(code), endpoint, code, ...told })
}
