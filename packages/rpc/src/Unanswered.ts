/** Calls of Bitcoin Core's that this node cannot answer: each says why, with the code that Core fails with in the same place. */
import {
  type Category,
  type Method,
  type RpcCodeName,
  kind,
  method,
  optional,
  result,
  rpcError
} from "@satwire/json-rpc"
import { NO_COINS } from "@satwire/rpc-chain"
import * as Effect from "effect/Effect"

interface Unanswered {
  readonly name: string
  readonly category: Category
  readonly params: ReadonlyArray<string>
  readonly code: RpcCodeName
  readonly why: string
}

const NO_FILTERS = "Index is not enabled for filtertype basic"
const NO_KEYS = "This node has no keys and signs nothing"
const NO_FILE = "Unable to read or write the file: this node keeps its pool in memory alone"
const NO_PACKAGES = "This node takes transactions one by one, and no packages"

const UNANSWERED: ReadonlyArray<Unanswered> = [
  {
    name: "gettxoutsetinfo",
    category: "blockchain",
    params: ["hash_type", "hash_or_height", "use_index"],
    code: "INTERNAL_ERROR",
    why: `Unable to read UTXO set. ${NO_COINS}`
  },
  {
    name: "dumptxoutset",
    category: "blockchain",
    params: ["path", "type", "options"],
    code: "MISC_ERROR",
    why: NO_COINS
  },
  { name: "loadtxoutset", category: "blockchain", params: ["path"], code: "INTERNAL_ERROR", why: NO_COINS },
  {
    name: "getblockfilter",
    category: "blockchain",
    params: ["blockhash", "filtertype"],
    code: "MISC_ERROR",
    why: NO_FILTERS
  },
  {
    name: "scanblocks",
    category: "blockchain",
    params: ["action", "scanobjects", "start_height", "stop_height", "filtertype", "options"],
    code: "MISC_ERROR",
    why: NO_FILTERS
  },
  {
    name: "getblockfrompeer",
    category: "blockchain",
    params: ["blockhash", "peer_id"],
    code: "MISC_ERROR",
    why: "This node chooses itself of whom it asks a block"
  },
  {
    name: "preciousblock",
    category: "blockchain",
    params: ["blockhash"],
    code: "DATABASE_ERROR",
    why: "Of chains of the same work this node stays with the one that came first"
  },
  { name: "savemempool", category: "blockchain", params: [], code: "MISC_ERROR", why: NO_FILE },
  { name: "importmempool", category: "blockchain", params: ["filepath", "options"], code: "MISC_ERROR", why: NO_FILE },
  {
    name: "submitpackage",
    category: "rawtransactions",
    params: ["package", "maxfeerate", "maxburnamount"],
    code: "VERIFY_ERROR",
    why: NO_PACKAGES
  },
  {
    name: "signrawtransactionwithkey",
    category: "rawtransactions",
    params: ["hexstring", "privkeys", "prevtxs", "sighashtype"],
    code: "MISC_ERROR",
    why: NO_KEYS
  },
  {
    name: "prioritisetransaction",
    category: "mining",
    params: ["txid", "dummy", "fee_delta"],
    code: "MISC_ERROR",
    why: "This node prefers no transaction for another reason than what it pays"
  },
  {
    name: "createmultisig",
    category: "util",
    params: ["nrequired", "keys", "address_type"],
    code: "MISC_ERROR",
    why: NO_KEYS
  },
  {
    name: "generate",
    category: "hidden",
    params: [],
    code: "METHOD_NOT_FOUND",
    why: "generate\n\nhas been replaced by the -generate cli option. Refer to -help for more information.\n"
  },
  {
    name: "estimaterawfee",
    category: "hidden",
    params: ["conf_target", "threshold"],
    code: "INTERNAL_ERROR",
    why: "Fee estimation disabled"
  }
]

export const unansweredMethods: ReadonlyArray<Method<never>> = UNANSWERED.map(({ category, code, name, params, why }) =>
  method({
    name,
    category,
    about: `Not answered by this node: it fails. ${why}.`,
    params: params.map((param) => optional(param, kind.json, "As with Bitcoin Core")),
    result: result.none("Never"),
    run: () => Effect.fail(rpcError(code, why))
  })
)
