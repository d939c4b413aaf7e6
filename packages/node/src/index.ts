export { HeadersRefused } from "@satwire/header-stream/effect"
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
export { HEADER_BYTES_WAITING } from "./KeptHeaders.ts"
export {
  FACTS_KEPT,
  FACTS_REPLAYED,
  Node,
  type NodeFailure,
  type NodeShape,
  type NodeStartError,
  makeNode
} from "./Node.ts"
export type { EdgeFact, GivenUpBecause, NodeFact } from "./NodeFact.ts"
export { layerOnDisk } from "./OnDisk.ts"
export type { AddressOptions, NodeOptions } from "./NodeOptions.ts"
export { DEFAULT_MAX_INBOUND } from "@satwire/node-core"
