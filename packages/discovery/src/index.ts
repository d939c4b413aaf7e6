export type { AddressBook, AddressCount, AddressedPeer, KnownAddress, OwnAddress, Refusals } from "./AddressBook.ts"
export { addressesOf, nodeOf } from "./AddressMessages.ts"
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
export { MAX_ADDR_PROCESSING_TOKEN_BUCKET, MAX_ADDR_RATE_PER_SECOND } from "./RelayPeer.ts"
export {
  ADD_NEXT_SEEDNODE_MS,
  DNSSEEDS_DELAY_FEW_PEERS_MS,
  DNSSEEDS_DELAY_MANY_PEERS_MS,
  DNSSEEDS_DELAY_PEER_THRESHOLD,
  DNSSEEDS_TO_QUERY_AT_ONCE,
  FIRST_RETRY_MS,
  FIXED_SEEDS_DELAY_MS,
  MAX_ADDRESSES_OF_SEED,
  MAX_FIXED_SEEDS_OF_NETWORK,
  MAX_RETRY_MS,
  SEEDNODE_TIMEOUT_MS,
  SEED_ANSWER_TIMEOUT_MS,
  SEED_OUTBOUND_CONNECTION_THRESHOLD,
  SEED_SERVICES,
  Seeding,
  type SeedingOptions
} from "./Seeding.ts"
export {
  type FetchReason,
  type FixedSeed,
  type SeedEndpoint,
  type SeedingCommand,
  type SeedingFact,
  type SeedingInput,
  type SeedingOutput,
  type SeedingTried,
  describeSeeding
} from "./SeedingEvents.ts"
export {
  type KeptSeed,
  MAX_SEEDS_IN_FILE,
  type SeedLine,
  type SeedsFileFault,
  parseSeedsFile,
  seedLine
} from "./SeedsFile.ts"
export {
  CRAWL_GROUP_PAUSE_MS,
  CrawlFrontier,
  type CrawlFrontierOptions,
  type CrawlStep,
  type CrawlTarget,
  MAX_CRAWLED_NODES
} from "./CrawlFrontier.ts"
