/** For readers, in browsers too: what events are, and how they are read. */
export { FORMATS, type Format, decodeEvent, encodeEvent } from "./Codec.ts"
export {
  type AliveEvent,
  type BlockEvent,
  EVENTS_VERSION,
  type Json,
  type LostEvent,
  type MessageEvent,
  type MisbehaviourEvent,
  type NodeEvent,
  NodeEventSchema,
  type PeerEvent,
  type TipEvent,
  TOPICS,
  type Topic,
  type TransactionEvent
} from "./Event.ts"
export { SHOWN_BYTES, SHOWN_ITEMS, SHOWN_VALUES, messageJson, payloadJson } from "./MessageJson.ts"
