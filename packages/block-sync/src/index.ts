export {
  type DownloadBounds,
  LIMITED_BLOCKS,
  MAX_ASKED_FOR_BLOCK,
  MAX_BYTES_UNDER_WAY,
  MAX_LACKING
} from "./BlockDownload.ts"
export { BLOCK_DOWNLOAD_WINDOW } from "./BlockWindow.ts"
export { MAX_BLOCKS_INV } from "./BlockServing.ts"
export { BlockSync, type BlockSyncOptions } from "./BlockSync.ts"
export type {
  BadBlock,
  BlockStalling,
  BlockSyncInput,
  BlockSyncMessage,
  BlockSyncOutput,
  BlockTimeout,
  BlocksSnapshot,
  BloomLookup,
  CompactLookup,
  NotServed
} from "./BlockSyncEvents.ts"
export { BlockTree, type Move } from "./BlockTree.ts"
export type { HeaderLookup, Locate, PeerChains } from "./ChainLookups.ts"
export { MAX_BLOCKS_IN_TRANSIT_PER_PEER } from "./PeerBlocks.ts"
export {
  BLOCK_DOWNLOAD_TIMEOUT_BASE_MS,
  BLOCK_DOWNLOAD_TIMEOUT_PER_PEER_MS,
  BLOCK_STALLING_TIMEOUT_DEFAULT_MS,
  BLOCK_STALLING_TIMEOUT_MAX_MS
} from "./Timeouts.ts"
export { WantedBlocks, type WantedRange } from "./WantedBlocks.ts"
