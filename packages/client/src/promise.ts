/**
 * The session, the header stream and the block stream for JavaScript that is not written in Effect: the same services, turned into promises and async iterables by one function
 * of `@satwire/runtime/promise`. Over TCP, unless another transport is given.
 */
import { type DuplexOptions, type WebStreams, duplexOf } from "@satwire/framing/effect"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { type ChainParams, networks } from "@satwire/primitives"
import { type CallOptions, type Owned, type Promised, acquire, promised, repeated } from "@satwire/runtime/promise"
import { DataDirectory, HeaderStore, type StoreError, layerFiles } from "@satwire/store"
import {
  type Connection,
  type Dialer,
  type Endpoint,
  type EndpointError,
  type Listener,
  parseEndpoint
} from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import { type Message, encodePayload } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Blocks from "./BlockStream.ts"
import type * as Following from "./Following.ts"
import * as Headers from "./HeaderStream.ts"
import * as Listen from "./Listen.ts"
import * as Session from "./PeerSession.ts"
import { SessionEnded } from "./SessionError.ts"

export type { DuplexOptions, WebStreams } from "@satwire/framing/effect"
export { type BlockPlace, type BlockServingFault, type BlockStep, UnknownPlace } from "./blocks.ts"
export {
  type HeaderRun,
  HeaderUnknown,
  HeadersRefused,
  MAX_CHANGE_HEADERS,
  NoPeerServes,
  type SpentPeer,
  type StreamPeerFault,
  type TipChange
} from "./headers.ts"
export { RequestFailed, type RequestFault } from "./Request.ts"
export type { SessionState } from "./Session.ts"
export { MessageNotPermitted, SessionEnded, type SessionEndReason } from "./SessionError.ts"
export { DirectoryLocked, DirectoryNotWritable, DiskFull, IoFailed } from "@satwire/store"
export { DialError, EndpointError, ListenError } from "@satwire/transport"

/** A network by the name that people use, or any other by its parameters. */
export type Network = "mainnet" | "testnet3" | "testnet4" | "signet" | "regtest" | ChainParams

export interface SessionOptions extends Omit<Session.SessionOptions, "params">, CallOptions {
  /** Which network the peer is of; `"mainnet"` where not given. */
  readonly network?: Network | undefined
}

export interface ConnectOptions extends SessionOptions {
  /** How long dialling may take, name resolution included; the transport's own limit where not given. */
  readonly dialTimeoutMs?: number | undefined
  /** What carries the bytes; TCP where not given. */
  readonly transport?: Layer.Layer<Dialer> | undefined
}

export interface ListenOptions extends SessionOptions {
  /** How many sessions there may be at once: 125 where not given. */
  readonly maxSessions?: number | undefined
  /** What carries the bytes; TCP where not given. */
  readonly transport?: Layer.Layer<Listener> | undefined
}

/**
 * One peer after its handshake. Every promise rejects with {@link SessionEnded} once the session is over.
 *
 * The loop over `messages` ends when the session is closed here, and throws when it ends otherwise. It may be left and entered anew:
 * nothing is lost between two loops.
 */
export interface PeerSession extends Promised<Session.PeerSession> {}

/** A session that its holder closes, by hand or by `await using`. */
export interface OwnSession extends PeerSession, Owned {}

/** An endpoint that is listened on, until its holder closes it with all its sessions. */
export interface Listening extends Owned {
  /** Where it listens in fact: a port 0 has become the one that was given. */
  readonly endpoint: Endpoint
}

/**
 * Dials a peer, written `host:port`, or `host` alone with the network's port, and shakes hands with it. Rejects with `DialError`,
 * `EndpointError`, `SessionEnded`, or the reason of the signal.
 */
export const connect = (peer: string | Endpoint, options: ConnectOptions = {}): Promise<OwnSession> =>
  acquire(
    Effect.gen(function* () {
      const resolved = sessionOptions(options)
      const endpoint = yield* endpointOf(peer, resolved.params)
      return forLoops(yield* Session.connect(endpoint, { ...resolved, dialTimeoutMs: options.dialTimeoutMs }))
    }).pipe(carriedBy(options.transport ?? layerTcp)),
    options
  )

