/** How a call fails: a code of Bitcoin Core's, which programs know, and a sentence for people. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type { Json } from "./Json.ts"

/** The codes of Bitcoin Core `src/rpc/protocol.h`, by its names without `RPC_`. Those of wallets are not here. */
export const RPC_CODES = {
  /** JSON-RPC 2.0's own. */
  INVALID_REQUEST: -32_600,
  METHOD_NOT_FOUND: -32_601,
  INVALID_PARAMS: -32_602,
  INTERNAL_ERROR: -32_603,
  PARSE_ERROR: -32_700,

  /** Anything that has no code of its own; also a wrong number of arguments, with the help as its text. */
  MISC_ERROR: -1,
  /** An argument of the wrong JSON type, or an amount that is none. */
  TYPE_ERROR: -3,
  /** An address, key, hash or id that is wrong or that nobody knows. */
  INVALID_ADDRESS_OR_KEY: -5,
  OUT_OF_MEMORY: -7,
  /** An argument whose value is not allowed, or given twice. */
  INVALID_PARAMETER: -8,
  DATABASE_ERROR: -20,
  /** Bytes that are no block, transaction or script. */
  DESERIALIZATION_ERROR: -22,
  VERIFY_ERROR: -25,
  /** The rules of the network or of this node refuse it. */
  VERIFY_REJECTED: -26,
  VERIFY_ALREADY_IN_UTXO_SET: -27,
  IN_WARMUP: -28,
  METHOD_DEPRECATED: -32,

  CLIENT_NOT_CONNECTED: -9,
  CLIENT_IN_INITIAL_DOWNLOAD: -10,
  CLIENT_NODE_ALREADY_ADDED: -23,
  CLIENT_NODE_NOT_ADDED: -24,
  CLIENT_NODE_NOT_CONNECTED: -29,
  CLIENT_INVALID_IP_OR_SUBNET: -30,
  CLIENT_P2P_DISABLED: -31,
  CLIENT_MEMPOOL_DISABLED: -33,
  CLIENT_NODE_CAPACITY_REACHED: -34
} as const

export type RpcCodeName = keyof typeof RPC_CODES

interface RpcErrorFields {
  readonly code: number
  readonly message: string
  /** More for programs, as JSON-RPC 2.0 allows; Core sends none. */
  readonly data?: Json
}

const RpcErrorBase: new (
  fields: RpcErrorFields
) => Cause.YieldableError & { readonly _tag: "RpcError" } & RpcErrorFields = Data.TaggedError("RpcError")

/** What a caller is told in place of a result. */
export class RpcError extends RpcErrorBase {}

/** The error of a code by its name: `rpcError("INVALID_PARAMETER", "Block height out of range")`. */
export const rpcError = (code: RpcCodeName, message: string): RpcError =>
  new RpcError({ code: RPC_CODES[code], message })
