/** The two nodes of the playground: each with its own sockets and its own store in memory, one dialling the other. */
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { DEFAULT_MAX_INBOUND, Node, type NodeOptions, type NodeShape, type NodeStartError } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { DEFAULT_CONNECT_TIMEOUT_MS, type Endpoint } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import { NODE_NETWORK, NODE_NETWORK_LIMITED, NODE_WITNESS } from "@satwire/wire"
import { VERSION } from "../Version.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

export interface PlaygroundNode {
  readonly name: string
  readonly doing: string
  readonly endpoint: Endpoint
  readonly service: NodeShape
}

const LOOPBACK = "127.0.0.1"

/** Both nodes, until the scope closes. */
export const playgroundNetwork: Effect.Effect<
  { readonly miner: PlaygroundNode; readonly follower: PlaygroundNode },
  NodeStartError,
  Scope.Scope
> = Effect.gen(function* () {
  const miner = yield* startNode("miner", "mines", [])
  const follower = yield* startNode("follower", "follows", [miner.endpoint])
  return { miner, follower }
})

const startNode = Effect.fnUntraced(function* (
  name: string,
  doing: string,
  connect: ReadonlyArray<Endpoint>
): Effect.fn.Return<PlaygroundNode, NodeStartError, Scope.Scope> {
  const options: NodeOptions = {
    params: regtest,
    roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
    blocks: { serve: true },
    userAgent: `/satwire-playground-${name}:${VERSION}/`,
    services: NODE_NETWORK | NODE_NETWORK_LIMITED | NODE_WITNESS,
    connect,
    listen: { host: LOOPBACK, port: 0 },
    maxInbound: DEFAULT_MAX_INBOUND,
    dialTimeoutMs: DEFAULT_CONNECT_TIMEOUT_MS
  }
  const edges = Layer.fresh(Layer.mergeAll(layerTcp, HeaderStore.layerMemory))
  const context = yield* Layer.build(Layer.provide(Node.layer(options), edges))
  const service = Context.get(context, Node)
  return { name, doing, endpoint: service.listening ?? { host: LOOPBACK, port: 0 }, service }
})

/** How far a node has all blocks. */
export const heightOf = (node: PlaygroundNode): Effect.Effect<number> =>
  Effect.map(node.service.query("blocks"), (blocks) => blocks?.tip.height ?? 0)
