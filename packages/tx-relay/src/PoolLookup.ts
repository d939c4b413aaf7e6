/** What relay looks up: in the pool, and of the bloom filters of peers. */
import type { PeerId } from "@satwire/machine"
import type { TransactionView, Txid, Wtxid } from "@satwire/primitives"

export interface PoolTransaction {
  readonly tx: TransactionView
  readonly txid: Txid
  readonly wtxid: Wtxid
  /** `undefined` where the coins that it spends are not all known. */
  readonly feeRateSatPerKvb: number | undefined
  /** Grows with each acceptance. */
  readonly sequence: number
}

export interface PoolLookup {
  hasTxid(txid: Uint8Array): boolean
  hasWtxid(wtxid: Uint8Array): boolean
  find(wtxid: Uint8Array): PoolTransaction | undefined
  findByTxid(txid: Uint8Array): PoolTransaction | undefined
  /**
   * All in order, for the answer to `mempool`. They are gone through over several turns: what comes or goes meanwhile may be met or not, and no
   * more than that.
   */
  entries(): Iterable<PoolTransaction>
  /** What pays less is not taken. */
  readonly minFeeRateSatPerKvb: number
}

/** The bloom filters of peers (BIP-0037). The interface lives here, with its consumer. */
export interface BloomLookup {
  hasFilter(peer: PeerId): boolean
  /** Whether a transaction matches the filter of a peer, which may change by it. */
  matches(peer: PeerId, tx: TransactionView, txid: Txid): boolean
  /** What that has taken so far: elements that were looked for, and hashes of them. */
  readonly work: number
}
