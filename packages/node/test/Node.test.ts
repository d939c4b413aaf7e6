import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { DEFAULT_MAX_INBOUND, Node, type NodeFact, type NodeOptions, type NodeShape } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { Dialer, type Endpoint, Listener } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const optionsFor = (connect: ReadonlyArray<Endpoint>): NodeOptions => ({
  params: regtest,
  roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
  userAgent: "/satwire-test:0.0.0/",
  services: 0n,
  connect,
  listen: { host: "127.0.0.1", port: 0 },
  maxInbound: DEFAULT_MAX_INBOUND,
  dialTimeoutMs: 5000
})

const startNode = (connect: ReadonlyArray<Endpoint>): Effect.Effect<NodeShape, unknown, Scope.Scope> =>
  Effect.map(
    Layer.build(
      Layer.provide(Node.layer(optionsFor(connect)), Layer.fresh(Layer.mergeAll(layerTcp, HeaderStore.layerMemory)))
    ),
    (context) => Context.get(context, Node)
  )

const firstFact = (node: NodeShape, wanted: (fact: NodeFact) => boolean): Effect.Effect<NodeFact> =>
  node.facts.pipe(
    Stream.filter(wanted),
    Stream.runHead,
    Effect.map((fact) => Option.getOrThrow(fact))
  )

const endpointOf = (node: NodeShape): Endpoint => {
  if (node.listening === undefined) throw new Error("the node does not listen")
  return node.listening
}

describe("a node over TCP", () => {
  it.live("follows the blocks that another node mines", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const miner = yield* startNode([])
        const follower = yield* startNode([endpointOf(miner)])
        yield* firstFact(follower, (fact) => fact._tag === "PeerReady")
        for (let i = 0; i < 5; i++) yield* miner.makeBlock
        yield* firstFact(follower, (fact) => fact._tag === "TipChanged" && fact.tip.height === 5)
        const [ours, theirs] = [yield* follower.query("headers"), yield* miner.query("headers")]
        assert.deepStrictEqual(ours?.tip, theirs?.tip)
      })
    )
  )
})
