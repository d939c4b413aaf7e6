/** Where a miner has transactions from. The interface lives here, with its consumer; the pool of `mempool` has what it takes. */
import type { Transaction, TransactionView } from "@satwire/primitives"

export interface SelectedTransactions {
  /** As they stand in the block: parents before children. */
  readonly transactions: ReadonlyArray<Transaction | TransactionView>
  /** Satoshis that they pay together, which the coinbase claims. What is not known counts as nothing. */
  readonly fees: bigint
}

export interface TransactionSource {
  /**
   * @param maxWeight what they may weigh together
   * @param withWitness whether the block may hold witnesses
   */
  select(maxWeight: number, withWitness: boolean): SelectedTransactions
}
