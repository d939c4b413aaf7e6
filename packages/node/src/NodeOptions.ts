/** What a node is made of, as data. Where it comes from (flags, environment, a file) is the app's concern. */
import type { PermissionRule, SocketRule } from "@satwire/connections"
import type { FixedSeed, LocalOrigin, SeedEndpoint } from "@satwire/discovery"
import type { TreeBase } from "@satwire/header-sync"
import type { NetGroups, Network, NodeAddress } from "@satwire/netaddress"
import type { Roles } from "@satwire/node-core"
import type { Patience } from "@satwire/peer"
import type { ChainParams, HeaderPoint } from "@satwire/primitives"
import type { Endpoint } from "@satwire/transport"

/** How a node finds peers of its own and is found. */
export interface AddressOptions {
  /** Whether it dials addresses that nobody named; without, it only hears and tells of them. Yes where not given. */
  readonly isAutomatic?: boolean | undefined
  /** The networks that can be dialled; all where not given. */
  readonly networks?: ReadonlyArray<Network> | undefined
  /** Services without which nobody is worth a connection; blocks and witnesses, as with Core, where not given. */
  readonly wantedServices?: bigint | undefined
  /** Whether DNS seeds are asked, `"always"` needed or not; where they are needed if not given. */
  readonly dnsSeeds?: boolean | "always" | undefined
  /** Names are resolved by a proxy, so that nothing is resolved here. */
  readonly resolvesThroughProxy?: boolean | undefined
  /** Nodes to be asked for addresses while too few are known. */
  readonly seedNodes?: ReadonlyArray<SeedEndpoint> | undefined
  /** A list that was brought along. */
  readonly fixedSeeds?: ReadonlyArray<FixedSeed> | undefined
  /** Where we can be found, and how we know. */
  readonly local?: ReadonlyArray<{ readonly node: NodeAddress; readonly origin: LocalOrigin }> | undefined
  /** Whether what interfaces and peers say of where we are counts; yes where not given. */
  readonly discovers?: boolean | undefined
}

/** Which blocks a node fetches and keeps. */
export interface BlockOptions {
  /** The height of the first one; from genesis on where not given. */
  readonly from?: number | undefined
  /** Or when the first ones that are fetched were mined, in seconds since 1970, by median time past and with two hours to spare. */
  readonly fromTime?: number | undefined
  /** The height of the last one; all that come where not given. */
  readonly to?: number | undefined
  /**
   * Fetches only those that pay to one of these output scripts or spend from one, as filters of peers say (BIP-0157). Other scripts than in the
   * last run have all looked through again. `leastPeers` is how many peers' filters are compared before any is believed, 2 where not given.
   */
  readonly matching?: { readonly scripts: ReadonlyArray<Uint8Array>; readonly leastPeers?: number } | undefined
  /**
   * Old blocks go when all take more than so many bytes, with `Infinity` by `pruneBlocks` alone; the last 288 stay in any case. All are kept where
   * not given.
   */
  readonly pruneBytes?: number | undefined
  /** Whether `getdata` and `getblocks` are answered. */
  readonly serve: boolean
}

export interface NodeOptions {
  readonly params: ChainParams
  readonly roles: Omit<Roles, "blocks">
  /** Has blocks, for which a `BlockStore` has to be there; without, it follows headers alone. */
  readonly blocks?: BlockOptions | undefined
  /** Where its headers begin when they do not begin with genesis: for tests, snapshots and light clients. */
  readonly base?: TreeBase | undefined
  /**
   * Points of a chain, lowest first and at most `MAX_STRETCH_HEADERS` apart, along which headers are fetched from several peers at once. They
   * are trusted in nothing: a wrong list costs time.
   */
  readonly skeleton?: ReadonlyArray<HeaderPoint> | undefined
  /** Headers that are trusted: no chain is followed that has another one at such a height. */
  readonly trustedHeaders?: ReadonlyArray<HeaderPoint> | undefined
  /** BIP-0014, such as `/satwire:0.1.0/`. */
  readonly userAgent: string
  /** What our `version` offers. */
  readonly services: bigint
  /** Whom to keep connections to. */
  readonly connect: ReadonlyArray<Endpoint>
  /** Where to be found; port 0 takes any free one. */
  readonly listen: Endpoint | undefined
  /** Where else to be found. */
  readonly alsoListen?: ReadonlyArray<Endpoint> | undefined
  /** How many inbound connections are taken at most; more are closed at once. */
  readonly maxInbound: number
  /** Knows nodes, chooses whom to dial, and tells peers of others; without, only `connect` is dialled. */
  readonly addresses?: AddressOptions | undefined
  /** What counts as one owner's; by network where not given. */
  readonly groups?: NetGroups | undefined
  /** Who may do what others may not. */
  readonly permissions?: ReadonlyArray<PermissionRule> | undefined
  /** And who comes in at one of our own sockets. */
  readonly socketPermissions?: ReadonlyArray<SocketRule> | undefined
  /** How many bytes may be uploaded in a day; no target where not given. */
  readonly uploadTargetBytes?: number | undefined
  /** Full-relay peers that it chooses; Core's 8 where not given. */
  readonly maxFullRelay?: number | undefined
  /** Block-relay-only peers that it chooses; Core's 2 where not given. */
  readonly maxBlockRelayOnly?: number | undefined
  /** How long one attempt to connect may take. */
  readonly dialTimeoutMs: number
  /**
   * Whether the encrypted transport is spoken (BIP-0324), as with Core's `-v2transport`: with those who dial as they wish, and where this
   * node dials first that one, and v1 with those who do not know it. Yes where not given.
   */
  readonly v2transport?: boolean | undefined
  /** How long a peer may take for what, as far as it is not to be as in Core. */
  readonly patience?: Partial<Patience> | undefined
  /** How many bytes of old blocks may be sent a second, to all peers together; no bound where not given. */
  readonly historicBytesPerSecond?: number | undefined
}
