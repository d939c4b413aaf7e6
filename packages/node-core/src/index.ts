export type { AddressesRole, KnownCounts, TableCounts } from "./Addresses.ts"
export { type ConnectionsRole, DEFAULT_MAX_INBOUND } from "./ConnectionsRole.ts"
export { type DisconnectReason, describeDisconnect } from "./DisconnectReason.ts"
export { MAX_EXCHANGES_WAITING } from "./Exchanges.ts"
export { DEFAULT_MAX_RECEIVED_BYTES, NodeCore, TIMEOUTS_PER_TURN } from "./NodeCore.ts"
export type { NodeCoreOptions, NodeCoreWatch, V2Backends } from "./NodeCoreOptions.ts"
export type {
  MiningRole,
  NodeCoreCommand,
  NodeCoreFact,
  NodeCoreInput,
  NodeCoreOutput,
  PeerStatus,
  Queries,
  Roles
} from "./NodeCoreEvents.ts"
export type { OwnStatus, PeerChainDetails, PeerDetails } from "./PeerDetails.ts"
export { ROUTES, type Route } from "./Routes.ts"
export type {
  BlocksAnswer,
  BlocksCommand,
  BlocksFact,
  BlocksRole,
  ChainLookups,
  ChainTipDetails,
  DeploymentDetails,
  HeaderDetails,
  MatchingRole,
  PoolSnapshot,
  PoolTotals,
  Template,
  TemplateQuery,
  TransactionsFact,
  ShortBlocks,
  TransactionsRole
} from "@satwire/node-roles"
