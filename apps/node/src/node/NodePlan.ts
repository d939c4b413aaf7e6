/** From settings to what a node is started with, and what a person should know about it first. */
import {
  MAX_BLOCK_RELAY_ONLY_CONNECTIONS,
  MAX_FEELER_CONNECTIONS,
  MAX_OUTBOUND_FULL_RELAY_CONNECTIONS
} from "@satwire/connections"
import { parseHost } from "@satwire/netaddress"
import type { BlockOptions, NodeOptions } from "@satwire/node"
import type { TransactionsRole } from "@satwire/node-core"
import { type AddressFault, type ChainParams, decodeAddress } from "@satwire/primitives"
import { NODE_BLOOM, NODE_NETWORK, NODE_NETWORK_LIMITED, NODE_WITNESS } from "@satwire/wire"
import * as Result from "effect/Result"
import { ConfigError } from "../config/ConfigError.ts"
import { identityOf, isPublic } from "../config/Identity.ts"
import type { Settings } from "../config/Options.ts"
import { PRUNE_BY_HAND } from "../config/Values.ts"
import type { Resolution } from "../config/Settings.ts"
import type { Machine } from "../network/ThisMachine.ts"
import { withPort } from "../network/Ways.ts"
import { findingOf } from "./Finding.ts"
import { listenAt } from "./ListenAt.ts"
import type { LogLine } from "../log/LogLine.ts"

export interface NodePlan {
  readonly options: NodeOptions
  /** What the log says at start. */
  readonly notices: ReadonlyArray<LogLine>
}

export const planNode = (
  resolution: Resolution,
  { anyAddress, interfaces }: Machine
): Result.Result<NodePlan, ConfigError> =>
  Result.gen(function* () {
    const { settings } = resolution
    const identity = yield* identityOf(resolution)
    const { params, userAgent } = identity
    yield* noNames(settings)
    const isActive = settings.networkactive ?? true
    const named = isActive ? [...settings.connect, ...settings.addnode] : []
    const connect = named.map((peer) => withPort(peer, params.defaultPort))
    const { alsoListen, listen, openPort, socketPermissions } = yield* listenAt(resolution, identity, anyAddress)
    const here = openPort === undefined ? [] : interfaces.map((host) => ({ ...host, port: openPort }))
    const { addresses, isAutomatic } = yield* findingOf(resolution, identity, here)
    const blocks = yield* blocksOf(settings, params)
    const options: NodeOptions = {
      params,
      blocks,
      roles: {
        headers: { serve: true, announce: !isPublic(params) },
        transactions: transactionsOf(settings, blocks, params),
        mining: undefined
      },
      userAgent,
      services: servicesOf(settings, blocks, params),
      connect,
      listen,
      alsoListen,
      ...placesOf(settings.maxconnections),
      addresses,
      permissions: settings.whitelist,
      socketPermissions,
      uploadTargetBytes: settings.maxuploadtarget > 0 ? settings.maxuploadtarget : undefined,
      dialTimeoutMs: settings.timeout,
      patience: { connectMs: settings.peertimeout, pingIntervalMs: settings.pinginterval },
      v2transport: settings.v2transport ?? true
    }
    return { options, notices: noticesFor(options, isAutomatic) }
  })

/** Without `-dns` nobody is asked who a name is, so nobody may be named by one. */
const noNames = ({ addnode, connect, dns, seednode }: Settings): Result.Result<void, ConfigError> => {
  const name = [...connect, ...addnode, ...seednode].find(({ host }) => parseHost(host) === undefined)?.host
  if (dns !== false || name === undefined) return Result.succeed(undefined)
  return Result.fail(new ConfigError({ message: `dns is 0, but ${name} is a name: give an address instead` }))
}

/** Which blocks are fetched. Whoever says how many means that there are any. */
const blocksOf = (settings: Settings, params: ChainParams): Result.Result<BlockOptions | undefined, ConfigError> =>
  Result.gen(function* () {
    const { blocksfor, blocksfrom, blocksto, fetchblocks, prune } = settings
    const fault = contradiction(settings)
    if (fault !== undefined) return yield* Result.fail(new ConfigError({ message: fault }))
    const isAsked = blocksfrom !== undefined || blocksto !== undefined || prune > 0 || blocksfor.length > 0
    if (!(fetchblocks ?? (isAsked || !isPublic(params)))) return undefined
    const matching = yield* matchingOf(settings, params)
    return {
      matching,
      from: blocksfrom !== undefined && "height" in blocksfrom ? blocksfrom.height : undefined,
      fromTime: blocksfrom !== undefined && "time" in blocksfrom ? blocksfrom.time : undefined,
      to: blocksto,
      pruneBytes: pruneBytesOf(prune),
      serve: matching === undefined
    }
  })

/** Core's `-prune` in bytes: none is for keeping all, and no end of them for pruning by hand. */
const pruneBytesOf = (prune: number): number | undefined => {
  if (prune === PRUNE_BY_HAND) return Infinity
  return prune > 0 ? prune * 1024 * 1024 : undefined
}

/** What is said of blocks and cannot be all of it. */
const contradiction = ({ blocksfor, blocksfrom, blocksto, fetchblocks, prune }: Settings): string | undefined => {
  const isAsked = blocksfrom !== undefined || blocksto !== undefined || prune > 0 || blocksfor.length > 0
  if (fetchblocks === false && isAsked) {
    return "fetchblocks is 0, but blocksfrom, blocksto, blocksfor or prune says which blocks: give one of them"
  }
  if (blocksfrom !== undefined && "height" in blocksfrom && blocksfrom.height > (blocksto ?? Infinity)) {
    return `blocksfrom is ${blocksfrom.height} and blocksto ${blocksto}: nothing lies between them`
  }
  return undefined
}

