/** Blocks made elsewhere and here. */
import { equals, fromHex } from "@satwire/bytes"
import { MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT } from "@satwire/consensus"
import {
  type JsonObject,
  type Method,
  type RpcError,
  amount,
  defaulted,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import type { Template } from "@satwire/node-core"
import {
  BlockView,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  type Transaction,
  TransactionView,
  decodeAddress,
  headerHash,
  recognizeOutput,
  toHex,
  transactionWeight
} from "@satwire/primitives"
import {
  type NodeContext,
  type NodeContextShape,
  WORK_DOC,
  chainName,
  orDatabaseError,
  readDescriptor,
  readTransactionHex,
  real,
  targetHex,
  tipOnce,
  unixSeconds,
  withNode,
  workJson,
  hexOf
} from "@satwire/rpc-chain"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { findBlock, generate, handIn } from "./Generate.ts"

/** Bitcoin Core's `DEFAULT_MAX_TRIES` (rpc/mining.h). */
const DEFAULT_MAX_TRIES = 1_000_000
/** Bitcoin Core's `DEFAULT_BLOCK_MIN_TX_FEE`. */
const BLOCK_MIN_FEE_RATE = 1
const ANYBODY = Uint8Array.of(0x51)
const COMMITMENT_LENGTH = 38

const payee = (address: string, { params }: NodeContextShape): Effect.Effect<Uint8Array, RpcError> => {
  const script = decodeAddress(address, params)
  return Result.isFailure(script)
    ? Effect.fail(rpcError("INVALID_ADDRESS_OR_KEY", "Error: Invalid address"))
    : Effect.succeed(script.success)
}

const scriptOfDescriptor = (text: string, { params }: NodeContextShape): Effect.Effect<Uint8Array, RpcError> => {
  const read = readDescriptor(text, params)
  return Result.isFailure(read)
    ? Effect.fail(rpcError("INVALID_ADDRESS_OR_KEY", read.failure))
    : Effect.succeed(read.success.script)
}

const HASHES = result.array("Hashes of the blocks", result.hex("A block hash"))
const maxtries = defaulted("maxtries", kind.safeInteger, DEFAULT_MAX_TRIES, "How many nonces are tried")

const generated = (
  context: NodeContextShape,
  payTo: Uint8Array,
  { count, maxTries }: { readonly count: number; readonly maxTries: number }
): Effect.Effect<ReadonlyArray<string>, RpcError> =>
  Effect.map(generate(context, count, { payTo, maxTries }), (blocks) =>
    blocks.map((block) => toHex(block.hash(context.sha256)))
  )

const generatetoaddress = method({
  name: "generatetoaddress",
  category: "hidden",
  about: "Mines blocks at once, which pay to an address.",
  params: [
    required("nblocks", kind.integer, "How many blocks"),
    required("address", kind.string, "Who is paid"),
    maxtries
  ],
  result: HASHES,
  examples: [[11, "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"]],
  run: ({ address, maxtries, nblocks }) =>
    withNode((context) =>
      Effect.flatMap(payee(address, context), (payTo) =>
        generated(context, payTo, { count: nblocks, maxTries: maxtries })
      )
    )
})

const generatetodescriptor = method({
  name: "generatetodescriptor",
  category: "hidden",
  about: "Mines blocks at once, which pay to a descriptor: raw(…) or addr(…).",
  params: [
    required("num_blocks", kind.integer, "How many blocks"),
    required("descriptor", kind.string, "Who is paid"),
    maxtries
  ],
  result: HASHES,
  examples: [[11, "raw(51)"]],
  run: ({ descriptor, maxtries, num_blocks }) =>
    withNode((context) =>
      Effect.flatMap(scriptOfDescriptor(descriptor, context), (payTo) =>
        generated(context, payTo, { count: num_blocks, maxTries: maxtries })
      )
    )
})

/** A descriptor or an address. */
const outputScript = (output: string, context: NodeContextShape): Effect.Effect<Uint8Array, RpcError> =>
  scriptOfDescriptor(output, context).pipe(
    Effect.catchTag("RpcError", () => payee(output, context)),
    Effect.mapError(() => rpcError("INVALID_ADDRESS_OR_KEY", "Error: Invalid address or descriptor"))
  )

/** A transaction of the pool by its id, or one that is given whole. */
const wanted = (text: string, { node }: NodeContextShape): Effect.Effect<Transaction, RpcError> =>
  Effect.gen(function* () {
    const txid = text.length === 64 ? fromHex(text)?.reverse() : undefined
    if (txid === undefined)
      return (yield* readTransactionHex(text, `Transaction decode failed for ${text}.`)).materialise()
    const entry = yield* node.lookup("poolEntry", txid)
    return entry?.tx.materialise() ?? (yield* rpcError("INVALID_ADDRESS_OR_KEY", `Transaction ${text} not in mempool.`))
  })

const generateblock = method({
  name: "generateblock",
  category: "hidden",
  about: "Mines a block at once, with these transactions and no others. Their fees are nobody's.",
  params: [
    required("output", kind.string, "Who is paid: an address or a descriptor"),
    required(
      "transactions",
      kind.arrayOf(required("rawtx/txid", kind.string, "A transaction's bytes, or the id of one of the pool")),
      "What it holds"
    ),
    defaulted("submit", kind.boolean, true, "Whether it is taken in, or only returned")
  ],
  result: result.object("", {
    hash: result.hex("The block hash"),
    hex: result.optional(result.hex("Its bytes, where it is not taken in"))
  }),
  examples: [["raw(51)", []]],
  run: ({ output, submit, transactions }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const payTo = yield* outputScript(output, context)
        const chosen = yield* Effect.forEach(transactions, (text) => wanted(text, context))
        const found = yield* findBlock(context, { payTo, maxTries: DEFAULT_MAX_TRIES, transactions: chosen })
        if (found === undefined) return yield* rpcError("MISC_ERROR", "Failed to make block.")
        const hash = toHex(found.block.hash(context.sha256))
        if (!submit) return { hash, hex: hexOf(found.block.bytes) }
        yield* handIn(context, found.block)
        return { hash }
      })
    )
})

