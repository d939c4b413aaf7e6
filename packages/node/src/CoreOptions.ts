/** What of a node's options, and of what it kept, its machine is made of. */
import { portableCurve } from "@satwire/crypto"
import { platformAead } from "@satwire/crypto/node"
import { LocalAddresses } from "@satwire/discovery"
import type { Random } from "@satwire/machine"
import { NETWORKS, type NetGroups } from "@satwire/netaddress"
import type { AddressesRole, BlocksRole, NodeCoreOptions } from "@satwire/node-core"
import { USUAL_PATIENCE } from "@satwire/peer"
import { NODE_COMPACT_FILTERS, NODE_P2P_V2 } from "@satwire/wire"
import type { BlocksAtStart } from "./KeptBlocks.ts"
import type { KeptPeers } from "./KeptPeers.ts"
import type { NodeOptions } from "./NodeOptions.ts"

/** Of so many peers filters are compared before any is believed. */
const DEFAULT_FILTER_PEERS = 2

export const coreOptions = (
  options: NodeOptions,
  peers: KeptPeers,
  groups: NetGroups,
  random: Random,
  blocks: BlocksAtStart | undefined
): Omit<NodeCoreOptions, "tree" | "sha256" | "random"> => {
  const { addresses, historicBytesPerSecond, maxBlockRelayOnly, maxFullRelay, maxInbound, params, permissions } =
    options
  const { roles, services, userAgent, v2transport = true } = options
  return {
    params,
    roles: {
      ...roles,
      blocks: blocks === undefined ? undefined : blocksRole(options, blocks),
      addresses: addressesRole(options, peers, random),
      connections: {
        ...roles.connections,
        maxInbound,
        maxFullRelay,
        maxBlockRelayOnly,
        permissions,
        socketPermissions: options.socketPermissions,
        uploadTargetBytes: options.uploadTargetBytes,
        groups,
        bans: peers.bans,
        anchors: peers.anchors,
        isAutomatic: addresses?.isAutomatic,
        networks: addresses?.networks,
        moreServices:
          addresses?.wantedServices === undefined && options.blocks?.matching !== undefined ? NODE_COMPACT_FILTERS : 0n,
        wantedServices: addresses === undefined ? 0n : addresses.wantedServices
      }
    },
    userAgent,
    services: v2transport ? services | NODE_P2P_V2 : services,
    v2: v2transport ? { aead: platformAead, curve: portableCurve } : undefined,
    historicBytesPerSecond,
    patience: { ...USUAL_PATIENCE, ...options.patience },
    skeleton: options.skeleton
  }
}

const blocksRole = ({ blocks }: NodeOptions, { kept, passedTo }: BlocksAtStart): BlocksRole => ({
  wanted: { from: blocks?.from, fromTime: blocks?.fromTime, to: blocks?.to },
  serve: blocks?.serve ?? false,
  isLimited: blocks?.pruneBytes !== undefined,
  matching: blocks?.matching === undefined ? undefined : { leastPeers: DEFAULT_FILTER_PEERS, ...blocks.matching },
  kept,
  passedTo
})

const addressesRole = (options: NodeOptions, peers: KeptPeers, random: Random): AddressesRole | undefined => {
  const { addresses, connect, listen, params } = options
  const { book } = peers
  if (addresses === undefined || book === undefined) return undefined
  const { dnsSeeds = true, fixedSeeds = [], isAutomatic = true, local = [], seedNodes = [] } = addresses
  const own = new LocalAddresses({
    random,
    reachable: new Set(addresses.networks ?? NETWORKS.map(({ network }) => network)),
    discovers: addresses.discovers ?? true,
    port: listen === undefined || listen.port === 0 ? undefined : listen.port
  })
  for (const { node, origin } of local) own.add(node, origin)
  const seeding = {
    dnsSeeds: dnsSeeds === false ? [] : params.dnsSeeds,
    forcesDns: dnsSeeds === "always",
    defaultPort: params.defaultPort,
    resolvesThroughProxy: addresses.resolvesThroughProxy ?? false,
    seedNodes,
    fixedSeeds,
    hasAddedNodes: connect.length > 0
  }
  return { book, own, announceSelf: listen !== undefined, seeding: isAutomatic ? seeding : undefined }
}
