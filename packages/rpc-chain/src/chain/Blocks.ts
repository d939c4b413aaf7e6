/** From hashes and heights that a caller gives to headers and blocks, or the error that Core has for it. */
import { type RpcError, rpcError } from "@satwire/json-rpc"
import type { HeaderDetails } from "@satwire/node-core"
import type { BlockView } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { type NodeContextShape, orDatabaseError } from "../NodeContext.ts"
import { genesisBlock } from "./GenesisBlock.ts"

export const headerOfHash = ({ node }: NodeContextShape, hash: Uint8Array): Effect.Effect<HeaderDetails, RpcError> =>
  Effect.flatMap(node.lookup("header", hash), (header) =>
    header === undefined ? rpcError("INVALID_ADDRESS_OR_KEY", "Block not found") : Effect.succeed(header)
  )

export const headerAtHeight = ({ node }: NodeContextShape, height: number): Effect.Effect<HeaderDetails, RpcError> =>
  Effect.flatMap(node.lookup("headerAt", height), (header) =>
    header === undefined ? rpcError("INVALID_PARAMETER", "Block height out of range") : Effect.succeed(header)
  )

/** The block of a header, or `undefined` where it is not here. */
export const blockOrNone = (
  { node, params, sha256 }: NodeContextShape,
  header: HeaderDetails
): Effect.Effect<BlockView | undefined, RpcError> => {
  if (header.height === 0) return Effect.succeed(genesisBlock(params, sha256))
  return header.isKept ? orDatabaseError(node.readBlock(header.hash)) : Effect.succeed(undefined)
}

export const blockOf = (context: NodeContextShape, header: HeaderDetails): Effect.Effect<BlockView, RpcError> =>
  Effect.flatMap(blockOrNone(context, header), (block) => {
    if (block !== undefined) return Effect.succeed(block)
    const why = context.prune === undefined ? "not fully downloaded" : "pruned data"
    return rpcError("MISC_ERROR", `Block not available (${why})`)
  })
