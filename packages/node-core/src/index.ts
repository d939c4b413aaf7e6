export { type DisconnectReason, describeDisconnect } from "./DisconnectReason.ts"
export { NodeCore, type NodeCoreOptions, TIMEOUTS_PER_TURN } from "./NodeCore.ts"
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
export { ROUTES, type Route } from "./Routes.ts"
