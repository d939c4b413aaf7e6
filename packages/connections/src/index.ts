export { type Ban, BanList, DEFAULT_BAN_SECONDS, type KeptBan, MAX_BANS } from "./BanList.ts"
export { DISCOURAGED_REMEMBERED, Discouraged } from "./Discouraged.ts"
export {
  type EvictionCandidate,
  PROTECTED_BY_BLOCKS,
  PROTECTED_BY_BLOCKS_ALONE,
  PROTECTED_BY_NETGROUP,
  PROTECTED_BY_PING,
  PROTECTED_BY_TRANSACTIONS,
  selectToEvict
} from "./Eviction.ts"
export {
  type Permission,
  type PermissionRule,
  type RuleDirection,
  formatPermissionRule,
  type SocketRule,
  parsePermissionRule,
  parsePermissions,
  permissionsAt,
  permissionsOf
} from "./Permissions.ts"
export { type Subnet, containsHost, formatSubnet, parseSubnet, subnetOf } from "./Subnet.ts"
export { UPLOAD_CYCLE_MS, UploadTarget } from "./UploadTarget.ts"
export {
  ConnectionManager,
  type ConnectionManagerOptions,
  MAX_ADDR_FETCHES,
  MAX_ANCHORS,
  MAX_WAITING_DIALS,
  OPEN_INTERVAL_MS
} from "./ConnectionManager.ts"
export type {
  AddressBook,
  ConnectionsInput,
  ConnectionsOutput,
  DialId,
  DialKind,
  Drawn,
  Groups,
  LetGo,
  MostChosen,
  PeerDeeds,
  Refusal,
  SlotEnd,
  SlotKind,
  SlotSnapshot,
  UploadLeft
} from "./ConnectionsEvents.ts"
export { EXTRA_PEER_CHECK_INTERVAL_MS, MINIMUM_CONNECT_TIME_MS } from "./ExtraPeers.ts"
export {
  EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL_MS,
  EXTRA_NETWORK_PEER_INTERVAL_MS,
  FEELER_INTERVAL_MS,
  MAX_BLOCK_RELAY_ONLY_CONNECTIONS,
  MAX_FEELER_CONNECTIONS,
  MAX_OUTBOUND_FULL_RELAY_CONNECTIONS
} from "./Opening.ts"
export { FIRST_RETRY_MS, LAST_RETRY_MS } from "./Persistent.ts"
