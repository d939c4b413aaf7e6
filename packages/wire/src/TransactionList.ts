/** Transactions with their witnesses behind their count: what `blocktxn` and `pkgtxns` carry. */
import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"
import { type TransactionView, readTransactionView } from "@satwire/primitives"

/** The smallest transaction, of no inputs and no outputs. */
export const MIN_TRANSACTION_SIZE = 10

export const readTransactionList = (r: Reader, limit: number): ReadonlyArray<TransactionView> => {
  const transactions = new Array<TransactionView>(r.count(limit, MIN_TRANSACTION_SIZE, "transactions"))
  for (let i = 0; i < transactions.length; i++) transactions[i] = readTransactionView(r)
  return transactions
}

export const transactionListSize = (transactions: ReadonlyArray<TransactionView>): number => {
  let bytes = compactSizeLength(transactions.length)
  for (const tx of transactions) bytes += tx.bytes.length
  return bytes
}

export const writeTransactionList = (w: Writer, transactions: ReadonlyArray<TransactionView>): void => {
  w.compactSize(transactions.length)
  for (const tx of transactions) w.raw(tx.bytes)
}
