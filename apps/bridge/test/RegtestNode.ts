/** A real node of ours on loopback, with a chain. */
import { DEFAULT_MAX_INBOUND, Node, type NodeFact, type NodeOptions } from "@satwire/node"
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

const OPTIONS: NodeOptions = {
  params: regtest,
  roles: { headers: { serve: true, announce: true }, mining: undefined },
  userAgent: "/satwire-node-of-a-test:1.0/",
  services: 0n,
  connect: [],
  listen: { host: "127.0.0.1", port: 0 },
  maxInbound: DEFAULT_MAX_INBOUND,
  dialTimeoutMs: 5000
}

/** A node that has these headers, and what it tells. */
export const regtestNode = (headers: Uint8Array) =>
  Effect.gen(function* () {
    const edges = Layer.fresh(Layer.merge(layerTcp, HeaderStore.layerMemory))
    const node = Context.get(yield* Layer.build(Layer.provide(Node.layer(OPTIONS), edges)), Node)
    const facts: Array<NodeFact> = []
    yield* Effect.forkScoped(
      Stream.runForEach(node.facts, (fact) => Effect.sync(() => facts.push(fact))),
      {
        startImmediately: true
      }
    )
    yield* node.submitHeaders(headers, headers.length / HEADER_SIZE)
    if (node.listening === undefined) throw new Error("the node does not listen")
    return { endpoint: node.listening, facts }
  })
