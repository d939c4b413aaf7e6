/**
 * A network while it runs: the libp2p node, gossip on it, the overlay over it, and the ears that hear of peers.
 *
 * ```
 *   Libp2pNode ─▶ Libp2pMessenger ─▶ rates ─▶ Overlay ─▶ rooms, requests
 *        └─▶ Gossip ─────────────────────────▶ topics ─▶ rooms
 *   faults of all of them ─▶ scores ─▶ ban ─▶ connections closed at once
 * ```
 */
import { type GossipFact, type GossipOptions, type GossipShape, makeGossipNode } from "@satwire/gossip"
import {
  AddressBook,
  type MemoryAddressBook,
  type OverlayFault,
  type OverlayShape,
  makeOverlay,
  servePeerExchange
} from "@satwire/overlay"
import { type Libp2pMessenger, hangUpOnStrangers, makeLibp2pMessenger } from "@satwire/overlay-libp2p"
import type { ListenError } from "@satwire/transport"
import {
  DHT_PROTOCOL,
  type Discovery,
  type Libp2pNodeOptions,
  type Libp2pNodeShape,
  makeLibp2pNode
} from "@satwire/transport-libp2p"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { HelloMethod } from "./Hello.ts"
import type { NetworkState } from "./NetworkState.ts"
import type { Settings } from "./NetworkOptions.ts"
import type { PeerRecord } from "./Peers.ts"
import { Rates, ratedMessenger } from "./RatedMessenger.ts"
import type { Ground } from "./Rooms.ts"
import type { NetworkBehaviour } from "./Scores.ts"

export interface Running extends Ground {
  readonly node: Libp2pNodeShape
  readonly messenger: Libp2pMessenger
  readonly book: MemoryAddressBook
  readonly startedAt: number
}

/** After so many pings in a row without an answer a peer is hung up on. */
const MAX_MISSED_PINGS = 3

/** A running network as long as the scope. */
export const makeRunning = (
  state: NetworkState,
  book: MemoryAddressBook
): Effect.Effect<Running, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { rooms, scores, settings, tally } = state
    const scope = yield* Effect.scope
    const startedAt = yield* Clock.currentTimeMillis
    const { gossip, node } = yield* makeNode(state)
    const messenger = yield* makeLibp2pMessenger(node, {
      key: settings.options.signingKey,
      origin: node.peerId,
      protocol: `/${settings.network}/overlay/1.0.0`,
      maxPeers: settings.maxPeers
    })
    const rates = new Rates(settings.rates, () => state.now().instant)
    const rated = ratedMessenger(messenger, { rates, tally, onFlood: (peer) => scores.record(peer, "flood") })
    const ears = { overlay: undefined as OverlayShape | undefined }
    yield* hearPeers(state, node, messenger, ears)
    const overlay = yield* makeOverlay({ messenger: rated })
    ears.overlay = overlay
    yield* overlay.serve(HelloMethod, (hello, peer) =>
      Effect.sync(() => {
        Object.assign(state.peers.get(peer) ?? {}, hello)
        return helloOf(state)
      })
    )
    if (settings.options.peerExchange !== false) {
      yield* Effect.provideService(servePeerExchange(overlay), AddressBook, book)
    }
    yield* hearFaults(state, overlay, gossip)
    const running: Running = {
      network: settings.network,
      self: node.peerId,
      record: (peer, behaviour) => scores.record(peer, behaviour),
      writer: state.writer,
      book,
      gossip,
      messenger,
      node,
      overlay,
      scope,
      startedAt
    }
    // Gossip counts the banned keys of each host, for whatever they are banned.
    state.onBan = (peer) => Effect.runSync(gossip?.ban(peer) ?? Effect.asVoid(node.dropBanned))
    yield* Effect.addFinalizer(() => Effect.sync(() => (state.onBan = () => undefined)))
    yield* rooms.open(running)
    if (!hasGuests(settings)) {
      yield* hangUpOnStrangers(node, messenger, {
        timeoutMs: settings.handshakeTimeoutMs,
        isSpared: (peer) => isGossiping(gossip, peer)
      })
    }
    return running
  })