/** Shakes hands over a connection that nobody has started yet, whichever end opened it. */
export const overConnection = (connection: Connection, options: SessionOptions = {}): Promise<OwnSession> =>
  acquire(
    Effect.suspend(() => Effect.map(Session.overConnection(connection, sessionOptions(options)), forLoops)),
    options
  )

/**
 * Shakes hands over a pair of web streams that somebody else opened, such as `Duplex.toWeb(socket)` of Node or a `WebTransport`'s. Both
 * are locked until the session is closed, and then cancelled.
 */
export const overStreams = (streams: WebStreams, options: SessionOptions & DuplexOptions): Promise<OwnSession> =>
  acquire(
    Effect.gen(function* () {
      const duplex = yield* duplexOf(streams)
      const { direction, remote } = options
      return forLoops(yield* Session.overDuplex(duplex, { ...sessionOptions(options), direction, remote }))
    }),
    options
  )

/**
 * Listens on `host:port`, where port 0 is any free one. Each peer that has shaken hands is given to `onSession`, and its session is
 * closed when that is done. What `onSession` rejects with is logged, unless it is {@link SessionEnded}.
 */
export const listen = (
  where: string | Endpoint,
  options: ListenOptions,
  onSession: (session: PeerSession) => Promise<void>
): Promise<Listening> =>
  acquire(
    Effect.gen(function* () {
      const resolved = { ...sessionOptions(options), maxSessions: options.maxSessions }
      const endpoint = yield* endpointOf(where, resolved.params)
      const listening = yield* Listen.listen(endpoint, resolved, (session) =>
        Effect.tryPromise({ try: () => onSession(promised(forLoops(session))), catch: (thrown) => thrown }).pipe(
          Effect.catch((thrown) => (thrown instanceof SessionEnded ? Effect.fail(thrown) : Effect.die(thrown)))
        )
      )
      return { endpoint: listening.endpoint }
    }).pipe(carriedBy(options.transport ?? layerTcp)),
    options
  )

/** What both streams take, in terms of promises. */
interface StreamOptions extends CallOptions {
  /** Which network the peers are of; `"mainnet"` where not given. */
  readonly network?: Network | undefined
  /** Whom to ask: `host:port`, or `host` alone with the network's port. */
  readonly peers: ReadonlyArray<string | Endpoint>
  /** The directory that holds the headers of all networks, and is locked meanwhile. They are kept in memory where it is not given. */
  readonly dataDirectory?: string | undefined
  /** What carries the bytes; TCP where not given. */
  readonly transport?: Layer.Layer<Dialer> | undefined
  /** What keeps the headers, instead of a data directory. */
  readonly store?: Layer.Layer<HeaderStore, StoreError> | undefined
}

export interface HeaderStreamOptions extends Omit<Headers.HeaderStreamOptions, "params" | "peers">, StreamOptions {}

/**
 * The best chain of some peers, until its holder closes it. A loop over `changes` ends when it is closed here, and throws `NoPeerServes` or
 * an error of the store when there can be no more. Each loop begins anew where the stream was opened; `changesSince` begins
 * with the tip that was told last.
 */
export interface HeaderStream extends Promised<Headers.HeaderStream>, Owned {}

/**
 * Follows the best chain of headers that some peers have. Rejects with `EndpointError`, `HeadersRefused`, an error of the store, or the reason of
 * the signal; then nothing of it is left.
 */
export const headerStream = (options: HeaderStreamOptions): Promise<HeaderStream> =>
  acquire(
    onEdges(options, (edges) => Headers.headerStream({ ...options, ...edges })),
    options
  )

/** It keeps headers, and no blocks. */
export interface BlockStreamOptions extends Omit<Blocks.BlockStreamOptions, "params" | "peers">, StreamOptions {}

/**
 * The blocks of some peers' best chain, until its holder closes it. The loop over `blocks` ends when it is closed here, and throws `NoPeerServes`,
 * `UnknownPlace` or an error of the store when there can be no more. It may be left and entered anew, and goes on where it was.
 */
export interface BlockStream extends Promised<Blocks.BlockStream>, Owned {}

