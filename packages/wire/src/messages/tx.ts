import { type Transaction, readTransaction, transactionSize, writeTransaction } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"

/** A transaction, answering a `getdata` (BIP-0144: with its witness where the type asked for it). */
export interface Tx {
  readonly _tag: "tx"
  readonly tx: Transaction
}

export const tx: Codec<Tx> = defineCodec<Tx>({
  command: "tx",
  shortId: 21,
  spec: "BIP-0144",
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  size: (m) => transactionSize(m.tx),
  encode: (w, m) => writeTransaction(w, m.tx),
  decode: (r) => ({ _tag: "tx", tx: readTransaction(r) })
})