/** What blocks are fetched for, where that is not everything. Where our user names peers their filters are compared, however few they are. */
const matchingOf = (
  { blocksfor, connect, prune }: Settings,
  params: ChainParams
): Result.Result<BlockOptions["matching"], ConfigError> =>
  Result.gen(function* () {
    if (blocksfor.length === 0) return undefined
    if (prune > 0) {
      const message = "prune removes old blocks, and blocksfor keeps only those that matter: give one of them"
      return yield* Result.fail(new ConfigError({ message }))
    }
    const scripts: Array<Uint8Array> = []
    for (const address of blocksfor) {
      const decoded = decodeAddress(address, params)
      if (Result.isFailure(decoded)) {
        const message = `blocksfor is ${address}, which ${NO_ADDRESS[decoded.failure]} (${params.name})`
        return yield* Result.fail(new ConfigError({ message }))
      }
      scripts.push(decoded.success)
    }
    return connect.length === 1 ? { scripts, leastPeers: 1 } : { scripts }
  })

const NO_ADDRESS: { readonly [Fault in AddressFault]: string } = {
  tooLong: "is longer than any address",
  checksum: "is no address, or has a letter wrong: its checksum does not hold",
  network: "is an address of another network",
  encoding: "is not encoded as its version has to be",
  version: "has a witness version that there is not",
  length: "has not the length that its kind has"
}

/** Whether transactions are kept. Without blocks nobody would say which of them a block has. */
const transactionsOf = (
  { blocksonly, maxmempool }: Settings,
  blocks: BlockOptions | undefined,
  params: ChainParams
): TransactionsRole | undefined => {
  const isWhole = blocks !== undefined && blocks.matching === undefined && blocks.to === undefined
  const isOnPublic = isPublic(params)
  const isForOurs = blocksonly ?? isOnPublic
  // Our own are relayed on a private network, where nobody is misled by what is not verified.
  if (!isWhole || (isForOurs && isOnPublic)) return undefined
  return { relays: !isOnPublic, fetches: !isForOurs, maxPoolBytes: maxmempool * 1_000_000 }
}

/**
 * What is offered. `NODE_NETWORK` promises all blocks, fully checked: on a public network nobody is promised anything before coins and scripts
 * are verified.
 */
const servicesOf = ({ peerbloomfilters }: Settings, blocks: BlockOptions | undefined, params: ChainParams): bigint => {
  if (blocks === undefined || isPublic(params)) return 0n
  const { from, fromTime, matching, to } = blocks
  const isWhole = from === undefined && fromTime === undefined && to === undefined && matching === undefined
  if (!isWhole) return 0n
  const bloom = peerbloomfilters === true ? NODE_BLOOM : 0n
  return NODE_WITNESS | NODE_NETWORK_LIMITED | bloom | (blocks.pruneBytes === undefined ? NODE_NETWORK : 0n)
}

/** As Core shares out `-maxconnections` (net.h): 8 full relay, 2 block-relay-only and a feeler first, and the rest for those that dial us. */
const placesOf = (maxconnections: number): Pick<NodeOptions, "maxInbound" | "maxFullRelay" | "maxBlockRelayOnly"> => {
  const maxFullRelay = Math.min(MAX_OUTBOUND_FULL_RELAY_CONNECTIONS, maxconnections)
  const maxBlockRelayOnly = Math.min(MAX_BLOCK_RELAY_ONLY_CONNECTIONS, maxconnections - maxFullRelay)
  const outbound = maxFullRelay + maxBlockRelayOnly + MAX_FEELER_CONNECTIONS
  return { maxFullRelay, maxBlockRelayOnly, maxInbound: Math.max(0, maxconnections - outbound) }
}

const noticesFor = ({ blocks, connect, listen, params }: NodeOptions, isAutomatic: boolean): ReadonlyArray<LogLine> => {
  const scope = scopeOf(blocks !== undefined, isPublic(params))
  if (connect.length > 0 || isAutomatic) return [scope]
  const waits = listen === undefined ? "" : ", or let others connect to this one"
  return [scope, { level: "Info", text: `Nobody is to be connected to: name one with --connect=host:port${waits}.` }]
}

/** For public networks, where others might rely on what a node offers, it is a warning. */
const scopeOf = (hasBlocks: boolean, isOnPublic: boolean): LogLine => {
  if (isOnPublic) return { level: "Warn", text: `${hasBlocks ? BLOCKS_IN_PART : HEADERS_ONLY} ${NOTHING_OFFERED}` }
  if (hasBlocks) return { level: "Info", text: BLOCKS_IN_PART }
  return {
    level: "Info",
    text: "This node follows headers only: it serves no blocks, so it does not offer NODE_NETWORK."
  }
}

const HEADERS_ONLY = "This node validates headers only: it verifies no block, transaction or script."
const BLOCKS_IN_PART =
  "This node checks blocks as far as that needs no coins: it does not verify yet that what is spent exists and may be spent, nor scripts."
const NOTHING_OFFERED = "So it offers no service but the encrypted transport, relays nothing and announces no block."
