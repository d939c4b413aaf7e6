export {
  type BlockPlace,
  type BlockTopic,
  type BlockTopicOptions,
  type GossipedBlock,
  MAX_BLOCK_BYTES,
  blockTopic
} from "./BlockTopic.ts"
export { FeeQueue, type QueuedTransaction } from "./FeeQueue.ts"
export { MAX_SYNC_IDS, MAX_SYNC_TRANSACTIONS, SYNC_TIMEOUT_MS, type Synchronized } from "./Synchronizing.ts"
export {
  type Fee,
  MAX_QUEUE_BYTES,
  MAX_TRANSACTION_WEIGHT,
  TRANSACTIONS_AT_ONCE,
  TRANSACTIONS_PER_SECOND,
  type TransactionLookup,
  type TransactionTopic,
  type TransactionTopicOptions,
  transactionTopic
} from "./TransactionTopic.ts"
