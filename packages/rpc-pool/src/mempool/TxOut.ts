/** `gettxout`: an output that nobody has spent, of the pool or of blocks that are read for it. */
import { concat } from "@satwire/bytes"
import {
  type JsonObject,
  type Method,
  type RpcError,
  amount,
  defaulted,
  kind,
  method,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import { type TransactionView, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import {
  type NodeContext,
  type NodeContextShape,
  NO_COINS,
  SCRIPT_DOC,
  isCoinbase,
  isUnspendable,
  scriptJson,
  searchBlocks,
  withNode
} from "@satwire/rpc-chain"

const MAX_INDEX = 0xffffffff

interface Holder {
  readonly tx: TransactionView
  readonly confirmations: number
}

const inPool = (
  { node }: NodeContextShape,
  txid: Uint8Array,
  outpoint: Uint8Array
): Effect.Effect<Holder | "spent" | undefined> =>
  Effect.gen(function* () {
    if ((yield* node.lookup("poolSpender", outpoint)) !== undefined) return "spent"
    const entry = yield* node.lookup("poolEntry", txid)
    return entry === undefined ? undefined : { tx: entry.tx, confirmations: 0 }
  })

const inBlocks = (
  context: NodeContextShape,
  txid: Uint8Array,
  outpoint: Uint8Array
): Effect.Effect<Holder | undefined, RpcError> =>
  Effect.gen(function* () {
    const search = yield* searchBlocks(context, txid, outpoint)
    if (search._tag === "GivenUp") {
      return yield* rpcError("MISC_ERROR", `It is in none of the newest blocks. ${NO_COINS}`)
    }
    if (search._tag !== "Found") return undefined
    const { block, header, index } = search
    const tip = yield* context.node.lookup("tip")
    return { tx: block.transaction(index), confirmations: tip.height - header.height + 1 }
  })

export const gettxout: Method<NodeContext> = method({
  name: "gettxout",
  category: "blockchain",
  about:
    "Returns an output that nobody has spent. There is no set of them here: blocks are read for it, from the last one back and not without end.",
  params: [
    required("txid", kind.hash, "The transaction id"),
    required("n", kind.integerWithin(0, MAX_INDEX), "The number of its output"),
    defaulted(
      "include_mempool",
      kind.boolean,
      true,
      "Whether what the pool spends is spent, and what it makes is there"
    )
  ],
  result: [
    result.when("where it is spent, or was never there", result.none()),
    result.when(
      "otherwise",
      result.object("", {
        bestblock: result.hex("The last block of the followed chain"),
        confirmations: result.number("Blocks of the chain from its own on; 0 in the pool"),
        value: result.amount("Its amount"),
        scriptPubKey: SCRIPT_DOC,
        coinbase: result.boolean("Whether a coinbase made it")
      })
    )
  ],
  examples: [["mytxid", 1]],
  run: ({ include_mempool, n, txid }) =>
    withNode((context): Effect.Effect<JsonObject | null, RpcError> =>
      Effect.gen(function* () {
        const index = new Uint8Array(4)
        new DataView(index.buffer).setUint32(0, n, true)
        const outpoint = concat([txid, index])
        const { hash } = yield* context.node.lookup("tip")
        const pooled = include_mempool ? yield* inPool(context, txid, outpoint) : undefined
        if (pooled === "spent") return null
        const holder = pooled ?? (yield* inBlocks(context, txid, outpoint))
        const tx = holder?.tx.materialise()
        const output = tx?.outputs[n]
        if (holder === undefined || tx === undefined || output === undefined) return null
        if (isUnspendable(output.scriptPubKey)) return null
        return {
          bestblock: toHex(hash),
          confirmations: holder.confirmations,
          value: amount(output.amount),
          scriptPubKey: scriptJson(output.scriptPubKey, context.params),
          coinbase: isCoinbase(tx)
        }
      })
    )
})
