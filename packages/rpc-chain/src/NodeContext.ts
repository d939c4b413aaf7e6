/** What the methods know of the node that they speak for. */
import type { Sha256 } from "@satwire/crypto"
import { type RpcError, rpcError } from "@satwire/json-rpc"
import type { NodeShape } from "@satwire/node"
import type { PoolTotals } from "@satwire/node-core"
import type { ChainParams } from "@satwire/primitives"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** What they ask of it. A running node of `@satwire/node` is one. */
export interface ChainDoors extends Pick<
  NodeShape,
  | "blocksSizeBytes"
  | "facts"
  | "invalidateHeader"
  | "lookup"
  | "pruneBlocks"
  | "query"
  | "readBlock"
  | "reconsiderHeader"
  | "submitBlockAndWait"
  | "submitHeaders"
  | "submitTransaction"
> {}

export interface NodeContextShape {
  readonly node: ChainDoors
  readonly params: ChainParams
  readonly sha256: Sha256
  /** Whether old blocks are pruned, and above how many bytes by itself. */
  readonly prune?: { readonly targetBytes: number | undefined } | undefined
  /** What is wrong with the node or the network, a sentence each. */
  readonly warnings: Effect.Effect<ReadonlyArray<string>>
  /** The scan that is under way, if one is. */
  readonly scan: Scan
}

/** A scan of the kept blocks, of which there is one at a time. */
export interface Scan {
  /** In per cent; `undefined` while there is none. */
  progress: number | undefined
  isAborted: boolean
}

export const noScan = (): Scan => ({ progress: undefined, isAborted: false })

const NodeContextBase: Context.ServiceClass<NodeContext, "@satwire/rpc-chain/NodeContext", NodeContextShape> =
  Context.Service<NodeContext, NodeContextShape>()("@satwire/rpc-chain/NodeContext")

export class NodeContext extends NodeContextBase {}

/** A method's body, given the context. */
export const withNode = <A>(
  body: (context: NodeContextShape) => Effect.Effect<A, RpcError>
): Effect.Effect<A, RpcError, NodeContext> => Effect.flatMap(NodeContext, body)

/** What fails of the disk, in place of an answer. */
export const orDatabaseError = <A, R>(
  effect: Effect.Effect<A, { readonly message: string }, R>
): Effect.Effect<A, RpcError, R> => Effect.mapError(effect, ({ message }) => rpcError("DATABASE_ERROR", message))

/** What the pool holds in all, or Core's error where there is none. */
export const poolTotals = ({ node }: NodeContextShape): Effect.Effect<PoolTotals, RpcError> =>
  Effect.flatMap(node.lookup("poolTotals"), (totals) =>
    totals === undefined
      ? rpcError("CLIENT_MEMPOOL_DISABLED", "Mempool disabled or instance not found")
      : Effect.succeed(totals)
  )

/** Why this node cannot say or do more of coins. */
export const NO_COINS = "This node keeps no coins: it checks blocks as far as that needs none, and verifies no scripts"
