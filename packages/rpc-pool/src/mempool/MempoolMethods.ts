/** Transactions that wait for a block, and those that wait for their parents. */
import { concat } from "@satwire/bytes"
import {
  type Json,
  type JsonObject,
  type Method,
  type ResultDoc,
  type RpcError,
  amount,
  defaulted,
  kind,
  method,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import type { PoolDetails } from "@satwire/mempool"
import { WITNESS_SCALE_FACTOR, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { type NodeContext, type NodeContextShape, poolTotals, withNode, hexOf } from "@satwire/rpc-chain"

const fees = (satoshis: number | undefined): ReturnType<typeof amount> | undefined =>
  satoshis === undefined ? undefined : amount(satoshis)

/** The highest sequence number of an input that does not say that it may be replaced, less one (BIP-0125). */
const MAX_REPLACEABLE = 0xfffffffd
const signals = (entry: PoolDetails): boolean =>
  entry.tx.materialise().inputs.some(({ sequence }) => sequence <= MAX_REPLACEABLE)

const entryJson = (context: NodeContextShape, entry: PoolDetails): Effect.Effect<JsonObject> =>
  Effect.gen(function* () {
    const { node } = context
    const unbroadcast = yield* node.lookup("unbroadcast")
    const ancestors = (yield* node.lookup("poolKin", entry.txid, "ancestors")) ?? []
    const kin = yield* Effect.forEach(ancestors, (txid) => node.lookup("poolEntry", txid))
    const wtxid = toHex(entry.wtxid)
    return {
      vsize: entry.vsize,
      weight: entry.weight,
      time: entry.unix,
      height: entry.height,
      descendantcount: entry.descendants.count,
      descendantsize: entry.descendants.vsize,
      ancestorcount: entry.ancestors.count,
      ancestorsize: entry.ancestors.vsize,
      wtxid,
      fees: {
        base: fees(entry.fee),
        modified: fees(entry.fee),
        ancestor: fees(entry.ancestors.fee),
        descendant: fees(entry.descendants.fee)
      },
      depends: entry.depends.map(toHex),
      spentby: entry.spentBy.map(toHex),
      "bip125-replaceable": [entry, ...kin].some((each) => each !== undefined && signals(each)),
      unbroadcast: unbroadcast.some((each) => toHex(each) === wtxid)
    }
  })

const FEE = result.optional(result.amount("Missing where what is spent is not known to this node"))
const ENTRY_DOC: ResultDoc = result.object("", {
  vsize: result.number("Its bytes as they count for fees"),
  weight: result.number("Its weight"),
  time: result.time("When it came"),
  height: result.number("The height of the chain then"),
  descendantcount: result.number("How many depend on it, itself counted"),
  descendantsize: result.number("Their bytes"),
  ancestorcount: result.number("On how many it depends, itself counted"),
  ancestorsize: result.number("Their bytes"),
  wtxid: result.hex("Its id with its witness"),
  fees: result.object("What they pay", { base: FEE, modified: FEE, ancestor: FEE, descendant: FEE }),
  depends: result.array("Its parents in the pool", result.hex("A transaction id")),
  spentby: result.array("Its children in the pool", result.hex("A transaction id")),
  "bip125-replaceable": result.boolean("Whether it, or one that it depends on, says that it may be replaced"),
  unbroadcast: result.boolean("Whether it is our own and nobody has asked for it yet")
})

const getmempoolinfo = method({
  name: "getmempoolinfo",
  category: "blockchain",
  about: "Returns the state of the pool of transactions.",
  params: [],
  result: result.object("", {
    loaded: result.boolean("Always true: nothing of it is kept over a restart"),
    size: result.number("How many transactions"),
    bytes: result.number("Their bytes as they count for fees"),
    usage: result.number("The memory that they take"),
    total_fee: result.amount("What they pay, as far as that is known"),
    maxmempool: result.number("The memory that they may take"),
    mempoolminfee: result.amount("The least fee of a thousand bytes that is taken now"),
    minrelaytxfee: result.amount("And where there is room"),
    incrementalrelayfee: result.amount("What a replacement pays more for a thousand bytes"),
    unbroadcastcount: result.number("How many of our own nobody has asked for yet"),
    fullrbf: result.boolean("Always true: any may be replaced")
  }),
  examples: [[]],
  run: () =>
    withNode((context) =>
      Effect.gen(function* () {
        const totals = yield* poolTotals(context)
        return {
          loaded: true,
          size: totals.count,
          bytes: totals.vsize,
          usage: totals.memoryBytes,
          total_fee: amount(totals.fee),
          maxmempool: totals.maxBytes,
          mempoolminfee: amount(Math.ceil(totals.minFeeRateSatPerKvb)),
          minrelaytxfee: amount(totals.minRelaySatPerKvb),
          incrementalrelayfee: amount(totals.incrementalSatPerKvb),
          unbroadcastcount: (yield* context.node.lookup("unbroadcast")).length,
          fullrbf: true
        }
      })
    )
})

const txidsOrEntries = (
  context: NodeContextShape,
  txids: ReadonlyArray<Uint8Array>,
  verbose: boolean
): Effect.Effect<Json> =>
  Effect.gen(function* () {
    if (!verbose) return txids.map(toHex)
    const entries: Record<string, Json> = {}
    for (const txid of txids) {
      const entry = yield* context.node.lookup("poolEntry", txid)
      if (entry !== undefined) entries[toHex(txid)] = yield* entryJson(context, entry)
      yield* Effect.yieldNow
    }
    return entries
  })

const LIST_OR_ENTRIES = [
  result.when("for verbose = false", result.array("", result.hex("A transaction id"))),
  result.when("for verbose = true", result.record("By transaction id", ENTRY_DOC))
]

const getrawmempool = method({
  name: "getrawmempool",
  category: "blockchain",
  about: "Returns the transactions of the pool in the order in which they came.",
  params: [
    defaulted("verbose", kind.boolean, false, "All of each, or the ids"),
    defaulted("mempool_sequence", kind.boolean, false, "The ids, and the number of the last change; not with verbose")
  ],
  result: [
    ...LIST_OR_ENTRIES,
    result.when(
      "for mempool_sequence = true",
      result.object("", {
        txids: result.array("", result.hex("A transaction id")),
        mempool_sequence: result.number("The number of the last change")
      })
    )
  ],
  examples: [[true]],
  run: ({ mempool_sequence, verbose }) =>
    withNode((context) =>
      Effect.gen(function* () {
        if (verbose && mempool_sequence) {
          const message = "Verbose results cannot contain mempool sequence values."
          return yield* rpcError("INVALID_PARAMETER", message)
        }
        const { lastSequence } = yield* poolTotals(context)
        const txids = yield* context.node.lookup("poolTxids")
        const list = yield* txidsOrEntries(context, txids, verbose)
        return mempool_sequence ? { txids: list, mempool_sequence: lastSequence + 1 } : list
      })
    )
})

const entryOf = (context: NodeContextShape, txid: Uint8Array): Effect.Effect<PoolDetails, RpcError> =>
  Effect.gen(function* () {
    yield* poolTotals(context)
    const entry = yield* context.node.lookup("poolEntry", txid)
    return entry ?? (yield* rpcError("INVALID_ADDRESS_OR_KEY", "Transaction not in mempool"))
  })

const txid = required("txid", kind.hash, "The transaction id")

const getmempoolentry = method({
  name: "getmempoolentry",
  category: "blockchain",
  about: "Returns what is known of a transaction of the pool.",
  params: [txid],
  result: ENTRY_DOC,
  examples: [["c5d6b2c1b8d5d3e9a3b6b1b8a6e7f2d1c0b9a8f7e6d5c4b3a291807f6e5d4c3b"]],
  run: ({ txid }) => withNode((context) => Effect.flatMap(entryOf(context, txid), (entry) => entryJson(context, entry)))
})

const kinMethod = (name: string, which: "ancestors" | "descendants", about: string): Method<NodeContext> =>
  method({
    name,
    category: "blockchain",
    about,
    params: [txid, defaulted("verbose", kind.boolean, false, "All of each, or the ids")],
    result: LIST_OR_ENTRIES,
    examples: [],
    run: ({ txid, verbose }) =>
      withNode((context) =>
        Effect.gen(function* () {
          yield* entryOf(context, txid)
          const kin = (yield* context.node.lookup("poolKin", txid, which)) ?? []
          return yield* txidsOrEntries(context, kin, verbose)
        })
      )
  })

const gettxspendingprevout = method({
  name: "gettxspendingprevout",
  category: "blockchain",
  about: "Returns which transactions of the pool spend these outputs.",
  params: [
    required(
      "outputs",
      kind.arrayOf(
        required("output", kind.objectOf([txid, required("vout", kind.integer, "The output's number")]), "An output")
      ),
      "The outputs"
    )
  ],
  result: result.array(
    "",
    result.object("", {
      txid: result.hex("As given"),
      vout: result.number("As given"),
      spendingtxid: result.optional(result.hex("Who spends it; missing where nobody of the pool does"))
    })
  ),
  examples: [],
  run: ({ outputs }) =>
    withNode((context) =>
      Effect.gen(function* () {
        if (outputs.length === 0) return yield* rpcError("INVALID_PARAMETER", "Invalid parameter, outputs are missing")
        if (outputs.some(({ vout }) => vout < 0)) {
          return yield* rpcError("INVALID_PARAMETER", "Invalid parameter, vout cannot be negative")
        }
        yield* poolTotals(context)
        return yield* Effect.forEach(outputs, ({ txid, vout }) => {
          const index = new Uint8Array(4)
          new DataView(index.buffer).setUint32(0, vout, true)
          return Effect.map(context.node.lookup("poolSpender", concat([txid, index])), (spender) => ({
            txid: toHex(txid),
            vout,
            spendingtxid: spender === undefined ? undefined : toHex(spender.txid)
          }))
        })
      })
    )
})

const ORPHAN = {
  txid: result.hex("The transaction id"),
  wtxid: result.hex("With its witness"),
  bytes: result.number("Its bytes"),
  vsize: result.number("Its bytes as they count for fees"),
  weight: result.number("Its weight"),
  from: result.array("Who announced it", result.number("A peer's number"))
}

const getorphantxs = method({
  name: "getorphantxs",
  category: "hidden",
  about: "Returns the transactions that wait for their parents.",
  params: [defaulted("verbosity", kind.verbosity, 0, "0 for ids, 1 for more, 2 for their bytes too")],
  result: [
    result.when("for verbosity = 0", result.array("", result.hex("A transaction id"))),
    result.when("for verbosity = 1", result.array("", result.object("", ORPHAN))),
    result.when("for verbosity = 2", result.array("", result.object("", { ...ORPHAN, hex: result.hex("Its bytes") })))
  ],
  examples: [[2]],
  run: ({ verbosity }) =>
    withNode((context) =>
      Effect.gen(function* () {
        if (verbosity < 0 || verbosity > 2) {
          return yield* rpcError("INVALID_PARAMETER", `Invalid verbosity value ${verbosity}`)
        }
        yield* poolTotals(context)
        const orphans = yield* context.node.lookup("orphans")
        if (verbosity === 0) return orphans.map(({ txid }) => toHex(txid))
        return orphans.map(({ from, tx, txid, wtxid }) => ({
          txid: toHex(txid),
          wtxid: toHex(wtxid),
          bytes: tx.bytes.length,
          vsize: Math.ceil(tx.weight / WITNESS_SCALE_FACTOR),
          weight: tx.weight,
          from,
          hex: verbosity === 2 ? hexOf(tx.bytes) : undefined
        }))
      })
    )
})

export const mempoolMethods: ReadonlyArray<Method<NodeContext>> = [
  getmempoolinfo,
  getrawmempool,
  getmempoolentry,
  kinMethod("getmempoolancestors", "ancestors", "Returns what a transaction of the pool depends on there."),
  kinMethod("getmempooldescendants", "descendants", "Returns what of the pool depends on a transaction of it."),
  gettxspendingprevout,
  getorphantxs
]
