/** Gossip over a libp2p node, as a scoped service: topics, what peers did wrong, bans. */
import type { GossipSub } from "@libp2p/gossipsub"
import { Libp2pNode, type Libp2pNodeOptions, type Libp2pNodeShape, makeLibp2pNode } from "@satwire/transport-libp2p"
import type { ListenError } from "@satwire/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { GossipFact, GossipFault } from "./Faults.ts"
import { type GossipEngine, type GossipOptions, type Shared, gossipEngine, isBelow } from "./GossipEngine.ts"
import { Outlets } from "./Outlets.ts"
import { PublishError, type Topic, type TopicOptions, type TopicRoom, openTopic } from "./Topic.ts"

export interface GossipShape {
  /** A topic as long as the scope. @throws a defect where it is open already */
  readonly topic: <A, R = never>(
    name: string,
    options: TopicOptions<A, R>
  ) => Effect.Effect<Topic<A>, never, R | Scope.Scope>
  /** What happened, from now on; who reads slowly misses the oldest. */
  readonly facts: Stream.Stream<GossipFact>
  /** From 0 down to -100, where a ban is. */
  readonly score: (peer: string) => number
  /** Bans a peer and closes its connections now. */
  readonly ban: (peer: string) => Effect.Effect<void>
  /** Forgets a ban, and all that it did. */
  readonly unban: (peer: string) => Effect.Effect<void>
  /** For protocols of one's own beside gossip: counts as a fault of a message does. */
  readonly fault: (peer: string, topic: string, reason: GossipFault, detail: string) => Effect.Effect<void>
  /** The node below. */
  readonly node: Libp2pNodeShape
  /** What topics of one's own kind are made of. */
  readonly shared: Shared
}

const GossipBase: Context.ServiceClass<Gossip, "@satwire/gossip/Gossip", GossipShape> = Context.Service<
  Gossip,
  GossipShape
>()("@satwire/gossip/Gossip")

export class Gossip extends GossipBase {
  /** A node with gossip on it; the node's own `isBanned` counts, too. */
  static readonly layer = (
    node: Libp2pNodeOptions = {},
    options: GossipOptions = {}
  ): Layer.Layer<Gossip | Libp2pNode, ListenError> =>
    Layer.effectContext(
      Effect.map(makeGossipNode(node, options), (gossip) =>
        Context.make(Gossip, gossip).pipe(Context.add(Libp2pNode, gossip.node))
      )
    )
}

/** The two together. */
export const makeGossipNode = (
  node: Libp2pNodeOptions = {},
  options: GossipOptions = {}
): Effect.Effect<GossipShape, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const engine = yield* gossipEngine(options)
    const isBanned: NonNullable<Libp2pNodeOptions["isBanned"]> = (who) =>
      engine.isBanned(who) || (node.isBanned?.(who) ?? false)
    const made = yield* makeLibp2pNode({ ...node, isBanned, services: { ...node.services, ...engine.services } })
    return yield* makeGossip(made, engine)
  })

/** On a node that was made with the engine's `services` and `isBanned`. */
export const makeGossip = (
  node: Libp2pNodeShape,
  { shared }: GossipEngine
): Effect.Effect<GossipShape, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { pubsub } = shared
    if (pubsub === undefined) return yield* Effect.die(new TypeError("the node has no gossip among its services"))
    const run = Effect.runForkWith(yield* Effect.context())
    shared.onBan = () => void run(node.dropBanned)
    yield* Effect.addFinalizer(() => Effect.sync(() => (shared.onBan = () => undefined)))
    const outlets = new Outlets(node)
    yield* keepWatch(node, shared, pubsub, outlets)
    return {
      node,
      shared,
      topic: (name, options) => joined({ shared, pubsub, outlets }, name, options),
      facts: Stream.fromPubSub(shared.facts),
      score: (peer) => shared.standings.score(peer),
      ban: (peer) =>
        Effect.andThen(
          Effect.sync(() => shared.standings.ban(peer)),
          Effect.asVoid(node.dropBanned)
        ),
      unban: (peer) => Effect.sync(() => shared.standings.unban(peer)),
      fault: (peer, topic, reason, detail) => Effect.sync(() => shared.fault(peer, topic, reason, detail))
    }
  })