const readBlockHex = (hex: string): Effect.Effect<BlockView, RpcError> => {
  const bytes = fromHex(hex)
  const decoded = bytes === undefined ? undefined : Result.getOrUndefined(BlockView.decode(bytes))
  return decoded === undefined
    ? Effect.fail(rpcError("DESERIALIZATION_ERROR", "Block decode failed"))
    : Effect.succeed(decoded.value)
}

const submitblock = method({
  name: "submitblock",
  category: "mining",
  about: "Takes a block in. Returns nothing where it is part of the followed chain now, else why not (BIP-0022).",
  params: [
    required("hexdata", kind.string, "The block's bytes"),
    optional("dummy", kind.string, "Taken and not looked at", { default: "ignored" })
  ],
  result: [result.when("where it is taken", result.none()), result.when("where it is not", result.string("Why"))],
  examples: [["mydata"]],
  run: ({ hexdata }) =>
    withNode(({ node }) =>
      Effect.gen(function* () {
        const block = yield* readBlockHex(hexdata)
        return (yield* orDatabaseError(node.submitBlockAndWait(block))) ?? null
      })
    )
})

const submitheader = method({
  name: "submitheader",
  category: "mining",
  about: "Takes a header in, whose parent must be known.",
  params: [required("hexdata", kind.string, "The 80 bytes of the header")],
  result: result.none("Nothing where it is taken, else an error"),
  examples: [["aabbcc"]],
  run: ({ hexdata }) =>
    withNode(({ node, sha256 }) =>
      Effect.gen(function* () {
        const raw = fromHex(hexdata)
        if (raw === undefined || raw.length < HEADER_SIZE) {
          return yield* rpcError("DESERIALIZATION_ERROR", "Block header decode failed")
        }
        const header = raw.slice(0, HEADER_SIZE)
        const parent = header.slice(HEADER_PREVIOUS, HEADER_PREVIOUS + 32)
        if ((yield* node.lookup("header", parent)) === undefined) {
          return yield* rpcError("VERIFY_ERROR", `Must submit previous header (${toHex(parent)}) first`)
        }
        yield* node.submitHeaders(header, 1)
        const refusal = yield* node.lookup("lastRefusal")
        const isThere = (yield* node.lookup("header", headerHash(sha256, header))) !== undefined
        return isThere ? null : yield* rpcError("VERIFY_ERROR", refusal ?? "bad-header")
      })
    )
})

