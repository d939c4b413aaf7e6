/** Asks for one transaction by its id. */
import * as Schema from "effect/Schema"
import { type Kind, type Method, kind, method } from "../Kind.ts"
import { Hash } from "./Fields.ts"
import { Transaction } from "./Transaction.ts"

export interface TransactionRequest {
  readonly id: Uint8Array
}

export const TransactionRequest: Kind<TransactionRequest> = kind("transaction-request", Schema.Struct({ id: Hash }), {
  maxBytes: 128
})

export const TransactionMethod: Method<TransactionRequest, Transaction> = method(
  "transaction",
  TransactionRequest,
  Transaction
)
