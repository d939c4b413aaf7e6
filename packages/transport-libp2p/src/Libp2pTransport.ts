/**
 * Bitcoin's byte transport over one protocol of a libp2p node: a dialer and a listener whose connections are streams.
 *
 * Specification: a node has one handler for a protocol, wherever it listens, so a listener has one endpoint, which is the peer itself
 * (`LIBP2P_HOST`, or the node's own). A dial to a peer that a connection stands with opens another stream on it.
 */
import type { Connection as PeerLink, Stream } from "@libp2p/interface"
import {
  DialError,
  Dialer,
  type DialerShape,
  type Endpoint,
  ListenError,
  Listener,
  type ListenerShape,
  type Listening,
  OpenConnections,
  NOWHERE,
  dialWith
} from "@satwire/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type Carriage, endpointOf, targetOf } from "./Addresses.ts"
import { dialFailure } from "./DialFailure.ts"
import { Libp2pNode, type Libp2pNodeShape } from "./Libp2pNode.ts"
import { acceptStreams } from "./Protocols.ts"
import { StreamConnection } from "./StreamConnection.ts"

/** Frames of Bitcoin's v1 or v2 transport, as over TCP. */
export const BITCOIN_PROTOCOL = "/bitcoin/p2p/1.0.0"

/** The host to listen on, which is whoever the key makes us: there is no other. */
export const LIBP2P_HOST = "libp2p"

/**
 * Each is a peer to who gets it, so there is no use in more than a few.
 *
 * @limit Bitcoin sessions that one peer may open over one connection, unless told otherwise
 */
export const MAX_SESSIONS_PER_CONNECTION = 4

export interface Libp2pTransportOptions {
  /** {@link BITCOIN_PROTOCOL} where not given. */
  readonly protocol?: string
  /** How an endpoint that is a host and a port is dialled; over TCP where not given. */
  readonly carriage?: Carriage
  /** {@link MAX_SESSIONS_PER_CONNECTION} where not given. */
  readonly maxPerConnection?: number
  /** Whether a connection through a relay will do, which may end it after some time or bytes. */
  readonly overLimited?: boolean
}

type Given = Required<Libp2pTransportOptions>

/** A dialer and a listener as long as the scope. */
export const libp2pTransport = (
  node: Libp2pNodeShape,
  options: Libp2pTransportOptions = {}
): Effect.Effect<{ readonly dialer: DialerShape; readonly listener: ListenerShape }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const given: Given = {
      protocol: options.protocol ?? BITCOIN_PROTOCOL,
      carriage: options.carriage ?? "tcp",
      maxPerConnection: options.maxPerConnection ?? MAX_SESSIONS_PER_CONNECTION,
      overLimited: options.overLimited ?? false
    }
    const [dialled, accepted] = [new OpenConnections(), new OpenConnections()]
    yield* Effect.addFinalizer(() => Effect.andThen(dialled.closeAll, accepted.closeAll))
    return { dialer: dialerOf(node, given, dialled), listener: listenerOf(node, given, accepted) }
  })

export const layerLibp2p = (options: Libp2pTransportOptions = {}): Layer.Layer<Dialer | Listener, never, Libp2pNode> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { dialer, listener } = yield* libp2pTransport(yield* Libp2pNode, options)
      return Context.make(Dialer, dialer).pipe(Context.add(Listener, listener))
    })
  )

const dialerOf = ({ engine }: Libp2pNodeShape, given: Given, open: OpenConnections): DialerShape => ({
  connections: () => open.count,
  dial: (endpoint, options) =>
    dialWith(endpoint, options, (done) => {
      const target = targetOf(endpoint, given.carriage)
      if (target === undefined) {
        const detail = "it is neither a host and a port nor the name of a peer"
        done(new DialError({ reason: "NoRoute", endpoint, code: "EINVAL", detail }))
        return () => undefined
      }
      const attempt = new Attempt(open)
      const asked = {
        signal: attempt.signal,
        runOnLimitedConnection: given.overLimited,
        maxOutboundStreams: given.maxPerConnection
      }
      const run = async (): Promise<void> => {
        try {
          const stream = await engine.dialProtocol(target, given.protocol, asked)
          done(attempt.succeeded(stream, endpoint))
        } catch (thrown) {
          attempt.ended()
          done(dialFailure(endpoint, thrown))
        }
      }
      void run()
      return () => attempt.givenUp
    })
})

/** A dial under way, which is counted, and of which nothing is left when it is given up. */
class Attempt {
  readonly #open: OpenConnections
  readonly #controller = new AbortController()
  readonly signal: AbortSignal = this.#controller.signal
  #whenEnded: (() => void) | undefined = undefined
  #isEnded = false

  constructor(open: OpenConnections) {
    this.#open = open
    open.add(this)
  }

  destroy(): void {
    this.#controller.abort()
  }

  ended(): void {
    this.#isEnded = true
    this.#open.remove(this)
    this.#whenEnded?.()
  }

  /** A stream that comes after it was given up is destroyed like any other that nobody wants. */
  succeeded(stream: Stream, remote: Endpoint): StreamConnection {
    const ends = { remote, local: NOWHERE, direction: "outbound" } as const
    const connection = new StreamConnection(stream, ends, (closed) => this.#open.remove(closed))
    this.#open.add(connection)
    this.ended()
    if (this.signal.aborted) connection.destroy()
    return connection
  }

  readonly givenUp: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#isEnded) return resume(Effect.void)
    this.#whenEnded = () => resume(Effect.void)
    this.destroy()
  })
}

const listenerOf = (node: Libp2pNodeShape, given: Given, open: OpenConnections): ListenerShape => {
  let isListening = false
  return {
    connections: () => open.count,
    listen: Effect.fnUntraced(function* (asked, onConnection): Effect.fn.Return<Listening, ListenError, Scope.Scope> {
      const { endpoint, engine } = node
      const wanted = { host: asked.host, port: asked.port }
      if (![LIBP2P_HOST, endpoint.host].includes(wanted.host) || wanted.port !== endpoint.port) {
        return yield* new ListenError({ reason: "AddressNotAvailable", endpoint: wanted, code: "EADDRNOTAVAIL" })
      }
      if (isListening) return yield* new ListenError({ reason: "AddressInUse", endpoint, code: "EADDRINUSE" })
      isListening = true
      let count = 0
      const accept = (stream: Stream, { remoteAddr, remotePeer }: PeerLink): void => {
        const ends = { remote: endpointOf(remoteAddr, remotePeer), local: endpoint, direction: "inbound" } as const
        const connection = new StreamConnection(stream, ends, (closed) => {
          count -= 1
          open.remove(closed)
        })
        count += 1
        open.add(connection)
        onConnection(connection)
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => (isListening = false)))
      const limits = { maxInboundStreams: given.maxPerConnection, runOnLimitedConnection: given.overLimited }
      yield* acceptStreams(engine, given.protocol, accept, limits)
      return { endpoint, connections: () => count, lost: Effect.never }
    })
  }
}