/** Hashes a second that the last blocks took (Core `GetNetworkHashPS`). */
const hashesPerSecond = (
  { node, params }: NodeContextShape,
  lookup: number,
  height: number | undefined
): Effect.Effect<number> =>
  Effect.gen(function* () {
    const tip = yield* node.lookup("tip")
    const last = height === undefined || height < 0 ? tip : ((yield* node.lookup("headerAt", height)) ?? tip)
    const sinceRetarget = (last.height % Math.round(params.powTargetTimespan / params.powTargetSpacing)) + 1
    const count = Math.min(last.height, lookup <= 0 ? sinceRetarget : lookup)
    if (count === 0) return 0
    const first = yield* node.lookup("headerAt", last.height - count)
    let [earliest, latest] = [last.time, last.time]
    for (let at = last.height - count; at < last.height; at++) {
      const time = (yield* node.lookup("headerAt", at))?.time ?? last.time
      earliest = Math.min(earliest, time)
      latest = Math.max(latest, time)
    }
    const work = last.chainWork - (first?.chainWork ?? last.chainWork)
    return latest === earliest ? 0 : Number(work) / (latest - earliest)
  })

const DEFAULT_LOOKUP = 120

const getnetworkhashps = method({
  name: "getnetworkhashps",
  category: "mining",
  about: "Returns how many hashes a second the last blocks took.",
  params: [
    defaulted("nblocks", kind.integer, DEFAULT_LOOKUP, "How many blocks; those since the target changed with -1"),
    defaulted("height", kind.integer, -1, "The last of them; that of the followed chain with -1")
  ],
  result: result.number("Hashes a second"),
  examples: [[]],
  run: ({ height, nblocks }) =>
    withNode((context) =>
      Effect.gen(function* () {
        if (nblocks < -1 || nblocks === 0) {
          const message = "Invalid nblocks. Must be a positive number or -1."
          return yield* rpcError("INVALID_PARAMETER", message)
        }
        const { height: most } = yield* context.node.lookup("tip")
        if (height < -1 || height > most) {
          return yield* rpcError("INVALID_PARAMETER", "Block does not exist at specified height")
        }
        return real(yield* hashesPerSecond(context, nblocks, height))
      })
    )
})

const NEXT_DOC = result.object("The block that comes next", { height: result.number("Its height"), ...WORK_DOC })

const template = ({ node }: NodeContextShape): Effect.Effect<Template> =>
  Effect.flatMap(unixSeconds, (unix) => node.lookup("template", { unix, payTo: ANYBODY, extraNonce: 0 }))

