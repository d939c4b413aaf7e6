export {
  type KeptOrphan,
  MAX_ORPHANAGE_LATENCY_SCORE,
  MAX_STANDARD_TX_WEIGHT,
  type NamedTransaction,
  Orphanage,
  RESERVED_ORPHAN_WEIGHT_PER_PEER
} from "./Orphanage.ts"
export { type Spends, spendsOf } from "./Outpoints.ts"
export { type Judge, TxRequestTracker, type Verdict } from "./TxRequestTracker.ts"
