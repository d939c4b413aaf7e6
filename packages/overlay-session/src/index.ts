export { decodeDelta, encodeDelta } from "./Delta.ts"
export { FRAME_HEAD_BYTES, FrameKind, FrameReader, frameOf } from "./Frame.ts"
export { Capability, type Hello, SESSION_VERSION, decodeHello, encodeHello, isProven, prove } from "./Hello.ts"
export {
  MAX_UNINTRODUCED,
  type OverlayInput,
  OverlayMachine,
  type OverlayOptions as OverlayMachineOptions,
  type OverlayOutput,
  type SessionInfo
} from "./OverlayMachine.ts"
export {
  MAX_BEHIND_BYTES,
  MAX_DIALS,
  MESSAGES_KEPT,
  type Overlay,
  type OverlayFact,
  type OverlayMessage,
  type OverlayMessageToSend,
  type OverlayOptions,
  SessionFailed,
  Unsendable,
  makeOverlay
} from "./OverlaySessions.ts"
export { COMPRESS_FROM_BYTES, type Deflate, KEPT_TYPES, MAX_KEPT_BYTES, Packer, Unpacker } from "./Packing.ts"
export { type SessionEnd, describeEnd } from "./SessionEnd.ts"
export { BEHIND_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, PING_AFTER_MS, SILENCE_TIMEOUT_MS } from "./SessionState.ts"
