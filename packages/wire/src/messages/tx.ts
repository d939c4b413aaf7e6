import { type TransactionView, readTransactionView } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"

/** A transaction, answering a `getdata` (BIP-0144: with its witness where the type asked for it). */
export interface Tx {
  readonly _tag: "tx"
  /** Its bytes and where its parts lie; `materialise` makes objects of them, `TransactionView.of` the view of objects. */
  readonly tx: TransactionView
}

export const tx: Codec<Tx> = defineCodec<Tx>({
  command: "tx",
  shortId: 21,
  spec: "BIP-0144",
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  size: (m) => m.tx.bytes.length,
  encode: (w, m) => w.raw(m.tx.bytes),
  decode: (r) => ({ _tag: "tx", tx: readTransactionView(r) })
})
