export type { HistoryEntry, Role, Standing } from "./PeerRecord.ts"
export {
  type PeerReputation,
  Reputation,
  type ReputationEvent,
  type ReputationInput,
  SWEEP_INTERVAL_MS
} from "./Reputation.ts"
export {
  type Behaviour,
  type DefaultBehaviour,
  type Factor,
  HISTORY_ENTRIES,
  MAX_PEERS,
  MAX_SCORE,
  type Misbehaviour,
  type PointFactor,
  type ReputationPolicy,
  defaultPolicy,
  misbehaviourOf,
  misbehaviourPolicy
} from "./ReputationPolicy.ts"
