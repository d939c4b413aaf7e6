/** Transactions with their witnesses behind their count: what `blocktxn` and `pkgtxns` carry. */
import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"
import { type Transaction, readTransaction, transactionSize, writeTransaction } from "@satwire/primitives"

/** The smallest transaction, of no inputs and no outputs. */
const MIN_TRANSACTION_SIZE = 10

export const readTransactionList = (r: Reader, limit: number): ReadonlyArray<Transaction> => {
  const transactions = new Array<Transaction>(r.count(limit, MIN_TRANSACTION_SIZE, "transactions"))
  for (let i = 0; i < transactions.length; i++) transactions[i] = readTransaction(r)
  return transactions
}

export const transactionListSize = (transactions: ReadonlyArray<Transaction>): number => {
  let bytes = compactSizeLength(transactions.length)
  for (const tx of transactions) bytes += transactionSize(tx)
  return bytes
}

export const writeTransactionList = (w: Writer, transactions: ReadonlyArray<Transaction>): void => {
  w.compactSize(transactions.length)
  for (const tx of transactions) writeTransaction(w, tx)
}
