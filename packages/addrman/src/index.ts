export {
  AddrMan,
  type AddrManOptions,
  type AddressInfo,
  type Answer,
  type Candidate,
  GETADDR_MAX,
  GETADDR_MAX_PCT,
  type KnownAddress,
  type Place,
  type Restored
} from "./AddrMan.ts"
export {
  CONNECTED_UPDATE_S,
  GOSSIP_TIME_PENALTY_S,
  HORIZON_S,
  MAX_FAILURES,
  MIN_FAIL_S,
  REPLACEMENT_S,
  RETRIES,
  SET_TRIED_COLLISION_SIZE,
  TEST_WINDOW_S
} from "./AddressRules.ts"
export {
  BUCKET_SIZE,
  Bucketing,
  KEY_LENGTH,
  NEW_BUCKETS_PER_SOURCE_GROUP,
  NEW_BUCKET_COUNT,
  TRIED_BUCKETS_PER_GROUP,
  TRIED_BUCKET_COUNT
} from "./Bucketing.ts"
export { MAX_ENTRIES, NEW_BUCKETS_PER_ADDRESS } from "./Entries.ts"
export type { Lost } from "./KeptRow.ts"
export { SERVICE_DRAWS, type Selection } from "./Selecting.ts"
export type { AddrManSnapshot } from "./Snapshot.ts"
export type { Table } from "./Tables.ts"
