export {
  type AnnouncedOptions,
  type AnnouncedTopic,
  type Announcement,
  FETCH_TIMEOUT_MS,
  MAX_FETCHING,
  MAX_FETCHING_OF_ONE,
  MAX_KEPT_BYTES,
  MAX_PAYLOAD_BYTES,
  type PayloadVerdict,
  announcedTopic
} from "./Announced.ts"
export { ByteReader } from "./ByteReader.ts"
export { type TopicCodec, bytesCodec, schemaCodec } from "./Codec.ts"
export {
  type EnvelopeTopicOptions,
  MAX_ENVELOPE_LIFE_SECONDS,
  type SealedEnvelope,
  envelopeTopic,
  sealedEnvelope
} from "./EnvelopeTopic.ts"
export { judgeExpiry } from "./Expiry.ts"
export { FAULT_POINTS, type FaultPoints, type GossipFact, type GossipFault, type Verdict } from "./Faults.ts"
export { MAX_FETCH_STREAMS, SERVED_BYTES_PER_SECOND } from "./Fetching.ts"
export { Gossip, type GossipShape, makeGossip, makeGossipNode } from "./Gossip.ts"
export {
  type GossipEngine,
  type GossipOptions,
  MAX_MESSAGE_BYTES,
  MAX_OUTBOUND_BYTES,
  MAX_TOPIC_BYTES_PER_PEER,
  MAX_VALIDATING,
  PEER_BYTES_PER_SECOND,
  PEER_LIMITS,
  PEER_MESSAGES_PER_SECOND,
  gossipEngine
} from "./GossipEngine.ts"
export { MAX_UNTAKEN_BYTES } from "./Outlets.ts"
export type { PeerLimits } from "@satwire/gossip-gate"
export { MAX_SEEN_IDS, SeenIds } from "./SeenIds.ts"
export { MAX_REMEMBERED } from "./Standings.ts"
export {
  type Delivered,
  MAX_TOPIC_MESSAGE_BYTES,
  MAX_WAITING_BYTES,
  MAX_WAITING_MESSAGES,
  PublishError,
  type Published,
  type Topic,
  type TopicOptions,
  VALIDATION_DEADLINE_MS
} from "./Topic.ts"
