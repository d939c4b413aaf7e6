export { type BloomFault, BloomFilters, type BloomHost } from "./BloomFilters.ts"
export {
  BlockFilters,
  type BlockFiltersHost,
  type FilterFault,
  type FiltersFact,
  type MatchingRole
} from "./BlockFilters.ts"
export {
  Blocks,
  type BlocksAnswer,
  type BlocksCommand,
  type BlocksFact,
  type BlocksHost,
  type BlocksRole,
  type ReadFor,
  type ShortBlocks
} from "./Blocks.ts"
export {
  type ChainLookups,
  type ChainTipDetails,
  type DeploymentDetails,
  type HeaderDetails,
  type LookupsGiven,
  type PoolTotals,
  type Template,
  type TemplateQuery,
  chainLookups
} from "./ChainLookups.ts"
export { Compact, type CompactFact, type CompactGiven, type CompactHost } from "./Compact.ts"
export { Manager } from "./Manager.ts"
export { RECENT_BLOCKS, RECENT_BLOCK_BYTES, RecentBlocks } from "./RecentBlocks.ts"
export {
  type ChainMove,
  type PoolSnapshot,
  type ReadyPeer,
  Transactions,
  type TransactionsFact,
  type TransactionsHost,
  type TransactionsRole
} from "./Transactions.ts"