const getmininginfo = method({
  name: "getmininginfo",
  category: "mining",
  about: "Returns what a miner asks first.",
  params: [],
  result: result.object("", {
    blocks: result.number("The height of the followed chain"),
    ...WORK_DOC,
    networkhashps: result.number("Hashes a second that the last blocks took"),
    pooledtx: result.number("Transactions of the pool"),
    blockmintxfee: result.amount("The least fee of 1,000 bytes in a block"),
    chain: result.string("The network"),
    signet_challenge: result.optional(result.hex("The script that a block must satisfy, on a signet")),
    next: NEXT_DOC,
    warnings: result.array("", result.string("What its user should know"))
  }),
  examples: [[]],
  run: () =>
    withNode((context) =>
      Effect.gen(function* () {
        const { node, params } = context
        const tip = yield* node.lookup("tip")
        const next = yield* node.lookup("template", {
          unix: yield* unixSeconds,
          payTo: ANYBODY,
          extraNonce: 0,
          transactions: []
        })
        const { bits } = next.block.header
        return {
          blocks: tip.height,
          ...workJson(tip.bits),
          networkhashps: real(yield* hashesPerSecond(context, DEFAULT_LOOKUP, undefined)),
          pooledtx: (yield* node.lookup("poolTotals"))?.count ?? 0,
          blockmintxfee: amount(BLOCK_MIN_FEE_RATE),
          chain: chainName(params),
          signet_challenge: params.signetChallenge,
          next: { height: next.height, ...workJson(bits) },
          warnings: yield* context.warnings
        }
      })
    )
})

const transactionsOf = (
  { block, chosen }: Template,
  { sha256 }: NodeContextShape
): Effect.Effect<ReadonlyArray<JsonObject>> =>
  Effect.gen(function* () {
    const numbers = new Map<string, number>()
    const all: Array<JsonObject> = []
    const [, ...others] = block.transactions
    for (const [i, tx] of others.entries()) {
      const entry = chosen[i]
      const view = entry?.tx ?? TransactionView.of(tx)
      const txid = toHex(entry?.txid ?? view.txid(sha256))
      all.push({
        data: hexOf(view.bytes),
        txid,
        hash: toHex(entry?.wtxid ?? view.wtxid(sha256)),
        depends: (entry?.depends ?? []).flatMap((parent) => numbers.get(toHex(parent)) ?? []),
        fee: entry?.fee,
        sigops: entry?.sigOpsCost ?? 0,
        weight: transactionWeight(tx)
      })
      numbers.set(txid, all.length)
      if (i % 64 === 63) yield* Effect.yieldNow
    }
    return all
  })

/** The output of the coinbase that commits to witnesses. */
const commitmentOf = ({ block, hasWitness }: Template): string | undefined => {
  if (!hasWitness) return undefined
  const outputs = block.transactions[0]?.outputs ?? []
  const script = outputs.find(({ scriptPubKey }) => {
    return recognizeOutput(scriptPubKey)._tag === "op_return" && scriptPubKey.length === COMMITMENT_LENGTH
  })
  return script === undefined ? undefined : hexOf(script.scriptPubKey)
}

const templateJson = (context: NodeContextShape): Effect.Effect<JsonObject> =>
  Effect.gen(function* () {
    const made = yield* template(context)
    const { header, transactions } = made.block
    const value = transactions[0]?.outputs[0]?.amount ?? 0n
    const sequence = (yield* context.node.lookup("poolTotals"))?.lastSequence ?? 0
    return {
      capabilities: [],
      version: header.version,
      rules: made.hasWitness ? ["csv", "!segwit", "taproot"] : ["csv"],
      vbavailable: {},
      vbrequired: 0,
      previousblockhash: toHex(header.previousBlock),
      transactions: yield* transactionsOf(made, context),
      coinbaseaux: {},
      coinbasevalue: value,
      longpollid: `${toHex(header.previousBlock)}${sequence}`,
      target: targetHex(header.bits),
      mintime: made.minTime,
      mutable: ["time", "transactions", "prevblock"],
      noncerange: "00000000ffffffff",
      sigoplimit: MAX_BLOCK_SIGOPS_COST,
      sizelimit: MAX_BLOCK_WEIGHT,
      weightlimit: MAX_BLOCK_WEIGHT,
      curtime: header.time,
      bits: (header.bits >>> 0).toString(16).padStart(8, "0"),
      height: made.height,
      default_witness_commitment: commitmentOf(made)
    }
  })

