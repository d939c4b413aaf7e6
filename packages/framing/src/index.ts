export { type Framing, type FramingEvent, type FramingFault } from "./Framing.ts"
export { MAX_GARBAGE_LEN } from "./Garbage.ts"
export { InboundFraming, type InboundOptions } from "./InboundFraming.ts"
export { MAX_CONTENTS_SIZE } from "./PacketReader.ts"
export type { RawMessage, Sendable } from "./RawMessage.ts"
export { V1Framing } from "./V1Framing.ts"
export type { V1Options } from "./V1Output.ts"
export {
  MAX_DECOY_BYTES,
  MAX_HANDSHAKE_BYTES,
  type V2Attempt,
  V2Framing,
  type V2Options,
  shouldRetryAsV1
} from "./V2Framing.ts"
