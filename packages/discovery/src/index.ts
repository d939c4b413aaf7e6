export type { AddressBook, AddressCount, AddressedPeer, KnownAddress, OwnAddress, Refusals } from "./AddressBook.ts"
export { nodeOf } from "./AddressMessages.ts"
export {
  ADDR_FETCH_TIMEOUT_MS,
  AVG_ADDRESS_BROADCAST_INTERVAL_MS,
  AVG_LOCAL_ADDRESS_BROADCAST_INTERVAL_MS,
  AddrRelay,
  type AddrRelayOptions,
  MAX_RELAYED_OF_MESSAGE
} from "./AddrRelay.ts"
export type {
  AddrRelayInput,
  AddrRelayOutput,
  AddressCounts,
  AddressFault,
  PeerReady,
  RelayKind
} from "./AddrRelayEvents.ts"
export { ANSWER_KEPT_MORE_MS, ANSWER_KEPT_MS, MAX_CACHED_ANSWERS } from "./AnswerCache.ts"
export {
  LOCAL_SCORES,
  type LocalAddress,
  LocalAddresses,
  type LocalAddressesOptions,
  type LocalOrigin,
  MAX_LOCAL_ADDRESSES
} from "./LocalAddresses.ts"
export { RELAY_PEERS, ROTATE_ADDR_RELAY_DEST_INTERVAL_S } from "./RelayTargets.ts"
export { MAX_ADDR_PROCESSING_TOKEN_BUCKET, MAX_ADDR_RATE_PER_SECOND } from "./TokenBucket.ts"
