/** Proofs that a block holds transactions (BIP-0037 §"Partial Merkle branch format"). */
import { equals, fromHex } from "@satwire/bytes"
import { buildPartialTree, verifyPartialTree } from "@satwire/filters"
import { type Method, type RpcError, kind, method, optional, required, result, rpcError } from "@satwire/json-rpc"
import { type BlockHash, type BlockView, ZERO_HASH, encodeHeader, headerHash, toHex } from "@satwire/primitives"
import { HashList, type MerkleBlock, decodePayload, encodePayload } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { blockOf, headerOfHash } from "../chain/Blocks.ts"
import { type NodeContext, type NodeContextShape, withNode } from "../NodeContext.ts"
import { hexOf } from "../Hex.ts"
import { searchBlocks } from "./SearchBlocks.ts"

const blockWith = (context: NodeContextShape, txid: Uint8Array): Effect.Effect<BlockView, RpcError> =>
  Effect.flatMap(searchBlocks(context, txid), (search) =>
    search._tag === "Found"
      ? Effect.succeed(search.block)
      : rpcError("INVALID_ADDRESS_OR_KEY", "Transaction not yet in block")
  )

const gettxoutproof = method({
  name: "gettxoutproof",
  category: "blockchain",
  about:
    "Returns a proof that a block holds these transactions. Where none is named, blocks are read for the first of them, from the last one back and not without end.",
  params: [
    required("txids", kind.arrayOf(required("txid", kind.hash, "A transaction id")), "The transactions"),
    optional("blockhash", kind.hash, "The block that holds them")
  ],
  result: result.hex("The proof"),
  examples: [[["mytxid"], "blockhash"]],
  run: ({ blockhash, txids }) =>
    withNode((context) =>
      Effect.gen(function* () {
        if (txids.length === 0) return yield* rpcError("INVALID_PARAMETER", "Parameter 'txids' cannot be empty")
        if (new Set(txids.map(toHex)).size < txids.length) {
          return yield* rpcError("INVALID_PARAMETER", "Invalid parameter, duplicated txid")
        }
        const block = yield* blockhash === undefined
          ? blockWith(context, txids[0] ?? ZERO_HASH)
          : Effect.flatMap(headerOfHash(context, blockhash), (header) => blockOf(context, header))
        const all = block.txids(context.sha256)
        const isProven = (index: number): boolean =>
          txids.some((txid) => equals(txid, all.subarray(32 * index, 32 * index + 32)))
        const proven = Array.from({ length: block.transactionCount }, (_, i) => i).filter(isProven)
        if (proven.length < txids.length) {
          return yield* rpcError("INVALID_ADDRESS_OR_KEY", "Not all transactions found in specified or retrieved block")
        }
        const { flags, hashes, transactionCount } = buildPartialTree(context.sha256, all, isProven)
        const message: MerkleBlock = {
          _tag: "merkleblock",
          header: block.header,
          transactionCount,
          hashes: new HashList(hashes),
          flags
        }
        return hexOf(encodePayload(message))
      })
    )
})

const verifytxoutproof = method({
  name: "verifytxoutproof",
  category: "blockchain",
  about: "Returns which transactions a proof proves to be in a block of the followed chain.",
  params: [required("proof", kind.string, "The proof in hexadecimal")],
  result: result.array("None where it proves nothing", result.hex("A transaction id")),
  examples: [["proof"]],
  run: ({ proof }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const bytes = fromHex(proof)
        const decoded =
          bytes === undefined
            ? undefined
            : Result.getOrUndefined(decodePayload("merkleblock", bytes, { strict: true }))?.value
        if (decoded === undefined) return yield* rpcError("DESERIALIZATION_ERROR", "Unable to decode proof")
        const { flags, hashes, header, transactionCount } = decoded
        const verified = verifyPartialTree(context.sha256, { transactionCount, hashes: hashes.raw, flags })
        if (Result.isFailure(verified) || !equals(verified.success.root, header.merkleRoot)) return []
        const hash: BlockHash = headerHash(context.sha256, encodeHeader(header))
        const found = yield* context.node.lookup("header", hash)
        if (found?.isFollowed !== true) {
          return yield* rpcError("INVALID_ADDRESS_OR_KEY", "Block not found in chain")
        }
        // A tree of another depth than the block's proves nothing: its leaves may be nodes (CVE-2017-12842).
        const block = yield* Effect.option(blockOf(context, found))
        const count = block._tag === "Some" ? block.value.transactionCount : transactionCount
        return count === transactionCount ? verified.success.proven.map(({ txid }) => toHex(txid)) : []
      })
    )
})

export const proofMethods: ReadonlyArray<Method<NodeContext>> = [gettxoutproof, verifytxoutproof]
