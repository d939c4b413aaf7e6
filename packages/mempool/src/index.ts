export { type BlockSelection } from "./BlockSelection.ts"
export type { Coin, CoinLookup, NextBlock } from "./CoinLookup.ts"
export { Mempool, type MempoolOptions } from "./Mempool.ts"
export {
  COINBASE_MATURITY,
  DEFAULT_INCREMENTAL_RELAY_SAT_PER_KVB,
  DEFAULT_MAX_MEMPOOL_BYTES,
  DEFAULT_MEMPOOL_EXPIRY_SECONDS,
  DEFAULT_MIN_RELAY_SAT_PER_KVB,
  MAX_REPLACEMENT_CANDIDATES,
  MAX_STANDARD_TX_SIGOPS_COST,
  MAX_STANDARD_TX_WEIGHT,
  MIN_STANDARD_TX_NONWITNESS_SIZE,
  PACKAGE_LIMIT,
  PACKAGE_SIZE_LIMIT_VB,
  TX_MAX_STANDARD_VERSION
} from "./PoolPolicy.ts"
export type { PackageTotals, PoolDetails } from "./PoolDetails.ts"
export type {
  Acceptable,
  Accepted,
  MissingInputs,
  PoolResult,
  PoolRule,
  PoolTest,
  PoolTransaction,
  Rejected
} from "./PoolResult.ts"