/** Who has a place at a relay, asks the table now and then or has come through a hole may have no stream for a while. */
const hasGuests = ({ dhtMode, options: { node: { reachability } = {} } }: Settings): boolean =>
  dhtMode === "server" || reachability?.relay !== undefined || reachability?.holePunching === true

/** On topics of ours; there need be no overlay for it. */
const isGossiping = (gossip: GossipShape | undefined, peer: string): boolean => {
  const { listeners = new Map(), pubsub } = gossip?.shared ?? {}
  return [...listeners.keys()].some((topic) => pubsub?.getSubscribers(topic).some((each) => each.toString() === peer))
}

const makeNode = (
  state: NetworkState
): Effect.Effect<
  { readonly node: Libp2pNodeShape; readonly gossip: GossipShape | undefined },
  ListenError,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const { scores, settings } = state
    const { externalAddresses, gossip = true, node = {} } = settings.options
    const options: Libp2pNodeOptions = {
      ...node,
      listen: settings.listen,
      announce: externalAddresses ?? [],
      privateKey: state.privateKey,
      userAgent: `satwire/${settings.network}`,
      discovery: discoveryOf(settings),
      isBanned: ({ peerId }) => peerId !== undefined && scores.isBanned(peerId),
      limits: {
        ...settings.limits,
        maxConnections: settings.maxPeers,
        maxInbound: settings.maxInbound,
        dialTimeoutMs: settings.connectTimeoutMs,
        handshakeTimeoutMs: settings.handshakeTimeoutMs
      }
    }
    if (gossip === false) return { node: yield* makeLibp2pNode(options), gossip: undefined }
    const made = yield* makeGossipNode(options, gossipOptions(settings, gossip))
    return { node: made.node, gossip: made }
  })

const gossipOptions = ({ banMs, rates }: Settings, gossip: true | GossipOptions): GossipOptions => {
  const given = gossip === true ? {} : gossip
  return { banMs, ...given, limits: { ...rates, ...given.limits } }
}

export const discoveryOf = ({ localDiscovery, network, options }: Settings): Discovery => {
  const { dht = false, preset } = options
  const mdns = typeof options.localDiscovery === "object" ? options.localDiscovery : {}
  const protocol = network === "satwire" ? DHT_PROTOCOL : `/${network}/kad/1.0.0`
  const privateAddresses = preset !== "production"
  return {
    ...(localDiscovery ? { mdns: { service: `_${network}._udp.local`, ...mdns } } : {}),
    ...(dht === false
      ? {}
      : { dht: { protocol, privateAddresses, ...(typeof dht === "string" ? { mode: dht } : dht) } })
  }
}

const helloOf = ({ nodeId, settings }: NetworkState) => ({ nodeId, metadata: settings.options.metadata ?? {} })

/** Peers that come are told of, greeted and measured. */
const hearPeers = (
  state: NetworkState,
  node: Libp2pNodeShape,
  messenger: Libp2pMessenger,
  ears: { readonly overlay: OverlayShape | undefined }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { peers, scores } = state
    const scope = yield* Effect.scope
    const run = Effect.runForkWith(yield* Effect.context())
    yield* Effect.addFinalizer(() => Effect.sync(() => peers.clear()))
    const onPeer = (peer: string): void => {
      const standing = node.connections().filter(({ peerId }) => peerId === peer)
      // Where a hole was punched, the relay's goes just now.
      const connection = standing.find(({ isLimited }) => !isLimited) ?? standing[0]
      const record = peers.came(peer, connection, state.unixMs())
      scores.hear({ _tag: "Connected", peer })
      state.tell({ _tag: "PeerUp", peer })
      const greeting = Effect.suspend(() =>
        ears.overlay === undefined ? Effect.void : greet(state, node, ears.overlay, record)
      )
      run(Effect.forkIn(greeting, scope))
    }
    const onGone = (peer: string): void => {
      peers.left(peer)
      scores.hear({ _tag: "Disconnected", peer })
      state.tell({ _tag: "PeerGone", peer })
    }
    yield* messenger.listen({ onPeer, onGone, onLetter: () => undefined, onFault: () => undefined })
  })

