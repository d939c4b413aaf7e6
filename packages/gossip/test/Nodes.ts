/** Nodes on loopback for tests of gossip: ours, and one that follows no rule. */
import { type GossipSub, gossipsub } from "@libp2p/gossipsub"
import { type Libp2pNodeOptions, type Libp2pNodeShape, makeLibp2pNode } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type GossipFact, type GossipOptions, type GossipShape, type Topic, makeGossipNode } from "../src/index.ts"

export const TCP = {
  listen: ["/ip4/127.0.0.1/tcp/0"],
  security: ["noise"],
  limits: { maxPerHostASecond: 10_000, maxPending: 10_000 }
} as const satisfies Libp2pNodeOptions

export const gossipNode = (options: GossipOptions = {}, node: Libp2pNodeOptions = {}) =>
  makeGossipNode({ ...TCP, ...node }, { maxBannedPerHost: Infinity, ...options })

export interface Lawless {
  readonly node: Libp2pNodeShape
  readonly send: (topic: string, data: Uint8Array) => Effect.Effect<void>
}

/** Plain gossipsub, which sends anything. */
export const lawless = (topic: string) =>
  Effect.gen(function* () {
    const service = gossipsub({
      globalSignaturePolicy: "StrictNoSign",
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true
    })
    const node = yield* makeLibp2pNode({ ...TCP, listen: [], services: { gossip: service } })
    const pubsub = node.engine.services["gossip"] as GossipSub
    pubsub.subscribe(topic)
    const one: Lawless = {
      node,
      send: (name, data) => Effect.ignore(Effect.promise(() => pubsub.publish(name, data)))
    }
    return one
  })

/** Waits until it holds, looking again each turn of the event loop. */
export const eventually = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.yieldNow, eventually(holds))))

export const addressOf = (node: Libp2pNodeShape): string => node.addresses()[0] as string

/** Connects them, and waits until each passes messages on to the other. */
export const meshed = <A>(
  [here, mine]: readonly [GossipShape, Topic<A>],
  [there, theirs]: readonly [GossipShape, Topic<A>]
) =>
  Effect.gen(function* () {
    yield* here.node.connect(addressOf(there.node))
    yield* eventually(() => mine.mesh().includes(there.node.peerId) && theirs.mesh().includes(here.node.peerId))
  })

/** Everything that a stream gives from now on, in a list that grows. */
export const gathered = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.gen(function* () {
    const all: Array<A> = []
    yield* Effect.forkScoped(
      Stream.runForEach(stream, (one) => Effect.sync(() => all.push(one))),
      {
        startImmediately: true
      }
    )
    return all
  })

export type Facts = ReadonlyArray<GossipFact>

export const reasonsOf = (facts: Facts, peer: string): ReadonlyArray<string> =>
  facts.flatMap((fact) => (fact._tag === "Rejected" && fact.peer === peer ? [fact.reason] : []))

export const wasBanned = (facts: Facts, peer: string): boolean =>
  facts.some((fact) => fact._tag === "Banned" && fact.peer === peer)
