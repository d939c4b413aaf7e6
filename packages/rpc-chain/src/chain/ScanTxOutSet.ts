/**
 * `scantxoutset`: which outputs of some scripts are not spent. There is no set of them here, so the blocks are read from the first one on, and what
 * pays to one of the scripts is kept until it is spent. It asks for all blocks of the chain.
 */
import { copyOut } from "@satwire/bytes"
import {
  type Json,
  type JsonObject,
  type Method,
  type RpcError,
  amount,
  isObject,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import type { HeaderDetails } from "@satwire/node-core"
import { BLOCK_PARTS, type BlockView, TransactionParts, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type NodeContext, type NodeContextShape, withNode } from "../NodeContext.ts"
import { inferDescriptor, readDescriptor } from "../transactions/Descriptor.ts"
import { isUnspendable } from "../transactions/ScriptAsm.ts"
import { blockOf, headerAtHeight } from "./Blocks.ts"
import { hexOf } from "../Hex.ts"

interface Found {
  readonly txid: string
  readonly vout: number
  readonly script: Uint8Array
  readonly satoshis: number
  readonly isCoinbase: boolean
  readonly header: HeaderDetails
}

/**
 * After so many transactions others have their turn: a millisecond or two.
 *
 * @limit transactions that are scanned in one go
 */
const PER_GO = 500

class OutputScan {
  /** By outpoint. */
  readonly found: Map<string, Found> = new Map()
  /** Outputs of any script that were made and not spent: how many there are in all. */
  count = 0
  readonly #scripts: ReadonlySet<string>
  readonly #lengths: ReadonlySet<number>
  readonly #parts: TransactionParts = new TransactionParts()

  constructor(scripts: ReadonlyArray<Uint8Array>) {
    this.#scripts = new Set(scripts.map(hexOf))
    this.#lengths = new Set(scripts.map(({ length }) => length))
  }

  transaction(block: BlockView, i: number, txids: Uint8Array, header: HeaderDetails): void {
    const { bytes } = block
    const parts = this.#parts.begin(bytes, block.parts[BLOCK_PARTS * i])
    while (parts.nextInput()) {
      if (i === 0) continue
      this.count--
      if (this.found.size > 0) this.found.delete(hexOf(bytes.subarray(parts.outpoint, parts.outpoint + 36)))
    }
    for (let vout = 0; parts.nextOutput(); vout++) {
      const script = bytes.subarray(parts.scriptStart, parts.scriptEnd)
      if (isUnspendable(script)) continue
      this.count++
      if (!this.#lengths.has(script.length) || !this.#scripts.has(hexOf(script))) continue
      const txid = txids.subarray(32 * i, 32 * i + 32)
      const index = new Uint8Array(4)
      new DataView(index.buffer).setUint32(0, vout, true)
      this.found.set(hexOf(txid) + hexOf(index), {
        txid: toHex(txid),
        vout,
        script: copyOut(script),
        satoshis: parts.amount,
        isCoinbase: i === 0,
        header
      })
    }
  }
}

const scriptOf = (object: Json, { params }: NodeContextShape): Effect.Effect<Uint8Array, RpcError> => {
  const text = isObject(object) ? object["desc"] : object
  if (typeof text !== "string") {
    return Effect.fail(rpcError("INVALID_PARAMETER", "Scan object needs to be either a string or an object"))
  }
  const read = readDescriptor(text, params)
  return Result.isFailure(read)
    ? Effect.fail(rpcError("INVALID_ADDRESS_OR_KEY", read.failure))
    : Effect.succeed(read.success.script)
}

const scanBlock = (scan: OutputScan, context: NodeContextShape, header: HeaderDetails): Effect.Effect<void, RpcError> =>
  Effect.gen(function* () {
    const block = yield* blockOf(context, header)
    const txids = block.txids(context.sha256)
    for (let i = 0; i < block.transactionCount; i++) {
      scan.transaction(block, i, txids, header)
      if (i % PER_GO === PER_GO - 1) yield* Effect.yieldNow
    }
    yield* Effect.yieldNow
  })

const scanned = (context: NodeContextShape, scripts: ReadonlyArray<Uint8Array>): Effect.Effect<JsonObject, RpcError> =>
  Effect.gen(function* () {
    const { node, params, scan: state } = context
    const tip = yield* node.lookup("tip")
    const scan = new OutputScan(scripts)
    // The first block's output is in no set of Core's.
    let height = 1
    for (; height <= tip.height && !state.isAborted; height++) {
      const header = yield* headerAtHeight(context, height)
      state.progress = Math.floor((100 * height) / tip.height)
      yield* scanBlock(scan, context, header)
    }
    const found = [...scan.found.values()]
    return {
      success: height > tip.height,
      txouts: scan.count,
      height: tip.height,
      bestblock: toHex(tip.hash),
      unspents: found.map(({ header, isCoinbase, satoshis, script, txid, vout }) => ({
        txid,
        vout,
        scriptPubKey: hexOf(script),
        desc: inferDescriptor(script, params),
        amount: amount(satoshis),
        coinbase: isCoinbase,
        height: header.height,
        blockhash: toHex(header.hash),
        confirmations: tip.height - header.height + 1
      })),
      total_amount: amount(found.reduce((sum, { satoshis }) => sum + satoshis, 0))
    }
  })

const start = (
  context: NodeContextShape,
  objects: ReadonlyArray<Json> | undefined
): Effect.Effect<JsonObject, RpcError> =>
  Effect.gen(function* () {
    const { scan } = context
    if (scan.progress !== undefined) {
      const message = 'Scan already in progress, use action "abort" or "status"'
      return yield* rpcError("INVALID_PARAMETER", message)
    }
    if (objects === undefined) {
      return yield* rpcError("MISC_ERROR", "scanobjects argument is required for the start action")
    }
    const scripts = yield* Effect.forEach(objects, (object) => scriptOf(object, context))
    scan.progress = 0
    scan.isAborted = false
    const ended = Effect.sync(() => {
      scan.progress = undefined
    })
    return yield* Effect.ensuring(scanned(context, scripts), ended)
  })

const UNSPENT = result.object("", {
  txid: result.hex("The transaction id"),
  vout: result.number("The output's number"),
  scriptPubKey: result.hex("Its script"),
  desc: result.string("Its descriptor"),
  amount: result.amount("Its amount"),
  coinbase: result.boolean("Whether a coinbase made it"),
  height: result.number("The height of its block"),
  blockhash: result.hex("Its block"),
  confirmations: result.number("Blocks of the chain from that one on")
})

const scantxoutset = method({
  name: "scantxoutset",
  category: "blockchain",
  about: "Reads all blocks for outputs of some scripts that are not spent. All blocks have to be here.",
  params: [
    required("action", kind.string, '"start", "abort" or "status"'),
    optional(
      "scanobjects",
      kind.arrayOf(required("scanobject", kind.json, "raw(…) or addr(…), or an object with such a desc")),
      "What is looked for"
    )
  ],
  result: [
    result.when(
      'for action = "start"',
      result.object("", {
        success: result.boolean("Whether it came to its end"),
        txouts: result.number("How many outputs of any script there are that are not spent"),
        height: result.number("The height that it came to"),
        bestblock: result.hex("The block of that height"),
        unspents: result.array("What was found", UNSPENT),
        total_amount: result.amount("Their amounts together")
      })
    ),
    result.when('for action = "abort"', result.boolean("Whether there was one")),
    result.when('for action = "status"', result.object("", { progress: result.number("Per cent") })),
    result.when('for action = "status" while there is none', result.none())
  ],
  examples: [["start", ["raw(51)"]]],
  waits: true,
  run: ({ action, scanobjects }) =>
    withNode((context): Effect.Effect<Json, RpcError> => {
      const { scan } = context
      switch (action) {
        case "start":
          return start(context, scanobjects)
        case "status":
          return Effect.succeed(scan.progress === undefined ? null : { progress: scan.progress })
        case "abort": {
          const wasThere = scan.progress !== undefined
          scan.isAborted = wasThere
          return Effect.succeed(wasThere)
        }
        default:
          return Effect.fail(rpcError("INVALID_PARAMETER", `Invalid action '${action}'`))
      }
    })
})

export const scanMethods: ReadonlyArray<Method<NodeContext>> = [scantxoutset]
