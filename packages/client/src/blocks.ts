/** The block stream as an Effect service. It is a door of its own, because it takes a store for its headers, and so what a page has not. */
export {
  type BlockPlace,
  type BlockServingFault,
  type BlockStep,
  type BlockStreamProgress,
  DEFAULT_BLOCK_BYTES_AHEAD,
  MAX_BLOCKS_AHEAD,
  type StreamStart
} from "@satwire/block-stream"
export { UnknownPlace } from "@satwire/block-stream/effect"
export type { Tip } from "@satwire/header-sync"
export { HeadersRefused } from "@satwire/header-stream/effect"
export {
  type BlockStream,
  type BlockStreamError,
  type BlockStreamOptions,
  type BlockStreamSnapshot,
  blockStream
} from "./BlockStream.ts"
export { NoPeerServes, type SpentPeer, type StreamPeerFault } from "./StreamError.ts"
export type { StreamPeer } from "./StreamPeers.ts"
