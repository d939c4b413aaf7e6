/**
 * Transactions that are in no mempool and may be in the next block all the same: those that another has replaced, and those that were not
 * let in. A ring, in which the newest takes the place of the oldest.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`AddToCompactExtraTransactions`, `vExtraTxnForCompact`).
 */
import { ID_BYTES } from "@satwire/crypto"
import type { TransactionView, Wtxid } from "@satwire/primitives"
import type { TransactionPool } from "./TransactionPool.ts"

/**
 * Bitcoin Core's `DEFAULT_BLOCK_RECONSTRUCTION_EXTRA_TXN`.
 *
 * @limit transactions beside the mempool that are kept to rebuild blocks
 */
export const MAX_EXTRA_TRANSACTIONS = 100
/**
 * Bitcoin Core takes none that needs more memory.
 *
 * @limit bytes from which on such a transaction is not kept
 */
export const EXTRA_TRANSACTION_BYTES = 100_000

export class ExtraTransactions implements TransactionPool {
  readonly wtxids: Uint8Array = new Uint8Array(ID_BYTES * MAX_EXTRA_TRANSACTIONS)
  readonly #transactions: Array<TransactionView> = []
  #next = 0

  get count(): number {
    return this.#transactions.length
  }

  transaction(slot: number): TransactionView {
    return this.#transactions[slot] as TransactionView
  }

  /** Takes a copy of a transaction in. */
  add(tx: TransactionView, wtxid: Wtxid): void {
    if (tx.bytes.length >= EXTRA_TRANSACTION_BYTES) return
    this.#transactions[this.#next] = tx.copied()
    this.wtxids.set(wtxid, ID_BYTES * this.#next)
    this.#next = (this.#next + 1) % MAX_EXTRA_TRANSACTIONS
  }
}
