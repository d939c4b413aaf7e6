export { type ConnectionKind, type Direction, KIND_RULES, type KindRules, directionOf } from "./ConnectionKind.ts"
export { type DisconnectCost, type PeerDisconnectReason, describePeerDisconnect } from "./DisconnectReason.ts"
export { type Action, HANDSHAKE, type ModeTag, actionFor, handshakeDiagram } from "./Handshake.ts"
export { FAULTS, FORGIVEN, type Fault, type FaultCost } from "./Faults.ts"
export type { MessageWatch, WatchedMessage } from "./MessageWatch.ts"
export { whyNotPermitted } from "./Negotiation.ts"
export { ANNOUNCEMENT_BYTES_WAITING, type HistoricAllowance, type Subject } from "./Outgoing.ts"
export { FRAMES_PER_TURN, MAX_FEATURES_KEPT, MAX_SEND_BUFFER_BYTES, Peer, REPLY_BYTES_PER_TURN } from "./Peer.ts"
export type { Reconciliation } from "./Reconciliation.ts"
export type { OwnDescription, PeerIdentity, PeerInfo, PeerInput, PeerOutput, PeerSnapshot } from "./PeerEvents.ts"
export {
  ADDR_FETCH_TIMEOUT_MS,
  DEFAULT_PEER_CONNECT_TIMEOUT_MS,
  PING_INTERVAL_MS,
  type Patience,
  PRIVATE_BROADCAST_LIFETIME_MS,
  TIMEOUT_INTERVAL_MS,
  USUAL_PATIENCE,
  V2_ANSWER_TIMEOUT_MS
} from "./Timeouts.ts"
export type { TrafficCount, TrafficLabel, TrafficSnapshot } from "./Traffic.ts"
