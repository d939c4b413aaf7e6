/** Transactions as bytes: found, shown, made, sent. */
import { encode, fromHex } from "@satwire/bytes"
import {
  type Json,
  type JsonObject,
  type Method,
  type RpcError,
  amount,
  defaulted,
  isArray,
  isObject,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import type { HeaderDetails } from "@satwire/node-core"
import {
  OP_RETURN,
  Satoshis,
  TransactionView,
  type TxInput,
  type TxOutput,
  Txid,
  decodeAddress,
  toHex,
  transactionSize,
  writeTransaction
} from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { blockOf, headerOfHash } from "../chain/Blocks.ts"
import { confirmationsOf } from "../chain/HeaderJson.ts"
import { type NodeContext, type NodeContextShape, poolTotals, withNode } from "../NodeContext.ts"
import { isUnspendable } from "./ScriptAsm.ts"
import { indexIn, searchBlocks } from "./SearchBlocks.ts"
import { TRANSACTION_DOC, transactionJson } from "./TransactionJson.ts"
import { hexOf } from "../Hex.ts"

const FAILED = "TX decode failed. Make sure the tx has at least one input."

/** A transaction of hexadecimal digits, all of which must be it. */
export const readTransactionHex = (hex: string, message: string = FAILED): Effect.Effect<TransactionView, RpcError> => {
  const bytes = fromHex(hex)
  const decoded = bytes === undefined ? undefined : Result.getOrUndefined(TransactionView.decode(bytes))
  return decoded === undefined || decoded.value.bytes.length !== bytes?.length
    ? Effect.fail(rpcError("DESERIALIZATION_ERROR", message))
    : Effect.succeed(decoded.value)
}

const NO_INDEX = "Use -txindex or provide a block hash to enable blockchain transaction queries"

interface FoundTransaction {
  readonly tx: TransactionView
  /** Its block's, where it is in one. */
  readonly header: HeaderDetails | undefined
}

/** A transaction of a block, of the pool, or of blocks that are read for it. */
const findTransaction = (
  context: NodeContextShape,
  txid: Uint8Array,
  header: HeaderDetails | undefined
): Effect.Effect<FoundTransaction, RpcError> =>
  Effect.gen(function* () {
    if (header === undefined) {
      const entry = yield* context.node.lookup("poolEntry", txid)
      if (entry !== undefined) return { tx: entry.tx, header }
      const search = yield* searchBlocks(context, txid)
      if (search._tag === "Found") return { tx: search.block.transaction(search.index), header: search.header }
      const message = `No such mempool transaction. ${NO_INDEX}. Use gettransaction for wallet transactions.`
      return yield* rpcError("INVALID_ADDRESS_OR_KEY", message)
    }
    const block = yield* blockOf(context, header)
    const index = indexIn(block, txid, context)
    if (index >= 0) return { tx: block.transaction(index), header }
    const message = "No such transaction found in the provided block. Use gettransaction for wallet transactions."
    return yield* rpcError("INVALID_ADDRESS_OR_KEY", message)
  })

const getrawtransaction = method({
  name: "getrawtransaction",
  category: "rawtransactions",
  about:
    "Returns a transaction of the pool or of a block. There is no index of them here: where no block is named, blocks are read for it, from the last one back and not without end.",
  params: [
    required("txid", kind.hash, "The transaction id"),
    defaulted("verbosity", kind.verbosity, 0, "0 for bytes in hexadecimal, 1 for fields", { aliases: ["verbose"] }),
    optional("blockhash", kind.hash, "The block that holds it", { default: "the pool, or whichever block has it" })
  ],
  result: [
    result.when("for verbosity = 0", result.hex("Its bytes")),
    result.when(
      "for verbosity = 1",
      result.object("", {
        in_active_chain: result.optional(result.boolean("Whether its block is part of the followed chain")),
        ...TRANSACTION_DOC,
        hex: result.hex("Its bytes"),
        blockhash: result.optional(result.hex("Its block")),
        confirmations: result.optional(result.number("Blocks of the chain from its own on")),
        time: result.optional(result.time("When its block was mined")),
        blocktime: result.optional(result.time("The same"))
      })
    )
  ],
  examples: [["4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"]],
  run: ({ blockhash, txid, verbosity }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const named = blockhash === undefined ? undefined : yield* headerOfHash(context, blockhash)
        const { header, tx } = yield* findTransaction(context, txid, named)
        const hex = hexOf(tx.bytes)
        if (verbosity <= 0) return hex
        const json = { ...transactionJson(tx, context.params, context.sha256), hex }
        if (header === undefined) return json
        const { hash, isFollowed, time } = header
        const confirmations = Math.max(0, confirmationsOf(header, yield* context.node.lookup("tip")))
        const inBlock = { blockhash: toHex(hash), confirmations, ...(isFollowed ? { time, blocktime: time } : {}) }
        return { in_active_chain: named === undefined ? undefined : isFollowed, ...json, ...inBlock }
      })
    )
})

