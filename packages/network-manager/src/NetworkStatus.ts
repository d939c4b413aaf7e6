/** A network at one moment, in numbers. */
import { strangersOf } from "@satwire/overlay-libp2p"
import type { NetworkState } from "./NetworkState.ts"
import type { NetworkPeer, PeerRecord } from "./Peers.ts"
import type { Running } from "./Running.ts"
import type { KindTraffic } from "./Tally.ts"

export interface NetworkStatus {
  readonly isRunning: boolean
  readonly network: string
  readonly nodeId: string
  readonly peerId: string
  /** Multiaddrs where we believe that we can be reached. */
  readonly addresses: ReadonlyArray<string>
  /** Since the last start; 0 while it is stopped. */
  readonly uptimeMs: number
  readonly peers: {
    readonly inbound: number
    readonly outbound: number
    /** Connections without messages: of who is new, or of another program. They take places, too. */
    readonly others: number
    readonly maxPeers: number
    readonly maxInbound: number
    readonly maxOutbound: number
  }
  /** Over the peers that have been measured. */
  readonly latencyMs: { readonly least: number; readonly mean: number; readonly most: number } | undefined
  /** Messages and their bytes, by kind and way, since the manager was made. */
  readonly traffic: ReadonlyArray<KindTraffic>
  /** Messages dropped because their senders sent too many. */
  readonly limitedMessages: number
  /** Topics of gossip, each with the peers that have it and those in its mesh; none where there is no gossip. */
  readonly gossip: ReadonlyArray<{ readonly kind: string; readonly peers: number; readonly mesh: number }>
  /** How many peers the hash table knows; none where there is no table. */
  readonly dht: { readonly mode: "client" | "server"; readonly peers: number } | undefined
  /** Addresses in the book. */
  readonly knownPeers: number
  readonly scores: {
    readonly mean: number
    readonly trusted: number
    readonly neutral: number
    readonly doubtful: number
  }
  /** Peers that are banned now, and bans since the manager was made. */
  readonly bannedPeers: number
  readonly bans: number
}

export const peerOf = (state: NetworkState, record: PeerRecord): NetworkPeer => {
  const { address, connectedAt, direction, latencyMs, metadata, nodeId, peerId } = record
  const score = state.scores.of(peerId)
  return {
    peerId,
    nodeId,
    metadata,
    address,
    direction,
    connectedAt,
    latencyMs,
    score: score?.score ?? 0,
    standing: score?.standing ?? "neutral"
  }
}

export const statusOf = (state: NetworkState, running: Running | undefined, knownPeers: number): NetworkStatus => {
  const { network, maxInbound, maxOutbound, maxPeers, dhtMode: mode } = state.settings
  const peers = state.peers.all().map((record) => peerOf(state, record))
  const latencies = peers.flatMap(({ latencyMs }) => (latencyMs === undefined ? [] : [latencyMs]))
  const standing = (name: NetworkPeer["standing"]): number => peers.filter((peer) => peer.standing === name).length
  return {
    isRunning: running !== undefined,
    network,
    nodeId: state.nodeId,
    peerId: state.peerId,
    addresses: running?.node.addresses() ?? [],
    uptimeMs: running === undefined ? 0 : Math.max(0, state.unixMs() - running.startedAt),
    peers: {
      inbound: state.peers.count("inbound"),
      outbound: state.peers.count("outbound"),
      others: running === undefined ? 0 : strangersOf(running.node, running.messenger).length,
      maxPeers,
      maxInbound,
      maxOutbound
    },
    latencyMs:
      latencies.length === 0
        ? undefined
        : { least: Math.min(...latencies), mean: meanOf(latencies), most: Math.max(...latencies) },
    traffic: state.tally.all(),
    limitedMessages: state.tally.limited,
    gossip: state.rooms.mesh(),
    dht: mode === false || running === undefined ? undefined : { mode, peers: tableSize(running) },
    knownPeers,
    scores: {
      mean: meanOf(peers.map(({ score }) => score)),
      trusted: standing("trusted"),
      neutral: standing("neutral"),
      doubtful: standing("doubtful")
    },
    bannedPeers: state.scores.banned().length,
    bans: state.tally.bans
  }
}

const meanOf = (numbers: ReadonlyArray<number>): number =>
  numbers.length === 0 ? 0 : numbers.reduce((sum, each) => sum + each, 0) / numbers.length

/** js-libp2p's table has it, its interface has not. */
const tableSize = ({ node }: Running): number => {
  const dht = node.engine.services.dht as { readonly routingTable?: { readonly size?: number } } | undefined
  return dht?.routingTable?.size ?? 0
}
