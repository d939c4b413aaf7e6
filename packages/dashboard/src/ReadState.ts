/** How a node stands, as JSON. All of it is bounded: of what there may be much the first so many are told, and how many there are. */
import { formatSubnet } from "@satwire/connections"
import { formatNode } from "@satwire/netaddress"
import type { NodeShape } from "@satwire/node"
import { type ChainParams, toHex } from "@satwire/primitives"
import { TURN_STEPS_MS } from "@satwire/runtime"
import { serviceNames } from "@satwire/wire"
import * as Effect from "effect/Effect"
import type { BlockLog } from "./BlockLog.ts"
import { commandCounts, peerRow } from "./PeerView.ts"
import type { State } from "@satwire/dashboard-page"

/**
 * @limit peers that a dashboard lists
 */
export const PEERS_TOLD = 1000
/**
 * @limit bans, dials, tips of chains that a dashboard lists, of each
 */
export const ROWS_TOLD = 100

export interface About {
  readonly node: NodeShape
  readonly params: ChainParams
  /** Of the program. */
  readonly version: string
  readonly startedUnixMs: number
  readonly uptimeSeconds: () => number
  readonly log: BlockLog
}

type Part<Name extends keyof State> = Effect.Effect<State[Name]>

export const readState = (about: About, unixMs: number): Effect.Effect<State> =>
  Effect.gen(function* () {
    const { log, node, params, startedUnixMs, uptimeSeconds, version } = about
    const { instant } = yield* node.now
    const peers = yield* node.query("peerDetails")
    const slots = yield* node.query("connections")
    const tips = yield* node.query("tips")
    const bans = yield* node.query("bans")
    const traffic = yield* node.query("traffic")
    return {
      ...{ unixMs, startedUnixMs, version },
      uptimeSeconds: uptimeSeconds(),
      network: params.name,
      isPublic: params.name !== "regtest",
      spacingSeconds: params.powTargetSpacing,
      own: yield* own(node),
      headers: yield* headers(node),
      blocks: yield* blocks(node),
      pool: yield* pool(node),
      compact: yield* compact(node),
      peers: peers.slice(0, PEERS_TOLD).map((peer) => peerRow(peer, instant)),
      peerCount: peers.length,
      dialling: slots
        .filter(({ peer }) => peer === undefined)
        .slice(0, ROWS_TOLD)
        .map(({ endpoint, kind }) => ({ endpoint, kind })),
      tips: tips.slice(0, ROWS_TOLD).map(({ branchLength, hash, height, status }) => ({
        ...{ height, branchLength, status },
        hash: toHex(hash)
      })),
      tipCount: tips.length,
      lastBlocks: log.blocks,
      reorganisations: log.reorganisations,
      bans: bans.slice(0, ROWS_TOLD).map(({ refused, subnet, until }) => ({
        ...{ refused, until },
        subnet: formatSubnet(subnet)
      })),
      banCount: bans.length,
      upload: yield* upload(node),
      addresses: (yield* node.query("addresses")) ?? null,
      bytesReceived: traffic.bytesReceived,
      bytesSent: traffic.bytesSent,
      received: commandCounts(traffic.received),
      sent: commandCounts(traffic.sent),
      turns: { ...(yield* node.turns), ends: TURN_STEPS_MS }
    }
  })

const own = (node: NodeShape): Part<"own"> =>
  Effect.gen(function* () {
    const self = yield* node.query("self")
    const local = yield* node.query("local")
    return {
      userAgent: self.userAgent,
      protocolVersion: self.protocolVersion,
      services: serviceNames(self.services),
      isNetworkActive: self.isNetworkActive,
      timeOffsetSeconds: self.timeOffsetSeconds,
      local: local.map(({ node: address }) => formatNode(address))
    }
  })

const headers = (node: NodeShape): Part<"headers"> =>
  Effect.map(node.query("headers"), (snapshot) => {
    if (snapshot === undefined) return null
    const { presyncing, syncingWith, tip } = snapshot
    return {
      ...{ height: tip.height, hash: toHex(tip.hash), time: tip.time },
      count: snapshot.headers,
      syncingWith: syncingWith ?? null,
      presyncing: presyncing.slice(0, ROWS_TOLD)
    }
  })

const blocks = (node: NodeShape): Part<"blocks"> =>
  Effect.map(node.query("blocks"), (snapshot) => {
    if (snapshot === undefined) return null
    const { bytesPerSecond, inFlight, kept, targetHeight, tip, waiting, waitingBytes } = snapshot
    return {
      ...{ height: tip.height, hash: toHex(tip.hash), time: tip.time },
      ...{ bytesPerSecond, inFlight, kept, targetHeight, waiting, waitingBytes }
    }
  })

const pool = (node: NodeShape): Part<"pool"> =>
  Effect.map(node.query("pool"), (snapshot) => {
    if (snapshot === undefined) return null
    const { count, memoryBytes, minFeeRateSatPerKvb, orphans } = snapshot
    return { count, memoryBytes, minFeeRateSatPerKvb, orphans }
  })

const compact = (node: NodeShape): Part<"compact"> =>
  Effect.map(node.query("compact"), (snapshot) => {
    if (snapshot === undefined) return null
    const { highBandwidthFrom, highBandwidthTo, partial } = snapshot
    return { to: highBandwidthTo.length, from: highBandwidthFrom.length, partial }
  })

const upload = (node: NodeShape): Part<"upload"> =>
  Effect.map(node.query("upload"), ({ leftBytes, leftMs, targetBytes }) => ({
    ...{ targetBytes, leftMs },
    leftBytes: leftBytes ?? null
  }))
