export { type ConnectionMessenger, MAX_MESSENGER_PEERS, makeConnectionMessenger } from "./ConnectionMessenger.ts"
export { Envelopes, type EnvelopesOptions, MAX_LIFETIME_SECONDS, MAX_SEEN } from "./Envelopes.ts"
export type { OverlayFact, OverlayFault } from "./Facts.ts"
export {
  ChainStore,
  type ChainStoreShape,
  ConsensusEngine,
  type ConsensusEngineShape,
  Monitor,
  type MonitorShape,
  ValidatorManager,
  type ValidatorManagerShape,
  serveHooks
} from "./Hooks.ts"
export {
  DEFAULT_MAX_BYTES,
  type Kind,
  KindError,
  type KindOptions,
  type Method,
  RESERVED_NAMES,
  type ReservedName,
  kind,
  method,
  reservedKind
} from "./Kind.ts"
export type { Letter, Messenger, MessengerFault, MessengerHandlers, Outgoing } from "./Messenger.ts"
export { DRAINED_BYTES, DrainWaiters, Listeners, MAX_WAITING_BYTES, letterReader } from "./MessengerParts.ts"
export {
  FACTS_KEPT,
  KEPT_BYTES,
  MESSAGES_KEPT,
  Overlay,
  type OverlayOptions,
  type OverlayShape,
  type Received,
  makeOverlay
} from "./Overlay.ts"
export {
  AddressBook,
  type AddressBookShape,
  type AddressSource,
  EXCHANGE_INTERVAL_MS,
  type Found,
  MAX_BOOK_PEERS,
  MAX_BOOK_PEERS_OF_A_WAY,
  MAX_BOOK_PEERS_OF_ONE,
  type MemoryAddressBook,
  exchangePeers,
  keepFound,
  makeMemoryAddressBook,
  servePeerExchange
} from "./PeerExchange.ts"
export {
  DEFAULT_TIMEOUT_MS,
  type Handler,
  type PartsHandler,
  type PartsOptions,
  REQUEST_TYPE,
  type RequestDoorShape,
  type RequestOptions,
  WINDOW_PARTS
} from "./RequestDoor.ts"
export { Refusal, RequestError, SendError, refused } from "./RequestError.ts"
export {
  DEFAULT_CHUNK_BYTES,
  MAX_CHUNK_ENTRIES,
  type RequestStateOptions,
  type StateFailure,
  StateMethod,
  StateUnavailable,
  type StateWanted,
  requestState,
  serveState
} from "./RequestState.ts"
export { Block, MAX_BLOCK_BYTES } from "./kinds/Block.ts"
export { BlockMethod, BlockRequest } from "./kinds/BlockRequest.ts"
export { Handshake } from "./kinds/Handshake.ts"
export { NatInfo } from "./kinds/NatInfo.ts"
export { NetworkStatus, StatusMethod } from "./kinds/NetworkStatus.ts"
export { MAX_TOLD_PEERS, PeerExchange, PeersTold, type PeersWanted, type ToldPeer } from "./kinds/PeerExchange.ts"
export { Ping, PingMethod } from "./kinds/Ping.ts"
export { Proposal } from "./kinds/Proposal.ts"
export { MAX_RELAYED_BYTES, Relay } from "./kinds/Relay.ts"
export { MAX_TRANSACTION_BYTES, Transaction } from "./kinds/Transaction.ts"
export { TransactionMethod, TransactionRequest } from "./kinds/TransactionRequest.ts"
export { MAX_VALIDATORS, ValidatorSet, ValidatorSetMethod } from "./kinds/ValidatorSet.ts"
export { Vote } from "./kinds/Vote.ts"
