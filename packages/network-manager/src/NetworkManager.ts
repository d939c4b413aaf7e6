/**
 * One facade over a network of one's own: peers are found, dialled, kept, pinged, scored and limited by it, and messages go to one of them or to all.
 *
 * It is composition alone. Nodes are `transport-libp2p`'s, messages and requests `overlay`'s, topics `gossip`'s, scores `reputation`'s.
 */
import type { PublishError } from "@satwire/gossip"
import { keepLast } from "@satwire/machine"
import {
  type Handler,
  type Kind,
  type KindError,
  type MemoryAddressBook,
  type Method,
  type RequestError,
  type RequestOptions,
  type SendError,
  makeMemoryAddressBook
} from "@satwire/overlay"
import type { DialError, ListenError } from "@satwire/transport"
import { type FoundPeer, isMultiaddr } from "@satwire/transport-libp2p"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { Keeping } from "./Keeping.ts"
import { NetworkError, closed, notRunning } from "./NetworkError.ts"
import { type NetworkOptions, wrongAddress } from "./NetworkOptions.ts"
import { type NetworkFact, type NetworkState, makeState, peerAt } from "./NetworkState.ts"
import { type NetworkStatus, peerOf, statusOf } from "./NetworkStatus.ts"
import { MAX_TRIED, type NetworkPeer } from "./Peers.ts"
import type { NetworkMessage } from "./Rooms.ts"
import { type Running, makeRunning } from "./Running.ts"
import type { NetworkBehaviour } from "./Scores.ts"

export interface AddPeerOptions {
  /** Whether a connection to it is kept from now on; it is dialled until it is there. */
  readonly persistent?: boolean | undefined
}

export interface NetworkManagerShape {
  /** Who we are, `12D3KooW…`. */
  readonly peerId: string
  /** Listens and dials. Does nothing where it runs already; after a stop it runs again, as the same node, but not when it is closed. */
  readonly start: Effect.Effect<void, ListenError | NetworkError>
  /** Closes every connection. Subscriptions stand, for the next start. */
  readonly stop: Effect.Effect<void>
  readonly sendMessage: <A>(
    peer: string,
    kind: Kind<A>,
    message: A
  ) => Effect.Effect<void, SendError | KindError | NetworkError>
  /** Spreads a message, signed as ours, by gossip or else to all peers; says to how many it went at once. */
  readonly broadcastMessage: <A>(
    kind: Kind<A>,
    message: A
  ) => Effect.Effect<number, KindError | PublishError | NetworkError>
  /** The messages of a kind from now on, sent to us or to all, each once. Who reads slowly misses the oldest. */
  readonly subscribe: <A>(kind: Kind<A>) => Stream.Stream<NetworkMessage<A>>
  readonly request: <Asked, Answer>(
    peer: string,
    method: Method<Asked, Answer>,
    asked: Asked,
    options?: RequestOptions
  ) => Effect.Effect<Answer, RequestError | KindError | NetworkError>
  /** Answers a method from now on, over stops and starts. One that is served already is a defect. */
  readonly serve: <Asked, Answer>(method: Method<Asked, Answer>, handler: Handler<Asked, Answer>) => Effect.Effect<void>
  readonly getPeer: (peerId: string) => Effect.Effect<NetworkPeer | undefined>
  readonly getPeers: Effect.Effect<ReadonlyArray<NetworkPeer>>
  readonly getNetworkStatus: Effect.Effect<NetworkStatus>
  /** Who is found on this LAN within so many milliseconds; they are dialled where there is room. */
  readonly discoverLocalPeers: (waitMs: number) => Effect.Effect<ReadonlyArray<FoundPeer>, NetworkError>
  /** Dials those of the bootstrap list who are not there, and says how many of it are. */
  readonly connectBootstrapPeers: Effect.Effect<number, NetworkError>
  /** Connects to a multiaddr; the peer's id. What is none is not kept as a persistent one. */
  readonly addPeer: (address: string, options?: AddPeerOptions) => Effect.Effect<string, DialError | NetworkError>
  /** Hangs up, and dials it no more, until it is added again. It may come itself: `banPeer` keeps it out. */
  readonly removePeer: (peerId: string) => Effect.Effect<void>
  /** Tells the scores what a peer did. */
  readonly recordBehaviour: (peerId: string, behaviour: NetworkBehaviour) => Effect.Effect<void>
  /** Closes its connections now, and takes none of it until the ban ends. */
  readonly banPeer: (peerId: string, reason: string) => Effect.Effect<void>
  readonly unbanPeer: (peerId: string) => Effect.Effect<void>
  /** Peers that come and go, what they do wrong, bans: from now on. */
  readonly facts: Stream.Stream<NetworkFact>
  /** What it is made of, for what has no place here: the libp2p node, the overlay, gossip. */
  readonly parts: Effect.Effect<Pick<Running, "gossip" | "node" | "overlay">, NetworkError>
  /** The kind of that name, of those that are known. */
  readonly kindOf: (name: string) => Effect.Effect<Kind<unknown>, NetworkError>
}

