/** What a node's connection manager is made of, as far as a node of that kind chooses it, and what of it the node's other parts give. */
import { BanList, type ConnectionManagerOptions, type PermissionRule, type SocketRule } from "@satwire/connections"
import type { Now, Random } from "@satwire/machine"
import { NETWORKS, NetGroups, type Network, type NodeAddress } from "@satwire/netaddress"
import { NODE_NETWORK, NODE_NETWORK_LIMITED, NODE_P2P_V2, NODE_WITNESS } from "@satwire/wire"
import type { AddressesRole } from "./Addresses.ts"
import type { HeaderTree } from "@satwire/header-sync"

/** Bitcoin Core's `DEFAULT_MAX_PEER_CONNECTIONS` less its eleven outbound ones (net.h). */
export const DEFAULT_MAX_INBOUND = 114
/** Core's `NODE_NETWORK_LIMITED_ALLOW_CONN_BLOCKS`: so near to the present a node that keeps no old blocks will do. */
const LIMITED_ALLOW_CONN_BLOCKS = 144
const BLOCK_INTERVAL_S = 600

export interface ConnectionsRole {
  readonly maxInbound: number
  /** Whether addresses are dialled that nobody named, where any are known (`roles.addresses`); yes where not given. */
  readonly isAutomatic?: boolean | undefined
  /** What counts as one owner's; by network where not given. */
  readonly groups?: NetGroups | undefined
  /** The networks that can be dialled; all where not given. */
  readonly networks?: ReadonlyArray<Network> | undefined
  readonly maxFullRelay?: number | undefined
  readonly maxBlockRelayOnly?: number | undefined
  readonly permissions?: ReadonlyArray<PermissionRule> | undefined
  readonly socketPermissions?: ReadonlyArray<SocketRule> | undefined
  readonly bans?: BanList | undefined
  /** Block-relay-only peers of the last run. */
  readonly anchors?: ReadonlyArray<NodeAddress> | undefined
  /** How many bytes may be uploaded in a day; no target where not given. */
  readonly uploadTargetBytes?: number | undefined
  /** Services without which nobody is worth a connection that we choose; blocks and witnesses, as with Core, where not given. */
  readonly wantedServices?: bigint | undefined
  /** What is wanted beside that; nothing where not given. */
  readonly moreServices?: bigint | undefined
}

/** Of a node that was told nothing: whom it is told to dial is good enough. */
export const DEFAULT_CONNECTIONS_ROLE: ConnectionsRole = { maxInbound: DEFAULT_MAX_INBOUND, wantedServices: 0n }

export const managerOptions = (
  role: ConnectionsRole,
  addresses: AddressesRole | undefined,
  given: { readonly tree: HeaderTree; readonly random: Random }
): ConnectionManagerOptions & { readonly groups: NetGroups } => ({
  ...role,
  book: role.isAutomatic === false ? undefined : addresses?.book,
  isOwn: (node) => addresses?.own.has(node) === true,
  random: given.random.fork(),
  groups: role.groups ?? new NetGroups(),
  networks: role.networks ?? NETWORKS.map(({ network }) => network),
  bans: role.bans ?? new BanList(),
  wants: (services, now) => {
    const wanted = (role.wantedServices ?? desirableServices(services, given.tree, now)) | (role.moreServices ?? 0n)
    return (services & wanted) === wanted
  },
  // Core's `MayHaveUsefulAddressDB`.
  mayKnowAddresses: (services) =>
    role.wantedServices === 0n || (services & (NODE_NETWORK | NODE_NETWORK_LIMITED)) !== 0n,
  speaksV2: (services) => (services & NODE_P2P_V2) !== 0n
})

/** Core's `GetDesirableServiceFlags`. */
const desirableServices = (services: bigint, tree: HeaderTree, now: Now): bigint => {
  const isNear = now.unix - tree.time(tree.best) < LIMITED_ALLOW_CONN_BLOCKS * BLOCK_INTERVAL_S
  const isLimited = (services & NODE_NETWORK_LIMITED) !== 0n
  return NODE_WITNESS | (isNear && isLimited ? NODE_NETWORK_LIMITED : NODE_NETWORK)
}
