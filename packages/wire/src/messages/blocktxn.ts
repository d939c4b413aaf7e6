import type { BlockHash, TransactionView } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_INDEXES } from "../DifferentialIndexes.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"
import { readTransactionList, transactionListSize, writeTransactionList } from "../TransactionList.ts"

/** The transactions that a `getblocktxn` asked for, in its order (BIP-0152). */
export interface BlockTxn {
  readonly _tag: "blocktxn"
  readonly blockHash: BlockHash
  readonly transactions: ReadonlyArray<TransactionView>
}

export const blocktxn: Codec<BlockTxn> = defineCodec<BlockTxn>({
  command: "blocktxn",
  shortId: 3,
  spec: "BIP-0152",
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  // Core has no limit but the payload's; nobody can ask for more.
  overLimit: "ignore",
  size: (m) => 32 + transactionListSize(m.transactions),
  encode(w, m) {
    w.raw(m.blockHash)
    writeTransactionList(w, m.transactions)
  },
  decode: (r) => ({
    _tag: "blocktxn",
    blockHash: r.view(32, "block hash") as BlockHash,
    transactions: readTransactionList(r, MAX_INDEXES)
  })
})