const NetworkManagerBase: Context.ServiceClass<
  NetworkManager,
  "@satwire/network-manager/NetworkManager",
  NetworkManagerShape
> = Context.Service<NetworkManager, NetworkManagerShape>()("@satwire/network-manager/NetworkManager")

export class NetworkManager extends NetworkManagerBase {
  /** A manager that is not started, and is stopped with the scope. */
  static readonly make = (
    options: NetworkOptions = {}
  ): Effect.Effect<NetworkManagerShape, NetworkError, Scope.Scope> =>
    Effect.gen(function* () {
      const state = yield* makeState(options)
      const facade = new Facade(state)
      yield* Effect.addFinalizer(() =>
        facade.close.pipe(Effect.andThen(state.rooms.close), Effect.andThen(PubSub.shutdown(state.facts)))
      )
      return shapeOf(state, facade)
    })

  /** A manager that runs as long as the layer. */
  static readonly layer = (options: NetworkOptions = {}): Layer.Layer<NetworkManager, NetworkError | ListenError> =>
    Layer.effect(
      NetworkManager,
      Effect.tap(NetworkManager.make(options), ({ start }) => start)
    )
}

interface Alive {
  readonly running: Running
  readonly keeping: Keeping
  readonly scope: Scope.Closeable
}

/** Starts and stops, and what is served over them. */
class Facade {
  readonly #state: NetworkState
  readonly #changing: Semaphore.Semaphore = Semaphore.makeUnsafe(1)
  readonly #served: Map<string, (running: Running) => Effect.Effect<void>> = new Map()
  readonly book: MemoryAddressBook = makeMemoryAddressBook()
  #alive: Alive | undefined
  #isClosed = false

  constructor(state: NetworkState) {
    this.#state = state
  }

  get running(): Running | undefined {
    return this.#alive?.running
  }

  readonly alive: Effect.Effect<Alive, NetworkError> = Effect.suspend(() =>
    this.#alive === undefined ? Effect.fail(notRunning) : Effect.succeed(this.#alive)
  )

  /** Who gives it up waits until what was made of it is put away. */
  readonly start: Effect.Effect<void, ListenError | NetworkError> = Effect.suspend(() =>
    this.#changing.withPermit(Effect.uninterruptibleMask((restore) => this.#start(restore)))
  )

