/**
 * The two nodes of the playground: each with its own sockets and its own store in memory, one dialling the other.
 *
 * Specification: the miner trusts who dials it from this machine (`noban`), and so tells it of transactions at once. Rationale: Core tells others
 * after 5 seconds on average, so that nobody finds out who made one; a block every three seconds would then hold few that are at both ends.
 */
import { type PermissionRule, subnetOf } from "@satwire/connections"
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
import * as Stream from "effect/Stream"

export interface PlaygroundNode {
  readonly name: string
  readonly doing: string
  readonly endpoint: Endpoint
  readonly service: NodeShape
  readonly mines: boolean
}

/**
 * Blocks that the miner has before the follower comes: a coinbase may be spent once 100 lie on top of it, so that this many more of them are
 * there to be spent.
 */
export const BASE_BLOCKS = 110

const LOOPBACK = "127.0.0.1"
const TRUSTS_LOOPBACK: PermissionRule = {
  subnet: subnetOf({ network: "ipv4", address: Uint8Array.of(127, 0, 0, 1) }),
  permissions: new Set(["noban"])
}

/** Both nodes, until the scope closes. The miner has its first blocks; the follower is about to have them. */
export const playgroundNetwork: Effect.Effect<
  { readonly miner: PlaygroundNode; readonly follower: PlaygroundNode },
  NodeStartError,
  Scope.Scope
> = Effect.gen(function* () {
  const miner = yield* startNode("miner", true, [])
  yield* Effect.repeat(miner.service.makeBlock, { times: BASE_BLOCKS - 1 })
  yield* reached([miner], BASE_BLOCKS)
  const follower = yield* startNode("follower", false, [miner.endpoint])
  return { miner, follower }
})

const startNode = Effect.fnUntraced(function* (
  name: string,
  mines: boolean,
  connect: ReadonlyArray<Endpoint>
): Effect.fn.Return<PlaygroundNode, NodeStartError, Scope.Scope> {
  const options: NodeOptions = {
    params: regtest,
    roles: {
      headers: { serve: true, announce: true },
      mining: mines ? { payTo: ANYONE_CAN_SPEND } : undefined,
      // Who makes transactions knows the coins that they spend: the follower is never told to make any, and judges those that come all the same.
      transactions: { relays: true, makes: true }
    },
    permissions: [TRUSTS_LOOPBACK],
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
  const endpoint = service.listening ?? { host: LOOPBACK, port: 0 }
  return { name, doing: mines ? "mines" : "follows", endpoint, service, mines }
})

/** Succeeds when all of these nodes have all blocks up to a height. */
export const reached = (nodes: ReadonlyArray<PlaygroundNode>, height: number): Effect.Effect<void> =>
  Effect.forEach(
    nodes,
    (node) =>
      node.service.facts.pipe(
        Stream.filter((fact) => fact._tag === "BlockTipChanged" && fact.tip.height >= height),
        Stream.runHead
      ),
    { concurrency: "unbounded", discard: true }
  )

/** How far a node has all blocks. */
export const heightOf = (node: PlaygroundNode): Effect.Effect<number> =>
  Effect.map(node.service.query("blocks"), (blocks) => blocks?.tip.height ?? 0)

/** How many transactions wait in a node's pool. */
export const poolOf = (node: PlaygroundNode): Effect.Effect<number> =>
  Effect.map(node.service.query("pool"), (pool) => pool?.count ?? 0)
