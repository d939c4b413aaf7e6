export { type DuplexOptions, StreamFailed, type WebStreams, connectionOver, duplexOf } from "@satwire/framing/effect"
export { MESSAGES_WAITING, MESSAGE_BYTES_WAITING } from "./Inbox.ts"
export { DEFAULT_MAX_SESSIONS, type ListenOptions, listen } from "./Listen.ts"
export {
  type ConnectOptions,
  DEFAULT_REQUEST_TIMEOUT_MS,
  DEFAULT_USER_AGENT,
  type PeerSession,
  type RequestError,
  type SessionOptions,
  connect,
  overConnection,
  overDuplex
} from "./PeerSession.ts"
export { RequestFailed, type RequestFault } from "./Request.ts"
export { MAX_BLOCKS_ASKED, MAX_TRANSACTIONS_ASKED } from "./Requests.ts"
export type { SessionState } from "./Session.ts"
export { MessageNotPermitted, type SessionEndReason, SessionEnded } from "./SessionError.ts"