const TEMPLATE_DOC = result.openObject("A template (BIP-0022, BIP-0023, BIP-0145)", {
  version: result.number("The block's version"),
  rules: result.array("Rules that hold", result.string("")),
  previousblockhash: result.hex("What it follows"),
  transactions: result.array(
    "What it holds besides its coinbase",
    result.object("", {
      data: result.hex("Its bytes"),
      txid: result.hex("The transaction id"),
      hash: result.hex("With its witness"),
      depends: result.array("Those before it, by their numbers from 1 on", result.number("")),
      fee: result.optional(result.number("Satoshis; missing where it is not known")),
      sigops: result.number("The cost of its signature operations"),
      weight: result.number("Its weight")
    })
  ),
  coinbasevalue: result.number("The most that the coinbase may pay, in satoshis"),
  longpollid: result.string("For a call that is to wait for another template"),
  target: result.hex("The target"),
  mintime: result.time("The earliest time that it may claim"),
  curtime: result.time("The time"),
  bits: result.hex("The compact form of the target"),
  height: result.number("The block's height"),
  default_witness_commitment: result.optional(result.hex("The script of the output that commits to witnesses"))
})

/** How long an old template is kept by who waits for another one while only the pool changed. */
const LONG_POLL_MS = 60_000

const mayMine = ({ node, params }: NodeContextShape): Effect.Effect<void, RpcError> =>
  Effect.gen(function* () {
    if (params.name === "regtest" || params.signetChallenge !== undefined) return
    if ((yield* node.query("peers")).length === 0) {
      return yield* rpcError("CLIENT_NOT_CONNECTED", "Bitcoin Core is not connected!")
    }
    if (!(yield* node.lookup("isNearPresent"))) {
      const message = "Bitcoin Core is in initial sync and waiting for blocks..."
      return yield* rpcError("CLIENT_IN_INITIAL_DOWNLOAD", message)
    }
  })

const getblocktemplate = method({
  name: "getblocktemplate",
  category: "mining",
  about: "Returns what a block needs that is to be mined elsewhere. Proposals are not judged: that asks for coins.",
  params: [
    required(
      "template_request",
      kind.objectOf([
        optional("mode", kind.string, "template"),
        optional("capabilities", kind.arrayOf(required("str", kind.string, "")), "Not looked at"),
        optional("rules", kind.arrayOf(required("rule", kind.string, "segwit, signet")), "What the caller knows"),
        optional("longpollid", kind.string, "Waits until there is another template than this one"),
        optional("data", kind.string, "A block, for a proposal")
      ]),
      "What is asked for"
    )
  ],
  result: TEMPLATE_DOC,
  examples: [[{ rules: ["segwit"] }]],
  waits: true,
  run: ({ template_request: { longpollid, mode = "template", rules = [] } }) =>
    withNode((context) =>
      Effect.gen(function* () {
        if (mode !== "template") return yield* rpcError("INVALID_PARAMETER", "Invalid mode")
        yield* mayMine(context)
        const asked = context.params.signetChallenge === undefined ? ["segwit"] : ["signet", "segwit"]
        const missing = asked.find((rule) => !rules.includes(rule))
        if (missing !== undefined) {
          const call = `(call with {"rules": [${asked.map((rule) => `"${rule}"`).join(", ")}]})`
          const message = `getblocktemplate must be called with the ${missing} rule set ${call}`
          return yield* rpcError("INVALID_PARAMETER", message)
        }
        const before = longpollid === undefined ? undefined : fromHex(longpollid.slice(0, 64))?.reverse()
        if (before !== undefined) yield* tipOnce(context, ({ hash }) => !equals(hash, before), LONG_POLL_MS)
        return yield* templateJson(context)
      })
    )
})

export const miningMethods: ReadonlyArray<Method<NodeContext>> = [
  generatetoaddress,
  generatetodescriptor,
  generateblock,
  submitblock,
  submitheader,
  getnetworkhashps,
  getmininginfo,
  getblocktemplate
]
