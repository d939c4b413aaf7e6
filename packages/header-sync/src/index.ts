export { type Acceptance, acceptHeaders } from "./AcceptHeaders.ts"
export { type RunFault, claimedWork, hashRun, runFault } from "./HeaderRun.ts"
export { type ChainStart, HeadersPresync, type HeadersPresyncOptions, type PresyncOutcome } from "./HeadersPresync.ts"
export { HeaderSync, RECENT_TIP_SECONDS, STALE_AFTER_BLOCKS } from "./HeaderSync.ts"
export { type ChosenFor, MAX_PROTECTED_PEERS } from "./KeepingUp.ts"
export {
  type ChainTimeout,
  type HeaderSyncInput,
  type HeaderSyncMessage,
  type HeaderSyncOutput,
  type HeadersTimeout,
  type InvalidHeader,
  type LittleWork,
  type Snapshot,
  type Tip,
  tipOf
} from "./HeaderSyncEvents.ts"
export type { HeaderSyncOptions, HeaderSyncRoles } from "./HeaderSyncOptions.ts"
export { type ChainTip, HeaderTree, type RunWords, type TipStatus } from "./HeaderTree.ts"
export { locate, locator } from "./Locator.ts"
export {
  MAX_AHEAD_HEADERS,
  MAX_STRETCH_HEADERS,
  STRETCH_LATE_MS,
  SkeletonDownload,
  type Stretch,
  type StretchQuery,
  headerPointsOf
} from "./SkeletonDownload.ts"
export { MAX_BLOCKS_TO_ANNOUNCE } from "./Serving.ts"
export {
  CHAIN_SYNC_TIMEOUT_MS,
  HEADERS_DOWNLOAD_TIMEOUT_BASE_MS,
  HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER_MS,
  HEADERS_RESPONSE_TIME_MS,
  STALE_CHECK_INTERVAL_MS
} from "./Timeouts.ts"
export type { TreeBase } from "./TreeBase.ts"