/** At each heartbeat: who fell too low by gossipsub's own account, and whose stream broke under what waited in it. */
const keepWatch = (
  node: Libp2pNodeShape,
  shared: Shared,
  pubsub: GossipSub,
  outlets: Outlets
): Effect.Effect<void, never, Scope.Scope> => {
  const scores = pubsub as unknown as { getScore: (peer: string) => number }
  const look = (): void => {
    for (const peerId of pubsub.getPeers()) {
      const peer = peerId.toString()
      if (isBelow(scores.getScore(peer))) shared.ban(peer, "score")
    }
    for (const peer of outlets.broken()) {
      shared.tell({ _tag: "TooSlow", peer })
      Effect.runFork(node.hangUp(peer))
    }
  }
  return Effect.acquireRelease(
    Effect.sync(() => pubsub.addEventListener("gossipsub:heartbeat", look)),
    () => Effect.sync(() => pubsub.removeEventListener("gossipsub:heartbeat", look))
  )
}

interface Ground {
  readonly shared: Shared
  readonly pubsub: GossipSub
  readonly outlets: Outlets
}

const joined = <A, R>(
  ground: Ground,
  name: string,
  options: TopicOptions<A, R>
): Effect.Effect<Topic<A>, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { shared, pubsub } = ground
    if (shared.listeners.has(name)) return yield* Effect.die(new RangeError(`the topic ${name} is open already`))
    const room = yield* openTopic(shared, name, options)
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        shared.listeners.set(name, { onMessage: options.onMessage ?? (() => true) })
        setScores(pubsub, name)
        pubsub.topicValidators.set(name, room.validate)
        pubsub.subscribe(name)
      }),
      () =>
        Effect.sync(() => {
          shared.listeners.delete(name)
          pubsub.topicValidators.delete(name)
          pubsub.unsubscribe(name)
        })
    )
    return {
      name,
      messages: room.messages,
      peers: () => pubsub.getSubscribers(name).map(String),
      mesh: () => (pubsub as unknown as { getMeshPeers: (topic: string) => Array<string> }).getMeshPeers(name),
      publish: (message) => published(ground, room, message)
    }
  })

const published = <A, R>(
  { shared, pubsub, outlets }: Ground,
  room: TopicRoom<A, R>,
  message: A
): Effect.Effect<{ readonly id: Uint8Array; readonly recipients: number }, PublishError> =>
  Effect.flatMap(room.encode(message), (data) =>
    Effect.flatMap(outlets.room(data.length), () =>
      Effect.tryPromise({
        try: async () => {
          room.published(message)
          const id = shared.idOf(room.name, data)
          shared.own = { data, id }
          const { recipients } = await pubsub.publish(room.name, data)
          return { id: id.slice(0, 32), recipients: recipients.length }
        },
        catch: (thrown) => new PublishError({ reason: "Stopped", topic: room.name, message: String(thrown) })
      })
    )
  )

/**
 * Specification: being the first to bring something is worth a little, time in the mesh less, and invalid messages cost much; who brings little is
 * not punished. Rationale: overlays are often silent for long, and a count that has to be reached then punishes everybody.
 */
const setScores = (pubsub: GossipSub, name: string): void => {
  const { topics } = (pubsub as unknown as { opts: { scoreParams: { topics: Record<string, object> } } }).opts
    .scoreParams
  topics[name] = {
    topicWeight: 0.5,
    timeInMeshWeight: 0.01,
    timeInMeshQuantum: 1000,
    timeInMeshCap: 300,
    firstMessageDeliveriesWeight: 0.1,
    firstMessageDeliveriesDecay: 0.5,
    firstMessageDeliveriesCap: 100,
    meshMessageDeliveriesWeight: 0,
    meshMessageDeliveriesDecay: 0.5,
    meshMessageDeliveriesCap: 100,
    meshMessageDeliveriesThreshold: 1,
    meshMessageDeliveriesWindow: 10,
    meshMessageDeliveriesActivation: 5000,
    meshFailurePenaltyWeight: 0,
    meshFailurePenaltyDecay: 0.5,
    invalidMessageDeliveriesWeight: -10,
    invalidMessageDeliveriesDecay: 0.9
  }
}
