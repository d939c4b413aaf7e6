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
export { type Permission, type PermissionRule, parsePermissionRule, permissionsOf } from "./Permissions.ts"
export { type Subnet, containsHost, formatSubnet, parseSubnet, subnetOf } from "./Subnet.ts"
export { UPLOAD_CYCLE_MS, UploadTarget } from "./UploadTarget.ts"
