export { MessageRelay, type RelayInput, type RelayOutput } from "./MessageRelay.ts"
export { type Offence, describeOffence, endsSession } from "./Offence.ts"
export {
  CLEAN_UP_INTERVAL_MS,
  CLOCKS_APART_SECONDS,
  MAX_RELAY_HOPS,
  MAX_RELAY_PEERS,
  MAX_SEEN_IDS,
  MAX_TARGET_FANOUT,
  RELAY_EXPIRY_SECONDS,
  type RelayMode,
  type RelayOptions,
  type RelayRates,
  SELECTIVE_THRESHOLD,
  SIGNED_COSTS,
  type Scores,
  type Validators,
  defaultRates
} from "./RelayOptions.ts"
export { FORGIVEN_FAULTS } from "./RelayPeer.ts"
