export { HeadersRefused } from "@satwire/header-stream/effect"
export type { BlockPlace, BlockStep } from "@satwire/block-stream"
export { type BlockStreamError, BlockUnavailable, UnknownPlace } from "@satwire/block-stream/effect"
export { BYTES_AFTER_END } from "./Connections.ts"
export {
  type ExportFault,
  HeaderFileBroken,
  HeaderFileEmpty,
  HeaderFileExists,
  HeaderFileForeign,
  HeaderFileTorn,
  HeaderFileUnreadable,
  HeaderFileUnwritable,
  type ImportFault
} from "./HeaderFileError.ts"
export {
  type ExportOptions,
  type Exported,
  HEADERS_AT_A_TIME,
  type ImportOptions,
  type Imported,
  SKELETON_SPACING,
  exportHeaders,
  exportSkeleton,
  importHeaders
} from "./HeaderFiles.ts"
export { BLOCK_BYTES_WAITING, MIN_BLOCKS_TO_KEEP } from "./KeptBlocks.ts"
export { HEADER_BYTES_WAITING } from "./KeptHeaders.ts"
export { Node, type NodeStartError, makeNode } from "./Node.ts"
export { FACTS_KEPT, FACTS_REPLAYED, type NodeFailure, type NodeShape } from "./NodeShape.ts"
export type { EdgeFact, GivenUpBecause, NodeFact } from "./NodeFact.ts"
export { layerOnDisk } from "./OnDisk.ts"
export type { AddressOptions, BlockOptions, NodeOptions } from "./NodeOptions.ts"
export { DEFAULT_MAX_INBOUND } from "@satwire/node-core"
