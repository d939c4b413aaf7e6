/**
 * A transaction looked for in blocks, from the last one back: there is no index of them and no set of coins. So much is read at most, which is all
 * of a regtest chain and the newest hours of a public one.
 *
 * ```
 *   tip ── tip-1 ── tip-2 ── …                found: its block, and whether one of its outputs was spent on the way
 *    ▲ inputs: is the output spent?           passed: every block was looked at
 *    ▲ txids: is it here?                     given up: the bound was reached before
 * ```
 */
import { equals } from "@satwire/bytes"
import type { RpcError } from "@satwire/json-rpc"
import type { HeaderDetails } from "@satwire/node-core"
import { BLOCK_PARTS, type BlockView, TransactionParts } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { blockOf, headerAtHeight } from "../chain/Blocks.ts"
import type { NodeContextShape } from "../NodeContext.ts"

/**
 * A second or so of a public network's blocks.
 *
 * @limit bytes of blocks that are read for one transaction
 */
const MAX_BYTES = 64 * 1024 * 1024
/**
 * For chains of small blocks, of which each costs a read.
 *
 * @limit blocks that are read for one transaction
 */
const MAX_BLOCKS = 20_000

export type Search =
  | { readonly _tag: "Found"; readonly header: HeaderDetails; readonly block: BlockView; readonly index: number }
  | { readonly _tag: "Spent" }
  | { readonly _tag: "Passed" }
  | { readonly _tag: "GivenUp" }

/** Looks for a transaction by its id. With an output of it, that is 36 bytes, ends as `Spent` where somebody spends that. */
export const searchBlocks = (
  context: NodeContextShape,
  txid: Uint8Array,
  outpoint?: Uint8Array
): Effect.Effect<Search, RpcError> =>
  Effect.gen(function* () {
    const tip = yield* context.node.lookup("tip")
    let bytes = 0
    // The first block's transaction is in no set of coins and no index of Core's.
    for (let { height } = tip; height > 0; height--) {
      if (bytes > MAX_BYTES || tip.height - height >= MAX_BLOCKS) return { _tag: "GivenUp" }
      const header = yield* headerAtHeight(context, height)
      const block = yield* blockOf(context, header)
      if (outpoint !== undefined && spends(block, outpoint)) return { _tag: "Spent" }
      const index = indexIn(block, txid, context)
      if (index >= 0) return { _tag: "Found", header, block, index }
      bytes += block.bytes.length
      yield* Effect.yieldNow
    }
    return { _tag: "Passed" }
  })

const spends = ({ bytes, parts, transactionCount }: BlockView, outpoint: Uint8Array): boolean => {
  const reader = new TransactionParts()
  for (let i = 1; i < transactionCount; i++) {
    reader.begin(bytes, parts[BLOCK_PARTS * i])
    while (reader.nextInput()) {
      if (equals(bytes.subarray(reader.outpoint, reader.outpoint + outpoint.length), outpoint)) return true
    }
  }
  return false
}

/** Where in a block a transaction is, or -1. */
export const indexIn = (block: BlockView, txid: Uint8Array, { sha256 }: NodeContextShape): number => {
  const txids = block.txids(sha256)
  for (let i = 0; i < block.transactionCount; i++) {
    if (equals(txids.subarray(32 * i, 32 * i + 32), txid)) return i
  }
  return -1
}
