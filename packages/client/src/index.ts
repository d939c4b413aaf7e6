export { MESSAGES_WAITING, MESSAGE_BYTES_WAITING } from "./Inbox.ts"
export { DEFAULT_MAX_SESSIONS, type ListenOptions, listen } from "./Listen.ts"
export {
  type ConnectOptions,
  DEFAULT_USER_AGENT,
  type PeerSession,
  type SessionOptions,
  connect,
  overConnection
} from "./PeerSession.ts"
export { type SessionEndReason, SessionEnded } from "./SessionError.ts"
