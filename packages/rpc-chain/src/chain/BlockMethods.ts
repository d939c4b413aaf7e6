/** Blocks, and what can be told of them without coins. */
import { isBlockMutated } from "@satwire/consensus"
import {
  type Json,
  type JsonObject,
  type Method,
  type RpcError,
  defaulted,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import type { HeaderDetails } from "@satwire/node-core"
import { blockSubsidy } from "@satwire/mining"
import { type BlockView, TransactionParts, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { NO_COINS, type NodeContext, type NodeContextShape, orDatabaseError, withNode } from "../NodeContext.ts"
import { TRANSACTION_DOC, transactionJson } from "../transactions/TransactionJson.ts"
import { blockOf, headerAtHeight, headerOfHash } from "./Blocks.ts"
import { HEADER_DOC, headerJson } from "./HeaderJson.ts"
import { hexOf } from "../Hex.ts"

/**
 * After so many bytes of transactions others have their turn: a few milliseconds.
 *
 * @limit bytes of transactions that are shown in one go
 */
const BYTES_PER_GO = 32_768
const ALL_FIELDS = 2
const WITH_COINS = 3

const transactionsJson = (
  block: BlockView,
  { params, sha256 }: NodeContextShape
): Effect.Effect<ReadonlyArray<JsonObject>> =>
  Effect.gen(function* () {
    const all: Array<JsonObject> = []
    let shown = 0
    for (let i = 0; i < block.transactionCount; i++) {
      const tx = block.transaction(i)
      all.push({ ...transactionJson(tx, params, sha256), hex: hexOf(tx.bytes) })
      shown += tx.bytes.length
      if (shown < BYTES_PER_GO) continue
      shown = 0
      yield* Effect.yieldNow
    }
    return all
  })

const txidsOf = (block: BlockView, { sha256 }: NodeContextShape): ReadonlyArray<string> => {
  const txids = block.txids(sha256)
  return Array.from({ length: block.transactionCount }, (_, i) => toHex(txids.subarray(32 * i, 32 * i + 32)))
}

const BLOCK_DOC = {
  ...HEADER_DOC,
  strippedsize: result.number("Its bytes without witnesses"),
  size: result.number("Its bytes"),
  weight: result.number("Its weight")
}

const getblock = method({
  name: "getblock",
  category: "blockchain",
  about: "Returns a block: its bytes, its fields with the ids of its transactions, or with all of them.",
  params: [
    required("blockhash", kind.hash, "The block hash"),
    defaulted("verbosity", kind.verbosity, 1, "0 for bytes in hexadecimal, 1 for fields, 2 for transactions too", {
      aliases: ["verbose"]
    })
  ],
  result: [
    result.when("for verbosity = 0", result.hex("The block's bytes")),
    result.when(
      "for verbosity = 1",
      result.object("", { ...BLOCK_DOC, tx: result.array("", result.hex("A transaction id")) })
    ),
    result.when(
      "for verbosity = 2",
      result.object("", {
        ...BLOCK_DOC,
        tx: result.array("", result.object("", { ...TRANSACTION_DOC, hex: result.hex("Its bytes") }))
      })
    )
  ],
  examples: [["00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09"]],
  run: ({ blockhash, verbosity }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const header = yield* headerOfHash(context, blockhash)
        const block = yield* blockOf(context, header)
        if (verbosity <= 0) return hexOf(block.bytes)
        if (verbosity >= WITH_COINS)
          return yield* rpcError("MISC_ERROR", `What a transaction spent is not known. ${NO_COINS}`)
        return {
          ...headerJson(header, yield* context.node.lookup("tip"), block.transactionCount),
          strippedsize: block.strippedSize,
          size: block.bytes.length,
          weight: block.weight,
          tx: verbosity === ALL_FIELDS ? yield* transactionsJson(block, context) : txidsOf(block, context)
        }
      })
    )
})

/** Core's statistics that ask for what was spent. */
const OF_COINS: ReadonlySet<string> = new Set(
  (
    "avgfee avgfeerate feerate_percentiles maxfee maxfeerate medianfee minfee minfeerate totalfee utxo_size_inc utxo_increase_actual " +
    "utxo_size_inc_actual"
  ).split(" ")
)