/**
 * Follows the blocks of the best chain that some peers have. Rejects with `EndpointError`, `HeadersRefused`, an error of the store, or the reason
 * of the signal; then nothing of it is left.
 */
export const blockStream = (options: BlockStreamOptions): Promise<BlockStream> =>
  acquire(
    onEdges(options, (edges) => Blocks.blockStream({ ...options, ...edges })),
    options
  )

/** What a stream stands on: the network, its peers, what it hashes with, and around it the transport and the store. */
const onEdges = <A, E>(
  options: StreamOptions & Pick<SessionOptions, "aead" | "sha256">,
  stream: (
    edges: Pick<Following.StreamOptions, "aead" | "params" | "peers" | "sha256">
  ) => Effect.Effect<A, E, Dialer | HeaderStore | Scope.Scope>
): Effect.Effect<A, E | EndpointError | StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const params = paramsOf(options.network ?? "mainnet")
    const { dataDirectory, sha256 = platformSha256, aead = platformAead, transport = layerTcp } = options
    const peers = yield* Effect.forEach(options.peers, (peer) => endpointOf(peer, params))
    const kept = dataDirectory === undefined ? HeaderStore.layerMemory : headersOnDisk(dataDirectory, params)
    const edges = yield* Layer.build(Layer.fresh(Layer.merge(transport, options.store ?? kept)))
    return yield* Effect.provide(stream({ params, peers, sha256, aead }), edges)
  })

/** The headers of this network below the data directory `root`, in the place where a node keeps them. */
const headersOnDisk = (root: string, params: ChainParams): Layer.Layer<HeaderStore, StoreError> =>
  Layer.unwrap(
    Effect.map(DataDirectory, ({ path }) => HeaderStore.layer({ directory: path, networkMagic: params.magic }))
  ).pipe(Layer.provide(DataDirectory.layer({ root, network: params })), Layer.provide(layerFiles))

type SessionForLoops = Omit<Session.PeerSession, "messages"> & { readonly messages: AsyncIterable<Message> }

/**
 * Two members are other than under Effect. The messages come one by one: a loop that is left takes none along that it did not see, as a
 * stream of chunks would. And what is sent is looked at first, since there may be no types to say what a message is.
 */
const forLoops = (session: Session.PeerSession): SessionForLoops => ({
  ...session,
  send: (message) => Effect.andThen(sendable(message), session.send(message)),
  messages: repeated(session.receive, (ended) => ended.reason._tag === "ClosedHere")
})

/** Dies of a `TypeError` for what cannot be encoded. */
const sendable = (message: Message): Effect.Effect<void> =>
  Effect.sync(() => {
    try {
      encodePayload(message)
    } catch (cause) {
      throw new TypeError("this is no message that can be sent: see Message of @satwire/wire", { cause })
    }
  })

/** With a transport of its own, which closes with the scope. */
const carriedBy =
  <Transport>(transport: Layer.Layer<Transport>) =>
  <A, E>(effect: Effect.Effect<A, E, Transport | Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
    Effect.flatMap(Layer.build(transport), (context) => Effect.provide(effect, context))

const endpointOf = (where: string | Endpoint, params: ChainParams): Effect.Effect<Endpoint, EndpointError> =>
  typeof where === "string" ? Effect.fromResult(parseEndpoint(where, params.defaultPort)) : Effect.succeed(where)

const sessionOptions = (options: SessionOptions): Session.SessionOptions => ({
  params: paramsOf(options.network ?? "mainnet"),
  userAgent: options.userAgent,
  services: options.services,
  startHeight: options.startHeight,
  relay: options.relay,
  sha256: options.sha256 ?? platformSha256,
  aead: options.aead ?? platformAead,
  curve: options.curve,
  v2transport: options.v2transport,
  requestTimeoutMs: options.requestTimeoutMs,
  onState: options.onState
})

const paramsOf = (network: Network): ChainParams => {
  if (typeof network !== "string") return network
  const params = Object.hasOwn(networks, network) ? networks[network] : undefined
  if (params !== undefined) return params
  // Who writes no types learns here what may stand.
  throw new TypeError(`no network is called "${network as string}": take one of ${Object.keys(networks).join(", ")}`)
}
