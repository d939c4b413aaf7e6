/**
 * What the pool takes at all, as numbers. They are Bitcoin Core 30's: its ancestor and descendant limits, which the clusters of 31 replace, and
 * its lowered fee rates (100 sat/kvB where 29 and before had 1,000).
 *
 * Source: Bitcoin Core 30.0 `policy/policy.h`, `kernel/mempool_options.h`, `txmempool.h`, `policy/rbf.h`.
 */
import { MAX_BLOCK_SIGOPS_COST } from "@satwire/consensus"

/**
 * Bitcoin Core's `DEFAULT_MAX_MEMPOOL_SIZE_MB`. What counts is the memory that is taken, not the transactions' bytes alone.
 *
 * @limit bytes of memory that the pool takes
 */
export const DEFAULT_MAX_MEMPOOL_BYTES = 300_000_000
/**
 * Bitcoin Core's `DEFAULT_MEMPOOL_EXPIRY_HOURS`.
 *
 * @limit seconds that a transaction stays in the pool
 */
export const DEFAULT_MEMPOOL_EXPIRY_SECONDS: number = 336 * 3600
/**
 * Bitcoin Core's `MAX_STANDARD_TX_WEIGHT`.
 *
 * @limit weight of a transaction that is taken into the pool
 */
export const MAX_STANDARD_TX_WEIGHT = 400_000
/** Bitcoin Core's `MIN_STANDARD_TX_NONWITNESS_SIZE`: what has 64 bytes may be two hashes of a block's tree. */
export const MIN_STANDARD_TX_NONWITNESS_SIZE = 65
/** Bitcoin Core's `TX_MAX_STANDARD_VERSION`; the least is 1. */
export const TX_MAX_STANDARD_VERSION = 3
/**
 * Bitcoin Core's `MAX_STANDARD_TX_SIGOPS_COST`.
 *
 * @limit cost of the signature operations of a transaction in the pool
 */
export const MAX_STANDARD_TX_SIGOPS_COST: number = MAX_BLOCK_SIGOPS_COST / 5
/**
 * Bitcoin Core's `DEFAULT_ANCESTOR_LIMIT` and `DEFAULT_DESCENDANT_LIMIT`, the transaction itself counted.
 *
 * @limit transactions of the pool that one depends on, and that depend on one
 */
export const PACKAGE_LIMIT = 25
/**
 * Bitcoin Core's `DEFAULT_ANCESTOR_SIZE_LIMIT_KVB` and `DEFAULT_DESCENDANT_SIZE_LIMIT_KVB`.
 *
 * @limit virtual bytes of a transaction with those that it depends on, and with those that depend on it
 */
export const PACKAGE_SIZE_LIMIT_VB = 101_000
/**
 * Bitcoin Core's `MAX_REPLACEMENT_CANDIDATES`.
 *
 * @limit transactions that one replacement takes out of the pool
 */
export const MAX_REPLACEMENT_CANDIDATES = 100
/** Bitcoin Core's `DEFAULT_MIN_RELAY_TX_FEE`. */
export const DEFAULT_MIN_RELAY_SAT_PER_KVB = 100
/** Bitcoin Core's `DEFAULT_INCREMENTAL_RELAY_FEE`: what a replacement pays above what it replaces, for its own way through the network. */
export const DEFAULT_INCREMENTAL_RELAY_SAT_PER_KVB = 100
/** Bitcoin Core's `COINBASE_MATURITY` (consensus/consensus.h): so many blocks on top, its own counted, before a coinbase may be spent. */
export const COINBASE_MATURITY = 100

/** The fee at a rate, rounded up as Core's `CFeeRate::GetFee` does. */
export const feeAt = (rateSatPerKvb: number, vsize: number): number => Math.ceil((rateSatPerKvb * vsize) / 1000)