const blockStats = (block: BlockView, header: HeaderDetails, context: NodeContextShape): JsonObject => {
  const parts = new TransactionParts()
  const sizes: Array<number> = []
  const sum = { ins: 0, outs: 0, totalOut: 0, weight: 0, witnessed: 0, witnessedSize: 0, witnessedWeight: 0 }
  for (let i = 0; i < block.transactionCount; i++) {
    const tx = block.transaction(i)
    parts.begin(tx.bytes)
    let inputs = 0
    while (parts.nextInput()) inputs++
    let out = 0
    while (parts.nextOutput()) {
      sum.outs++
      out += parts.amount
    }
    // The coinbase counts for its outputs alone.
    if (i === 0) continue
    sum.ins += inputs
    sum.totalOut += out
    sizes.push(tx.bytes.length)
    sum.weight += tx.weight
    if (!tx.hasWitness) continue
    sum.witnessed++
    sum.witnessedSize += tx.bytes.length
    sum.witnessedWeight += tx.weight
  }
  const total = sizes.reduce((all, size) => all + size, 0)
  return {
    avgtxsize: sizes.length === 0 ? 0 : Math.floor(total / sizes.length),
    blockhash: toHex(header.hash),
    height: header.height,
    ins: sum.ins,
    maxtxsize: sizes.reduce((most, size) => Math.max(most, size), 0),
    mediantime: header.medianTime ?? header.time,
    mediantxsize: median(sizes),
    mintxsize: sizes.length === 0 ? 0 : sizes.reduce((least, size) => Math.min(least, size), Infinity),
    outs: sum.outs,
    subsidy: Number(blockSubsidy(context.params, header.height)),
    swtotal_size: sum.witnessedSize,
    swtotal_weight: sum.witnessedWeight,
    swtxs: sum.witnessed,
    time: header.time,
    total_out: sum.totalOut,
    total_size: total,
    total_weight: sum.weight,
    txs: block.transactionCount,
    utxo_increase: sum.outs - sum.ins
  }
}

const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >>> 1
  const [low = 0, high = 0] = sorted.slice(middle - 1)
  if (sorted.length === 1) return sorted[0] as number
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : Math.floor((low + high) / 2)
}

/** A block by its hash or by its height. */
const headerOfEither = (context: NodeContextShape, either: Json): Effect.Effect<HeaderDetails, RpcError> => {
  if (typeof either === "number") return headerAtHeight(context, either)
  const hash = kind.hash.read(either, "hash_or_height")
  return Effect.flatMap(Effect.fromResult(hash), (hash) => headerOfHash(context, hash))
}

const getblockstats = method({
  name: "getblockstats",
  category: "blockchain",
  about: "Returns statistics of a block: those that ask for no coins. Amounts are in satoshis.",
  params: [
    required("hash_or_height", kind.json, "The block hash or the height"),
    optional("stats", kind.arrayOf(required("stat", kind.string, "A statistic")), "Which; all where not given")
  ],
  result: result.openObject("By name", {}),
  examples: [[1000, ["txs", "total_size"]]],
  run: ({ hash_or_height, stats }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const header = yield* headerOfEither(context, hash_or_height)
        const all = blockStats(yield* blockOf(context, header), header, context)
        const chosen: Record<string, Json> = {}
        for (const name of stats ?? Object.keys(all)) {
          const value = all[name]
          if (OF_COINS.has(name)) return yield* rpcError("MISC_ERROR", `'${name}' is not known. ${NO_COINS}`)
          if (value === undefined) {
            return yield* rpcError("INVALID_PARAMETER", `Invalid selected statistic '${name}'`)
          }
          chosen[name] = value
        }
        return chosen
      })
    )
})

