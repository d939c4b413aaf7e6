/**
 * The header stream as an Effect service. It is a door of its own, because it takes a store, and so what a page has not: the session alone
 * runs anywhere.
 */
export {
  type HeaderPlace,
  type HeaderRun,
  MAX_CHANGE_HEADERS,
  type ServingFault,
  type TipChange
} from "@satwire/header-stream"
export type { Tip } from "@satwire/header-sync"
export { HEADERS_UNTOLD, HeadersRefused } from "@satwire/header-stream/effect"
export { DEFAULT_SESSIONS_AT_ONCE, DEFAULT_TRIES, HEADER_BYTES_UNSTORED } from "./Following.ts"
export {
  type HeaderStream,
  type HeaderStreamError,
  type HeaderStreamOptions,
  type HeaderStreamSnapshot,
  headerStream
} from "./HeaderStream.ts"
export { HeaderUnknown, NoPeerServes, type SpentPeer, type StreamPeerFault } from "./StreamError.ts"
export type { StreamPeer } from "./StreamPeers.ts"