/** The first words. Who has none is of another program, and welcome; who says nothing in time, or nonsense, is not. */
const greet = (
  state: NetworkState,
  node: Libp2pNodeShape,
  overlay: OverlayShape,
  record: PeerRecord
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { peerId } = record
    const timeoutMs = state.settings.handshakeTimeoutMs
    yield* overlay.request(peerId, HelloMethod, helloOf(state), { timeoutMs }).pipe(
      Effect.tap(({ metadata, nodeId }) => Effect.sync(() => Object.assign(record, { nodeId, metadata }))),
      Effect.catch((error) => {
        const reason = error._tag === "RequestError" ? error.reason._tag : undefined
        if (reason !== "TimedOut" && reason !== "MalformedAnswer") return Effect.void
        state.scores.record(peerId, reason === "TimedOut" ? "timeout" : "message-malformed")
        return node.hangUp(peerId)
      })
    )
    yield* pingPeer(state, node, record)
  })

export const pingPeer = (state: NetworkState, node: Libp2pNodeShape, record: PeerRecord): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { peerId } = record
    const isThere = () => state.peers.get(peerId) === record
    if (!isThere()) return Effect.void
    return node.ping(peerId).pipe(
      Effect.matchEffect({
        onSuccess: (latencyMs) =>
          Effect.sync(() => {
            record.latencyMs = latencyMs
            record.missedPings = 0
            state.scores.hear({ _tag: "Latency", peer: peerId, latencyMs })
          }),
        onFailure: () => {
          if (!isThere()) return Effect.void
          record.missedPings += 1
          state.scores.record(peerId, "timeout")
          return record.missedPings < MAX_MISSED_PINGS ? Effect.void : Effect.asVoid(node.hangUp(peerId))
        }
      })
    )
  })

/** What a fault is to the scores; a kind that is unknown here may be of a later version. */
const behaviourOf = (fault: OverlayFault): NetworkBehaviour | undefined => {
  switch (fault) {
    case "unknown kind":
    case "other version":
      return undefined
    case "not an envelope":
    case "forged":
      return "forged"
    case "flood":
      return "flood"
    case "unasked answer":
    case "part beyond credit":
    case "replayed request":
    case "too many requests":
      return "message-unrequested"
    default:
      return "message-malformed"
  }
}

/** What peers do wrong is told and counted, of the overlay and of gossip. */
const hearFaults = (
  state: NetworkState,
  overlay: OverlayShape,
  gossip: GossipShape | undefined
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { scores } = state
    const ofOverlay = Stream.runForEach(overlay.facts, (fact) =>
      Effect.sync(() => {
        if (fact._tag !== "Faulted") return
        const { detail, fault, peer } = fact
        state.tell({ _tag: "Faulted", peer, fault, detail })
        const behaviour = behaviourOf(fault)
        if (behaviour !== undefined) scores.record(peer, behaviour)
      })
    )
    yield* Effect.forkScoped(ofOverlay, { startImmediately: true })
    if (gossip === undefined) return
    const ofGossip = Stream.runForEach(gossip.facts, (fact) => Effect.sync(() => hearGossip(state, fact)))
    yield* Effect.forkScoped(ofGossip, { startImmediately: true })
  })

/** Gossip bans by itself, too: what it has banned is banned here. */
const hearGossip = (state: NetworkState, fact: GossipFact): void => {
  if (fact._tag === "Banned") return state.scores.ban(fact.peer, `gossip: ${fact.reason}`)
  if (fact._tag !== "Rejected") return
  const { detail, peer, reason } = fact
  if (reason === "flood") state.tally.limited += 1
  else state.tell({ _tag: "Faulted", peer, fault: reason, detail })
  const isForged = reason === "forged" || reason === "oversized"
  state.scores.record(peer, reason === "flood" ? "flood" : isForged ? "forged" : "message-malformed")
}
