/**
 * A network inside the process: endpoints are names in a table, bytes cross after a latency of Effect's clock (so a test clock
 * moves them), chunks are cut at other places than writes were made, and a connection can be lost. For tests, examples and a
 * browser; thousands of nodes on a virtual clock are `@satwire/simulator`'s business.
 *
 * ```
 *   write ──▶ [ latency ] ──▶ inbox ──▶ onBytes       one pump, one fiber, for the whole network
 * ```
 */
import type { Random } from "@satwire/machine"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Connection } from "./Connection.ts"
import { DialError, Dialer, type DialerShape, dialWith } from "./Dialer.ts"
import { type Endpoint, formatEndpoint } from "./Endpoint.ts"
import { ListenError, Listener, type ListenerShape, type Listening } from "./Listener.ts"
import { type Carrier, MemoryConnection } from "./MemoryConnection.ts"
import { makePump } from "./MemoryPump.ts"
import { OpenConnections } from "./OpenConnections.ts"

export interface MemoryNetworkOptions {
  /** How long bytes are under way, one way. 0 where not given: they arrive in the next turn. */
  readonly latencyMs?: number | undefined
  /** The most bytes that one `onBytes` carries; {@link MAX_CHUNK_BYTES} where not given. */
  readonly maxChunkBytes?: number | undefined
  /** Draws the size of each chunk from 1 to `maxChunkBytes`; without it every chunk is as large as it may be. */
  readonly random?: Random | undefined
}

/** As much as Node reads from a socket at once. */
export const MAX_CHUNK_BYTES = 65_536

/** The ports that dialling ends get (RFC 6335 §6). */
const FIRST_EPHEMERAL_PORT = 49_152
const LAST_PORT = 65_535

interface MemoryNetworkShape {
  /** Loses the connection that this is an end of: both ends close with `Reset`, and what was under way is gone. */
  readonly cut: (connection: Connection) => void
  /** Loses every connection. */
  readonly cutAll: () => void
  /** Loses every listening endpoint, as where a system takes a socket away; the connections stay. */
  readonly loseListeners: () => void
  /** @internal */
  readonly hub: Hub
}

const MemoryNetworkBase: Context.ServiceClass<MemoryNetwork, "@satwire/transport/MemoryNetwork", MemoryNetworkShape> =
  Context.Service<MemoryNetwork, MemoryNetworkShape>()("@satwire/transport/MemoryNetwork")

export class MemoryNetwork extends MemoryNetworkBase {
  static readonly layer = (options: MemoryNetworkOptions = {}): Layer.Layer<MemoryNetwork> =>
    Layer.effect(
      MemoryNetwork,
      Effect.gen(function* () {
        const pump = yield* makePump(options.latencyMs ?? 0)
        const most = Math.min(Math.max(options.maxChunkBytes ?? MAX_CHUNK_BYTES, 1), MAX_CHUNK_BYTES)
        const { random } = options
        const chunkBytes = random === undefined ? () => most : () => 1 + random.below(most)
        const hub = new Hub({ ...pump, scratch: new Uint8Array(MAX_CHUNK_BYTES), chunkBytes })
        // A host that outlives its network finds its connections closed, and waits for none.
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            hub.cutAll()
            pump.flush()
          })
        )
        return MemoryNetwork.of({
          cut: (connection) => connection instanceof MemoryConnection && connection.cut(),
          cutAll: () => hub.cutAll(),
          loseListeners: () => hub.loseListeners(),
          hub
        })
      })
    )

  /**
   * A dialer and a listener of one host, such as `10.0.0.1`, on the network. Wildcard and loopback addresses mean the host itself.
   * Every call is a layer, and so a host, of its own.
   */
  static readonly host = (name: string): Layer.Layer<Dialer | Listener, never, MemoryNetwork> =>
    Layer.effectContext(
      Effect.gen(function* () {
        const { hub } = yield* MemoryNetwork
        const dialled = new OpenConnections()
        const accepted = new OpenConnections()
        yield* Effect.addFinalizer(() => Effect.andThen(dialled.closeAll, accepted.closeAll))
        return Context.make(Dialer, dialerOf(hub, name, dialled)).pipe(
          Context.add(Listener, listenerOf(hub, name, accepted))
        )
      })
    )
}

/** A network of its own with one host, `127.0.0.1`: for a test that has both ends in one program. */
export const layerMemory = (options: MemoryNetworkOptions = {}): Layer.Layer<Dialer | Listener | MemoryNetwork> =>
  Layer.provideMerge(MemoryNetwork.host("127.0.0.1"), MemoryNetwork.layer(options))

interface Acceptor {
  /** It is in the table no more, though its scope is open. */
  readonly lost: () => void
  readonly onConnection: (connection: Connection) => void
  readonly opened: (end: MemoryConnection) => void
  readonly closed: (end: MemoryConnection) => void
}

/** The table of who listens where, and all connections. */
class Hub {
  readonly carrier: Carrier
  readonly acceptors: Map<string, Acceptor> = new Map()
  readonly #ends: Set<MemoryConnection> = new Set()
  #lastPort = LAST_PORT

