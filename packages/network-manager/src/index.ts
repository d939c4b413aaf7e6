export { MAX_BROADCAST_BYTES, type NetworkMessage } from "./Rooms.ts"
export { NetworkError } from "./NetworkError.ts"
export { type AddPeerOptions, NetworkManager, type NetworkManagerShape } from "./NetworkManager.ts"
export { serveNetworkHooks } from "./NetworkHooks.ts"
export { NETWORK_METRICS } from "./NetworkMetrics.ts"
export {
  type AnyKind,
  MESSAGES_PER_SECOND,
  MESSAGE_BYTES_PER_SECOND,
  type NetworkOptions,
  type NodeLimits,
  PRESETS,
  type Preset
} from "./NetworkOptions.ts"
export { FACTS_KEPT, type NetworkFact } from "./NetworkState.ts"
export type { NetworkStatus } from "./NetworkStatus.ts"
export { MAX_TRIED, type NetworkPeer } from "./Peers.ts"
export { MAX_RATED_PEERS, type MessageRates } from "./RatedMessenger.ts"
export { MAX_BANS, type NetworkBehaviour, type ScoringOptions, networkPolicy } from "./Scores.ts"
export type { KindTraffic, Way } from "./Tally.ts"