const hexstring = required("hexstring", kind.string, "The transaction's bytes in hexadecimal")

const decoderawtransaction = method({
  name: "decoderawtransaction",
  category: "rawtransactions",
  about: "Returns a transaction as fields.",
  params: [
    hexstring,
    optional("iswitness", kind.boolean, "Taken and not needed: the form is told by the bytes", {
      default: "by its bytes"
    })
  ],
  result: result.object("", TRANSACTION_DOC),
  examples: [["hexstring"]],
  run: ({ hexstring }) =>
    withNode(({ params, sha256 }) =>
      Effect.map(readTransactionHex(hexstring, "TX decode failed"), (tx) => transactionJson(tx, params, sha256))
    )
})

const FINAL = 0xffffffff
const MAX_REPLACEABLE = 0xfffffffd
const MAX_NONREPLACEABLE = 0xfffffffe
const DEFAULT_VERSION = 2

interface WantedInput {
  readonly txid: Uint8Array
  readonly vout: number
  readonly sequence: number | undefined
}

const inputOf = ({ sequence, txid, vout }: WantedInput, otherwise: number): Effect.Effect<TxInput, RpcError> => {
  if (vout < 0) return Effect.fail(rpcError("INVALID_PARAMETER", "Invalid parameter, vout cannot be negative"))
  const given = sequence ?? otherwise
  return given < 0 || given > FINAL
    ? Effect.fail(rpcError("INVALID_PARAMETER", "Invalid parameter, sequence number is out of range"))
    : Effect.succeed({
        previousOutput: { txid: Txid(txid), index: vout },
        scriptSig: new Uint8Array(0),
        sequence: given,
        witness: []
      })
}

/** The fields of an object, or of the objects of an array: Core takes outputs in both ways. */
const fieldsOf = (outputs: Json): ReadonlyArray<readonly [string, Json]> | undefined => {
  const objects = isArray(outputs) ? outputs : [outputs]
  const fields: Array<readonly [string, Json]> = []
  for (const object of objects) {
    if (!isObject(object)) return undefined
    for (const [name, value] of Object.entries(object)) fields.push([name, value ?? null])
  }
  return fields
}

/** What pushes data behind `OP_RETURN`, in the shortest way. */
const dataScript = (data: Uint8Array): Uint8Array => {
  const { length } = data
  if (length < 0x4c) return Uint8Array.of(OP_RETURN, length, ...data)
  if (length <= 0xff) return Uint8Array.of(OP_RETURN, 0x4c, length, ...data)
  return Uint8Array.of(OP_RETURN, 0x4d, length & 0xff, length >>> 8, ...data)
}

const MAX_DATA = 0xffff

const outputOf = (
  [name, value]: readonly [string, Json],
  { params }: NodeContextShape
): Effect.Effect<TxOutput, RpcError> =>
  Effect.gen(function* () {
    if (name === "data") {
      const data = yield* Effect.fromResult(kind.hex.read(value, "Data"))
      if (data.length > MAX_DATA) return yield* rpcError("INVALID_PARAMETER", "Data is too long")
      return { amount: Satoshis(0n), scriptPubKey: dataScript(data) }
    }
    const script = decodeAddress(name, params)
    if (Result.isFailure(script)) return yield* rpcError("INVALID_ADDRESS_OR_KEY", `Invalid Bitcoin address: ${name}`)
    const satoshis = yield* Effect.fromResult(kind.amount.read(value, "amount"))
    return { amount: Satoshis(satoshis), scriptPubKey: script.success }
  })