const DEFAULT_WINDOW_BLOCKS_PER_MONTH = 4320
const getchaintxstats = method({
  name: "getchaintxstats",
  category: "blockchain",
  about: "Returns statistics of a stretch of the chain. How many transactions there were is not counted by this node.",
  params: [
    optional("nblocks", kind.integer, "How many blocks", { default: "one month" }),
    optional("blockhash", kind.hash, "The last of them", { default: "the last of the followed chain" })
  ],
  result: result.object("", {
    time: result.time("When the last block was mined"),
    window_final_block_hash: result.hex("Its hash"),
    window_final_block_height: result.number("Its height"),
    window_block_count: result.number("How many blocks"),
    window_interval: result.optional(result.number("Seconds by their median times"))
  }),
  examples: [[2016]],
  run: ({ blockhash, nblocks }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const { node } = context
        const last = blockhash === undefined ? yield* node.lookup("tip") : yield* headerOfHash(context, blockhash)
        if (!last.isFollowed) return yield* rpcError("INVALID_PARAMETER", "Block is not in main chain")
        const most = Math.max(0, last.height - 1)
        if (nblocks !== undefined && (nblocks < 0 || (nblocks > 0 && nblocks >= last.height))) {
          const message = "Invalid block count: should be between 0 and the block's height - 1"
          return yield* rpcError("INVALID_PARAMETER", message)
        }
        const count = nblocks ?? Math.min(DEFAULT_WINDOW_BLOCKS_PER_MONTH, most)
        const first = yield* headerAtHeight(context, last.height - count)
        const interval = (last.medianTime ?? last.time) - (first.medianTime ?? first.time)
        return {
          time: last.time,
          window_final_block_hash: toHex(last.hash),
          window_final_block_height: last.height,
          window_block_count: count,
          window_interval: count > 0 ? interval : undefined
        }
      })
    )
})

const DEFAULT_CHECKED = 6
const verifychain = method({
  name: "verifychain",
  category: "blockchain",
  about:
    "Reads the last blocks and verifies that they are what was kept. Of Core's levels this is 0 and 1: the others ask for coins.",
  params: [
    defaulted("checklevel", kind.integer, 1, "How thorough; what lies above 1 is as 1"),
    defaulted("nblocks", kind.integer, DEFAULT_CHECKED, "How many blocks; all with 0")
  ],
  result: result.boolean("Whether all is well"),
  examples: [[]],
  run: ({ nblocks }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const { node, sha256 } = context
        const tip = yield* node.lookup("tip")
        const isWhole = (block: BlockView): boolean =>
          !isBlockMutated(sha256, block, block.strippedSize !== block.bytes.length)
        const lowest = nblocks <= 0 ? 1 : Math.max(1, tip.height - nblocks + 1)
        for (let height = tip.height; height >= lowest; height--) {
          const header = yield* headerAtHeight(context, height)
          // What was pruned cannot be looked at.
          if (!header.isKept) break
          const block = yield* Effect.orElseSucceed(node.readBlock(header.hash), () => undefined)
          if (block === undefined || !isWhole(block)) return false
          yield* Effect.yieldNow
        }
        return true
      })
    )
})

const pruneblockchain = method({
  name: "pruneblockchain",
  category: "blockchain",
  about: "Lets blocks go up to a height, as far as whole files hold nothing else; the last 288 stay.",
  params: [required("height", kind.integer, "The height")],
  result: result.number("The height of the last block that is gone"),
  examples: [[1000]],
  run: ({ height }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const { node, prune } = context
        if (prune === undefined) {
          return yield* rpcError("MISC_ERROR", "Cannot prune blocks because node is not in prune mode.")
        }
        if (height < 0) return yield* rpcError("INVALID_PARAMETER", "Negative block height.")
        const { height: tipHeight } = yield* node.lookup("tip")
        if (height > tipHeight) {
          return yield* rpcError("INVALID_PARAMETER", "Blockchain is shorter than the attempted prune height.")
        }
        yield* orDatabaseError(node.pruneBlocks(height + 1))
        return (yield* node.lookup("lowestKept")) - 1
      })
    )
})

export const blockMethods: ReadonlyArray<Method<NodeContext>> = [
  getblock,
  getblockstats,
  getchaintxstats,
  verifychain,
  pruneblockchain
]
