/** What the pool holds and what it answers. */
import type { TransactionRule } from "@satwire/consensus"
import type { TransactionView, Txid, Wtxid } from "@satwire/primitives"

/** A transaction of the pool, as it was when it was looked up. Its bytes are a view into a piece of the pool's memory, of up to 32 KiB. */
export interface PoolTransaction {
  readonly tx: TransactionView
  readonly txid: Txid
  readonly wtxid: Wtxid
  /** Satoshis; `undefined` where the coins that it spends are not all known. */
  readonly fee: number | undefined
  readonly feeRateSatPerKvb: number | undefined
  /** When it came, in Unix seconds. */
  readonly unix: number
  /** Grows with each acceptance. */
  readonly sequence: number
}

/** Why a transaction is not taken, as Bitcoin Core names it. */
export type PoolRule =
  | TransactionRule
  | "coinbase"
  | "version"
  | "tx-size"
  | "tx-size-small"
  | "non-final"
  | "bad-txns-too-many-sigops"
  /** The very same is there. */
  | "txn-already-in-mempool"
  /** It is there with another witness. */
  | "txn-same-nonwitness-data-in-mempool"
  /** The chain has it. */
  | "txn-already-known"
  /** What it spends another transaction spends, and the fee of one of them is not known. */
  | "txn-mempool-conflict"
  /** It spends an output that a transaction of the pool does not have. */
  | "bad-txns-inputs-missingorspent"
  | "bad-txns-premature-spend-of-coinbase"
  | "bad-txns-inputvalues-outofrange"
  | "bad-txns-in-belowout"
  | "min relay fee not met"
  | "mempool min fee not met"
  | "too-long-mempool-chain"
  /** It spends what it would replace. */
  | "bad-txns-spends-conflicting-tx"
  | "replacement-adds-unconfirmed"
  | "too many potential replacements"
  | "insufficient fee"
  | "mempool full"

export interface Accepted {
  readonly _tag: "Accepted"
  readonly entry: PoolTransaction
  /** What it took the place of, as both spend the same (BIP-0125), with all that depended on it. */
  readonly replaced: ReadonlyArray<PoolTransaction>
  /** What left to make room, or as it broke a rule now that this one is known. */
  readonly evicted: ReadonlyArray<PoolTransaction>
}

export interface MissingInputs {
  readonly _tag: "MissingInputs"
  /** The transactions whose outputs it spends that neither the pool nor the chain has; each once. */
  readonly parents: ReadonlyArray<Txid>
}

export interface Rejected {
  readonly _tag: "Rejected"
  readonly rule: PoolRule
  /** Whether it might be taken with another witness, and so under the same txid. */
  readonly isWitnessMutable: boolean
  /** Whether it pays too little by itself, so that a child might pay for it (Core's `TX_RECONSIDERABLE`). */
  readonly isReconsiderable: boolean
  /** What left all the same: a transaction that came last and pays least leaves only after others that pay less. */
  readonly evicted: ReadonlyArray<PoolTransaction>
}

export type PoolResult = Accepted | MissingInputs | Rejected

/** It would be taken. */
export interface Acceptable {
  readonly _tag: "Acceptable"
  readonly txid: Txid
  readonly wtxid: Wtxid
  readonly vsize: number
  /** Satoshis; `undefined` where the coins that it spends are not all known. */
  readonly fee: number | undefined
}

export type PoolTest = Acceptable | MissingInputs | Rejected

const NONE: ReadonlyArray<PoolTransaction> = []

/** Rules that look at weight, or at fee rates, which go by weight. */
const WITNESS_MUTABLE: ReadonlySet<PoolRule> = new Set<PoolRule>([
  "tx-size",
  "min relay fee not met",
  "mempool min fee not met",
  "too-long-mempool-chain",
  "insufficient fee",
  "mempool full"
])

/** Rules that one together with a child that pays more might keep. */
const RECONSIDERABLE: ReadonlySet<PoolRule> = new Set<PoolRule>([
  "min relay fee not met",
  "mempool min fee not met",
  "insufficient fee",
  "mempool full"
])

export const rejected = (rule: PoolRule, evicted: ReadonlyArray<PoolTransaction> = NONE): Rejected => ({
  _tag: "Rejected",
  rule,
  isWitnessMutable: WITNESS_MUTABLE.has(rule),
  isReconsiderable: RECONSIDERABLE.has(rule),
  evicted
})