const createrawtransaction = method({
  name: "createrawtransaction",
  category: "rawtransactions",
  about: "Returns an unsigned transaction of these inputs and outputs, in hexadecimal.",
  params: [
    required(
      "inputs",
      kind.arrayOf(
        required(
          "input",
          kind.objectOf([
            required("txid", kind.hash, "The transaction id"),
            required("vout", kind.integer, "The output's number"),
            optional("sequence", kind.safeInteger, "The sequence number")
          ]),
          "An input"
        )
      ),
      "What is spent"
    ),
    required(
      "outputs",
      kind.json,
      'Amounts by address, or "data" with bytes in hexadecimal: an object, or an array of such'
    ),
    defaulted("locktime", kind.safeInteger, 0, "The lock time"),
    defaulted("replaceable", kind.boolean, true, "Whether it says that it may be replaced (BIP-0125)"),
    defaulted("version", kind.integer, DEFAULT_VERSION, "Its version, 1 to 3")
  ],
  result: result.hex("The transaction's bytes"),
  examples: [[[], { data: "00010203" }]],
  run: ({ inputs, locktime, outputs, replaceable, version }) =>
    withNode((context) =>
      Effect.gen(function* () {
        if (locktime < 0 || locktime > FINAL) {
          return yield* rpcError("INVALID_PARAMETER", "Invalid parameter, locktime out of range")
        }
        if (version < 1 || version > 3) {
          return yield* rpcError("INVALID_PARAMETER", "Invalid parameter, version out of range(1~3)")
        }
        const otherwise = replaceable ? MAX_REPLACEABLE : locktime > 0 ? MAX_NONREPLACEABLE : FINAL
        const fields = fieldsOf(outputs)
        if (fields === undefined) {
          const message = "Invalid parameter, key-value pair not an object as expected"
          return yield* rpcError("INVALID_PARAMETER", message)
        }
        const names = fields.map(([name]) => name)
        const twice = names.find((name, i) => name !== "data" && names.indexOf(name) !== i)
        if (twice !== undefined) {
          return yield* rpcError("INVALID_PARAMETER", `Invalid parameter, duplicated address: ${twice}`)
        }
        const tx = {
          version,
          inputs: yield* Effect.forEach(inputs, (input) => inputOf(input, otherwise)),
          outputs: yield* Effect.forEach(fields, (field) => outputOf(field, context)),
          lockTime: locktime
        }
        return hexOf(encode(transactionSize(tx), (w) => writeTransaction(w, tx)))
      })
    )
})

const COIN = 100_000_000
/** Bitcoin Core's `DEFAULT_MAX_RAW_TX_FEE_RATE`. */
const DEFAULT_MAX_FEE_RATE = 0.1

const maxfeerate = defaulted(
  "maxfeerate",
  kind.amount,
  DEFAULT_MAX_FEE_RATE,
  "The most coins for 1,000 bytes; any with 0"
)

const checkedRate = (rate: bigint): Effect.Effect<number, RpcError> =>
  rate >= COIN
    ? Effect.fail(rpcError("INVALID_PARAMETER", "Fee rates larger than or equal to 1BTC/kvB are not accepted"))
    : Effect.succeed(Number(rate))

const isTooMuch = (fee: number | undefined, vsize: number, rate: number): boolean =>
  rate > 0 && fee !== undefined && fee > (rate * vsize) / 1000

/** Core's code for a rule: what is missing is told apart from what is refused. */
const rejection = (rule: string): RpcError => {
  if (rule === "missing-inputs") return rpcError("VERIFY_ERROR", "bad-txns-inputs-missingorspent")
  if (rule === "txn-already-known") {
    return rpcError("VERIFY_ALREADY_IN_UTXO_SET", "Transaction outputs already in utxo set")
  }
  return rpcError("VERIFY_REJECTED", rule)
}

const burns = (tx: TransactionView): bigint =>
  tx.materialise().outputs.reduce((most, output) => {
    return isUnspendable(output.scriptPubKey) && output.amount > most ? output.amount : most
  }, 0n)

