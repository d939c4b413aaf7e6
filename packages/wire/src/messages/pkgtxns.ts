import type { TransactionView } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"
import { readTransactionList, transactionListSize, writeTransactionList } from "../TransactionList.ts"
import { MAX_PACKAGE_TRANSACTIONS } from "./getpkgtxns.ts"

/** Draft. The transactions that a `getpkgtxns` asked for, in its order (BIP-0331). */
export interface PkgTxns {
  readonly _tag: "pkgtxns"
  readonly transactions: ReadonlyArray<TransactionView>
}

export const pkgtxns: Codec<PkgTxns> = defineCodec<PkgTxns>({
  command: "pkgtxns",
  spec: "BIP-0331 (draft)",
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  // Nobody may ask for more, and what nobody asked for may cost the connection.
  overLimit: "disconnect",
  size: (m) => transactionListSize(m.transactions),
  encode: (w, m) => writeTransactionList(w, m.transactions),
  decode: (r) => ({ _tag: "pkgtxns", transactions: readTransactionList(r, MAX_PACKAGE_TRANSACTIONS) })
})
