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
export {
  CompactBlocks,
  type CompactBlocksOptions,
  MAX_BLOCKTXN_DEPTH,
  MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK
} from "./CompactBlocks.ts"
export type { BadCompactBlock, CompactInput, CompactOutput, CompactSnapshot } from "./CompactBlocksEvents.ts"
export { MAX_CMPCTBLOCK_DEPTH } from "./CompactServing.ts"
export type { BlockRequests, HeaderLookup, PeerHasHeader } from "./ChainLookups.ts"
export { MAX_HIGH_BANDWIDTH_PEERS } from "./HighBandwidthPeers.ts"
export { MAX_PARTIAL_BLOCKS, MAX_PARTIAL_BLOCKS_PER_PEER } from "./PartialBlocks.ts"
