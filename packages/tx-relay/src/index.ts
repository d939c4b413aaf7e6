export {
  AVG_FEEFILTER_BROADCAST_INTERVAL_MS,
  DEFAULT_MIN_RELAY_TX_FEE,
  FeeFilterRounder,
  MAX_FEEFILTER_CHANGE_DELAY_MS
} from "./FeeFilters.ts"
export {
  INBOUND_INVENTORY_BROADCAST_INTERVAL_MS,
  INVENTORY_BROADCAST_MAX,
  INVENTORY_BROADCAST_TARGET,
  MAX_INV_TO_SEND,
  OUTBOUND_INVENTORY_BROADCAST_INTERVAL_MS
} from "./InventoryTrickle.ts"
export type { BloomLookup, PoolLookup, PoolTransaction } from "./PoolLookup.ts"
export { RECENT_CONFIRMED, RECENT_CONFIRMED_BLOCKS } from "./RecentlyConfirmed.ts"
export {
  GETDATA_TX_INTERVAL_MS,
  MAX_PEER_TX_ANNOUNCEMENTS,
  MAX_PEER_TX_REQUEST_IN_FLIGHT,
  NONPREF_PEER_TX_DELAY_MS,
  OVERLOADED_PEER_TX_DELAY_MS,
  RECENT_REJECTS,
  TXID_RELAY_DELAY_MS
} from "./TxDownload.ts"
export { MAX_CHECKS, MAX_GETDATA_SZ, TxRelay, type TxRelayOptions } from "./TxRelay.ts"
export type {
  PoolNotServed,
  SubmitRejected,
  SubmitResult,
  TransactionsUnwanted,
  TxPeerReady,
  TxPeerSnapshot,
  TxRelayInput,
  TxRelayMessage,
  TxRelayOutput,
  TxRelaySnapshot
} from "./TxRelayEvents.ts"