const sendrawtransaction = method({
  name: "sendrawtransaction",
  category: "rawtransactions",
  about: "Takes a transaction into the pool and passes it on.",
  params: [hexstring, maxfeerate, defaulted("maxburnamount", kind.amount, 0, "The most that an output may destroy")],
  result: result.hex("The transaction id"),
  examples: [["signedhex"]],
  run: ({ hexstring, maxburnamount, maxfeerate }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const { node, sha256 } = context
        const tx = yield* readTransactionHex(hexstring)
        if (burns(tx) > maxburnamount) {
          const message = "Unspendable output exceeds maximum configured by user (maxburnamount)"
          return yield* rpcError("VERIFY_ERROR", message)
        }
        const rate = yield* checkedRate(maxfeerate)
        yield* poolTotals(context)
        const txid = tx.txid(sha256)
        // It is passed on already.
        if ((yield* node.lookup("poolEntry", txid)) !== undefined) return toHex(txid)
        const test = yield* node.lookup("testTransaction", tx)
        if (test?._tag === "Acceptable" && isTooMuch(test.fee, test.vsize, rate)) {
          const message = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"
          return yield* rpcError("VERIFY_ERROR", message)
        }
        const rule = yield* node.submitTransaction(tx)
        return rule === undefined ? toHex(txid) : yield* rejection(rule)
      })
    )
})

const MAX_PACKAGE = 25

const testOne = (tx: TransactionView, rate: number, { node, sha256 }: NodeContextShape): Effect.Effect<JsonObject> =>
  Effect.map(node.lookup("testTransaction", tx), (test) => {
    const ids = { txid: toHex(tx.txid(sha256)), wtxid: toHex(tx.wtxid(sha256)) }
    if (test?._tag !== "Acceptable") {
      const rule = test?._tag === "Rejected" ? test.rule : "missing-inputs"
      return { ...ids, allowed: false, "reject-reason": rule, "reject-details": rule }
    }
    const { fee, vsize } = test
    if (isTooMuch(fee, vsize, rate)) return { ...ids, allowed: false, "reject-reason": "max-fee-exceeded" }
    const effective = fee === undefined ? undefined : amount(Math.floor((1000 * fee) / vsize))
    const fees = {
      base: fee === undefined ? undefined : amount(fee),
      "effective-feerate": effective,
      "effective-includes": [ids.wtxid]
    }
    return { ...ids, allowed: true, vsize, fees }
  })

const testmempoolaccept = method({
  name: "testmempoolaccept",
  category: "rawtransactions",
  about:
    "Returns whether the pool would take these transactions, each by itself: one that spends another of them lacks it. No scripts are verified.",
  params: [
    required("rawtxs", kind.arrayOf(required("rawtx", kind.string, "A transaction's bytes")), "At most 25"),
    maxfeerate
  ],
  result: result.array(
    "One for each",
    result.object("", {
      txid: result.hex("The transaction id"),
      wtxid: result.hex("With its witness"),
      allowed: result.boolean("Whether it would be taken"),
      vsize: result.optional(result.number("Its bytes as they count for fees")),
      fees: result.optional(
        result.object("", {
          base: result.optional(result.amount("Missing where what is spent is not known to this node")),
          "effective-feerate": result.optional(result.amount("For 1,000 bytes")),
          "effective-includes": result.array("Whose fees count", result.hex("With its witness"))
        })
      ),
      "reject-reason": result.optional(result.string("Why not")),
      "reject-details": result.optional(result.string("The same, where the pool says so"))
    })
  ),
  examples: [[["rawtx"]]],
  run: ({ maxfeerate, rawtxs }) =>
    withNode((context) =>
      Effect.gen(function* () {
        if (rawtxs.length === 0 || rawtxs.length > MAX_PACKAGE) {
          const message = `Array must contain between 1 and ${MAX_PACKAGE} transactions.`
          return yield* rpcError("INVALID_PARAMETER", message)
        }
        const rate = yield* checkedRate(maxfeerate)
        yield* poolTotals(context)
        return yield* Effect.forEach(rawtxs, (hex) =>
          Effect.flatMap(
            readTransactionHex(hex, `TX decode failed: ${hex} Make sure the tx has at least one input.`),
            (tx) => testOne(tx, rate, context)
          )
        )
      })
    )
})

export const rawTransactionMethods: ReadonlyArray<Method<NodeContext>> = [
  getrawtransaction,
  decoderawtransaction,
  createrawtransaction,
  sendrawtransaction,
  testmempoolaccept
]
