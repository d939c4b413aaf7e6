export { HeadersRefused } from "@satwire/header-stream/effect"
export type { BlockPlace, BlockStep } from "@satwire/block-stream"
export { type BlockStreamError, BlockUnavailable, UnknownPlace } from "@satwire/block-stream/effect"
export type { AddedAddress, AddressDoors, MappedAddress } from "./AddressDoors.ts"
export type { ConnectionDoors } from "./ConnectionDoors.ts"
export { BYTES_AFTER_END } from "./Connections.ts"
export { BLOCK_BYTES_WAITING, MIN_BLOCKS_TO_KEEP, PrunedBefore } from "./KeptBlocks.ts"
export { HEADER_BYTES_WAITING } from "./KeptHeaders.ts"
export {
  type MessageSeen,
  type MessagesLost,
  WATCHED_BYTES_WAITING,
  WATCHED_MESSAGES_WAITING,
  type WatchedStream
} from "./Messages.ts"
export { Node, type NodeStartError, makeNode } from "./Node.ts"
export { FACTS_KEPT, FACTS_REPLAYED, type NodeFailure, type NodeShape } from "./NodeShape.ts"
export type { EdgeFact, GivenUpBecause, NodeFact } from "./NodeFact.ts"
export { layerOnDisk } from "./OnDisk.ts"
export type { AddressOptions, BlockOptions, NodeOptions } from "./NodeOptions.ts"
export { DEFAULT_MAX_INBOUND } from "@satwire/node-core"
