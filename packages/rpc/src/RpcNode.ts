/** What the methods ask of the node that they speak for, and of the process around it. */
import type { Now } from "@satwire/machine"
import type { Network } from "@satwire/netaddress"
import type { AddressDoors, ConnectionDoors } from "@satwire/node"
import type { Queries } from "@satwire/node-core"
import type { ChainParams } from "@satwire/primitives"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** What is said wherever Core says what is wrong with it, for as long as it is so. */
export const COINS_NOT_VERIFIED = "This node does not verify coins and scripts: it takes the work of miners for proof."

/** What the methods ask of a node. */
export interface NodeDoors extends ConnectionDoors, AddressDoors {
  readonly query: <Name extends keyof Queries>(name: Name) => Effect.Effect<Queries[Name]>
  /** The node's clock, which the instants in its answers are of: they count from its start. */
  readonly now: Effect.Effect<Now>
}

/** Through what a network is reached. */
export interface ProxyInUse {
  /** `host:port`. */
  readonly address: string
  /** Each connection has credentials of its own, so that Tor takes another circuit. */
  readonly randomizesCredentials: boolean
}

/** What of the log is wanted. */
export interface LogCategories {
  /** Every category, and whether it is logged. */
  readonly list: Effect.Effect<ReadonlyArray<readonly [category: string, isLogged: boolean]>>
  /** Gives whether there is such a category. */
  readonly set: (category: string, isLogged: boolean) => Effect.Effect<boolean>
}

/** Sets the time, on regtest: `MockableClock` of `runtime`. */
export interface MockClock {
  /** Holds the wall clock at this time, in seconds since 1970; 0 lets it go. */
  readonly setMockTime: (unixSeconds: number) => Effect.Effect<void>
  /** Lets deadlines come as if so much time had passed. */
  readonly elapse: (ms: number) => Effect.Effect<void>
}

export interface RpcNode {
  readonly node: NodeDoors
  readonly params: ChainParams
  /** The release of Core whose methods and fields these are, as Core counts: 10,000 for a major version, 100 for a minor one. */
  readonly version: number
  /** What is wrong with the node or the network, a sentence each; {@link COINS_NOT_VERIFIED} while it is so. */
  readonly warnings: Effect.Effect<ReadonlyArray<string>>
  readonly proxyOf: (network: Network) => ProxyInUse | undefined
  readonly log: LogCategories
  /** How long the process runs, whatever became of the clock. */
  readonly uptimeSeconds: Effect.Effect<number>
  /** How long `setban` bans where it does not say: `-bantime`. */
  readonly banSeconds: number
  /** Asks the process to end, and returns at once. */
  readonly stop: Effect.Effect<void>
  /** `undefined` where time cannot be set. */
  readonly clock: MockClock | undefined
}

const RpcBase: Context.ServiceClass<Rpc, "@satwire/rpc/Rpc", RpcNode> = Context.Service<Rpc, RpcNode>()(
  "@satwire/rpc/Rpc"
)

/** The node that methods speak for. */
export class Rpc extends RpcBase {}