  constructor(carrier: Carrier) {
    this.carrier = carrier
  }

  loseListeners(): void {
    const lost = [...this.acceptors.values()]
    this.acceptors.clear()
    for (const acceptor of lost) acceptor.lost()
  }

  cutAll(): void {
    for (const end of this.#ends) end.cut()
  }

  /** Both ends of a new connection; the far one is the listener's already. */
  connect(from: Endpoint, to: Endpoint, acceptor: Acceptor, open: OpenConnections): MemoryConnection {
    const near = new MemoryConnection(this.carrier, "outbound", from, to, (end) => {
      this.#ends.delete(end)
      open.remove(end)
    })
    const far = new MemoryConnection(this.carrier, "inbound", to, from, acceptor.closed)
    MemoryConnection.join(near, far)
    this.#ends.add(near)
    open.add(near)
    acceptor.opened(far)
    acceptor.onConnection(far)
    return near
  }

  /** A port of `host` that nobody listens on, in turn. Dialling ends share them: the table knows listeners only. */
  ephemeralPort(host: string): number | undefined {
    for (let tried = FIRST_EPHEMERAL_PORT; tried <= LAST_PORT; tried++) {
      this.#lastPort = this.#lastPort === LAST_PORT ? FIRST_EPHEMERAL_PORT : this.#lastPort + 1
      if (!this.acceptors.has(formatEndpoint({ host, port: this.#lastPort }))) return this.#lastPort
    }
    return undefined
  }
}

const ITSELF = new Set(["127.0.0.1", "::1", "localhost", "0.0.0.0", "::"])

/** What `endpoint` means on the host called `name`. */
const seenFrom = (name: string, endpoint: Endpoint): Endpoint =>
  ITSELF.has(endpoint.host) ? { host: name, port: endpoint.port } : endpoint

const dialerOf = (hub: Hub, name: string, open: OpenConnections): DialerShape => ({
  connections: () => open.count,
  dial: (endpoint, options) =>
    dialWith(endpoint, options, (done) => {
      let waiting = true
      const settle = (outcome: Connection | DialError | undefined): void => {
        if (!waiting) return
        waiting = false
        open.remove(attempt)
        if (outcome !== undefined) done(outcome)
      }
      const attempt = { destroy: () => settle(new DialError({ reason: "Other", endpoint, code: "ECANCELED" })) }
      open.add(attempt)
      hub.carrier.later(() => {
        if (!waiting) return
        const to = seenFrom(name, endpoint)
        const acceptor = hub.acceptors.get(formatEndpoint(to))
        const port = hub.ephemeralPort(name)
        if (acceptor === undefined || port === undefined) {
          hub.carrier.later(() => settle(new DialError({ reason: "Refused", endpoint, code: "ECONNREFUSED" })))
          return
        }
        const near = hub.connect({ host: name, port }, to, acceptor, open)
        hub.carrier.later(() => {
          if (waiting) settle(near)
          else near.destroy()
        })
      })
      return () => settle(undefined)
    })
})

const listenerOf = (hub: Hub, name: string, open: OpenConnections): ListenerShape => ({
  connections: () => open.count,
  listen: Effect.fnUntraced(function* (asked, onConnection): Effect.fn.Return<Listening, ListenError, Scope.Scope> {
    let count = 0
    const lost = yield* Deferred.make<ListenError>()
    const acceptor: Acceptor = {
      onConnection,
      lost() {
        const detail = "the listening endpoint was lost"
        const error = new ListenError({ reason: "Other", endpoint, code: "ECLOSED", detail })
        Deferred.doneUnsafe(lost, Exit.succeed(error))
      },
      opened(end) {
        count++
        open.add(end)
      },
      closed(end) {
        count--
        open.remove(end)
      }
    }
    const endpoint: Endpoint = yield* Effect.acquireRelease(
      Effect.fromResult(occupy(hub, name, asked, acceptor)),
      (endpoint) => Effect.sync(() => hub.acceptors.delete(formatEndpoint(endpoint)))
    )
    return { endpoint, connections: () => count, lost: Deferred.await(lost) }
  })
})

/** Enters `acceptor` in the table. */
const occupy = (hub: Hub, name: string, asked: Endpoint, acceptor: Acceptor): Result.Result<Endpoint, ListenError> => {
  const { host } = seenFrom(name, asked)
  if (host !== name) {
    const endpoint = { host: asked.host, port: asked.port }
    return Result.fail(new ListenError({ reason: "AddressNotAvailable", endpoint, code: "EADDRNOTAVAIL" }))
  }
  const port = asked.port === 0 ? hub.ephemeralPort(name) : asked.port
  const endpoint = { host, port: port ?? 0 }
  const key = formatEndpoint(endpoint)
  if (port === undefined || hub.acceptors.has(key)) {
    return Result.fail(new ListenError({ reason: "AddressInUse", endpoint, code: "EADDRINUSE" }))
  }
  hub.acceptors.set(key, acceptor)
  return Result.succeed(endpoint)
}