  #start(restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) {
    return Effect.gen({ self: this }, function* () {
      if (this.#isClosed) return yield* closed
      if (this.#alive !== undefined) return
      const scope = Scope.makeUnsafe()
      const running = yield* restore(Scope.provide(makeRunning(this.#state, this.book), scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      const keeping = new Keeping(this.#state, running)
      for (const attach of this.#served.values()) yield* attach(running)
      this.#alive = { running, keeping, scope }
      yield* keeping.start()
    })
  }

  readonly stop: Effect.Effect<void> = Effect.suspend(() =>
    this.#changing.withPermit(
      Effect.suspend(() => {
        const alive = this.#alive
        this.#alive = undefined
        return alive === undefined ? Effect.void : Scope.close(alive.scope, Exit.void)
      })
    )
  )

  /** For good: nobody would stop what starts after it. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#isClosed = true
    return this.stop
  })

  serve<Asked, Answer>(method: Method<Asked, Answer>, handler: Handler<Asked, Answer>): Effect.Effect<void> {
    return this.#changing.withPermit(
      Effect.suspend(() => {
        if (this.#served.has(method.name)) return Effect.die(new TypeError(`${method.name} is served already`))
        const attach = ({ overlay, scope }: Running) => Scope.provide(overlay.serve(method, handler), scope)
        this.#served.set(method.name, attach)
        return this.#alive === undefined ? Effect.void : attach(this.#alive.running)
      })
    )
  }
}

const shapeOf = (state: NetworkState, facade: Facade): NetworkManagerShape => {
  const { peers, rooms, scores } = state
  const { alive } = facade
  return {
    peerId: state.peerId,
    start: facade.start,
    stop: facade.stop,
    sendMessage: (peer, kind, message) =>
      Effect.flatMap(alive, ({ running }) =>
        Effect.andThen(rooms.know(kind), running.overlay.send(peer, kind, message))
      ),
    broadcastMessage: (kind, message) =>
      Effect.flatMap(alive, ({ running }) => rooms.broadcast(kind, message, running)),
    subscribe: (kind) => rooms.subscribe(kind),
    request: (peer, method, asked, options = {}) =>
      Effect.flatMap(alive, ({ running }) => running.overlay.request(peer, method, asked, options)),
    serve: (method, handler) => facade.serve(method, handler),
    getPeer: (peerId) =>
      Effect.sync(() => {
        const record = peers.get(peerId)
        return record === undefined ? undefined : peerOf(state, record)
      }),
    getPeers: Effect.sync(() => peers.all().map((record) => peerOf(state, record))),
    getNetworkStatus: Effect.sync(() => statusOf(state, facade.running, facade.book.entries().length)),
    discoverLocalPeers: (waitMs) =>
      Effect.flatMap(alive, ({ keeping }) =>
        state.settings.localDiscovery
          ? keeping.local(waitMs)
          : Effect.fail(new NetworkError({ reason: "Off", message: "localDiscovery is not switched on" }))
      ),
    connectBootstrapPeers: Effect.flatMap(alive, ({ keeping }) => keeping.bootstrap()),
    addPeer: (address, { persistent = false } = {}) =>
      Effect.gen(function* () {
        const { keeping } = yield* alive
        if (persistent && !isMultiaddr(address)) return yield* wrongAddress("addPeer", address)
        const peer = peerAt(state, address)
        if (peer !== undefined) state.removed.delete(peer)
        const isNew = persistent && !state.persistent.has(address)
        if (isNew) state.persistent.add(address)
        // The one who keeps it finds that it is there.
        const peerId = yield* Effect.exit(keeping.dial(address))
        if (isNew) yield* keeping.keep(address)
        if (Exit.isSuccess(peerId)) state.removed.delete(peerId.value)
        return yield* peerId
      }),
    removePeer: (peerId) =>
      Effect.suspend(() => {
        keepLast(state.removed, peerId, state.now().instant, MAX_TRIED)
        for (const each of state.persistent) if (peerAt(state, each) === peerId) state.persistent.delete(each)
        return facade.running === undefined ? Effect.void : Effect.asVoid(facade.running.node.hangUp(peerId))
      }),
    recordBehaviour: (peerId, behaviour) => Effect.sync(() => scores.record(peerId, behaviour)),
    banPeer: (peerId, reason) => Effect.sync(() => scores.ban(peerId, reason)),
    unbanPeer: (peerId) =>
      Effect.suspend(() => {
        scores.unban(peerId)
        return facade.running?.gossip?.unban(peerId) ?? Effect.void
      }),
    facts: Stream.fromPubSub(state.facts),
    parts: Effect.map(alive, ({ running: { gossip, node, overlay } }) => ({ gossip, node, overlay })),
    kindOf: (name) =>
      Effect.suspend(() => {
        const kind = rooms.kindOf(name)
        return kind === undefined
          ? Effect.fail(new NetworkError({ reason: "UnknownKind", message: `there is no kind "${name.slice(0, 80)}"` }))
          : Effect.succeed(kind)
      })
  }
}
