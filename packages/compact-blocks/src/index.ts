export { type CompactBlockOptions, MAX_PREFILLED_BYTES, buildCompactBlock } from "./BuildCompactBlock.ts"
export { EXTRA_TRANSACTION_BYTES, ExtraTransactions, MAX_EXTRA_TRANSACTIONS } from "./ExtraTransactions.ts"
export {
  type Begun,
  type Completed,
  PartialBlock,
  type PartialBlockOptions,
  type RebuildStats
} from "./PartialBlock.ts"
export { MAX_BUCKET_SIZE } from "./ShortIdTable.ts"
export type { TransactionPool } from "./TransactionPool.ts"
