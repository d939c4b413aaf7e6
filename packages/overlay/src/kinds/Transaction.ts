/** A transaction of the application's own chain. */
import * as Schema from "effect/Schema"
import { type Kind, kind } from "../Kind.ts"
import { Hash, bytesUpTo } from "./Fields.ts"

/**
 * @limit bytes of a transaction of an overlay
 */
export const MAX_TRANSACTION_BYTES = 400_000

export interface Transaction {
  readonly id: Uint8Array
  readonly bytes: Uint8Array
}

export const Transaction: Kind<Transaction> = kind(
  "transaction",
  Schema.Struct({ id: Hash, bytes: bytesUpTo(MAX_TRANSACTION_BYTES) }),
  { maxBytes: MAX_TRANSACTION_BYTES + 256 }
)
