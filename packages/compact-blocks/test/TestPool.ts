/** A pool of the transactions of blocks and of others that nobody looks for, hashes side by side as a mempool has them. */
import { concat } from "@satwire/bytes"
import { type Sha256, portableSha256 } from "@satwire/crypto"
import type { TransactionView } from "@satwire/primitives"
import type { TransactionPool } from "../src/index.ts"

export class TestPool implements TransactionPool {
  readonly wtxids: Uint8Array
  readonly txids: Uint8Array | undefined
  readonly #transactions: ReadonlyArray<TransactionView>

  constructor(transactions: ReadonlyArray<TransactionView>, hasTxids: boolean = true, sha256: Sha256 = portableSha256) {
    this.#transactions = transactions
    this.wtxids = concat(transactions.map((tx) => tx.wtxid(sha256)))
    this.txids = hasTxids ? concat(transactions.map((tx) => tx.txid(sha256))) : undefined
  }

  get count(): number {
    return this.#transactions.length
  }

  transaction(slot: number): TransactionView {
    return this.#transactions[slot] as TransactionView
  }
}
