/** From settings to what a node is started with, and what a person should know about it first. */
import {
  MAX_BLOCK_RELAY_ONLY_CONNECTIONS,
  MAX_FEELER_CONNECTIONS,
  MAX_OUTBOUND_FULL_RELAY_CONNECTIONS
} from "@satwire/connections"
import type { NetworkAddr } from "@satwire/netaddress"
import type { NodeOptions } from "@satwire/node"
import type { Endpoint } from "@satwire/transport"
import * as Result from "effect/Result"
import { ConfigError } from "../config/ConfigError.ts"
import { type Identity, identityOf, isPublic } from "../config/Identity.ts"
import type { Resolution } from "../config/Settings.ts"
import { withPort } from "../network/Ways.ts"
import { findingOf } from "./Finding.ts"
import type { LogLine } from "./LogLines.ts"

/** What is known of the machine. */
export interface Machine {
  /** What stands for every address of it. */
  readonly anyAddress: string
  /** Hosts of its interfaces. */
  readonly interfaces: ReadonlyArray<NetworkAddr>
}

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
    const connect = [...settings.connect, ...settings.addnode].map((peer) => withPort(peer, params.defaultPort))
    const listen = yield* listenAt(resolution, identity, anyAddress)
    const port = listen?.port ?? params.defaultPort
    const here = listen === undefined ? [] : interfaces.map((host) => ({ ...host, port }))
    const { addresses, isAutomatic } = yield* findingOf(resolution, identity, here)
    const options: NodeOptions = {
      params,
      roles: { headers: { serve: true, announce: !isPublic(params) }, mining: undefined },
      userAgent,
      // NODE_NETWORK promises blocks, and this node has none to give.
      services: 0n,
      connect,
      listen,
      ...placesOf(settings.maxconnections),
      addresses,
      permissions: settings.whitelist,
      dialTimeoutMs: settings.timeout,
      v2transport: settings.v2transport ?? true
    }
    return { options, notices: noticesFor(options, isAutomatic) }
  })

/** As Core shares out `-maxconnections` (net.h): 8 full relay, 2 block-relay-only and a feeler first, and the rest for those that dial us. */
const placesOf = (maxconnections: number): Pick<NodeOptions, "maxInbound" | "maxFullRelay" | "maxBlockRelayOnly"> => {
  const maxFullRelay = Math.min(MAX_OUTBOUND_FULL_RELAY_CONNECTIONS, maxconnections)
  const maxBlockRelayOnly = Math.min(MAX_BLOCK_RELAY_ONLY_CONNECTIONS, maxconnections - maxFullRelay)
  const outbound = maxFullRelay + maxBlockRelayOnly + MAX_FEELER_CONNECTIONS
  return { maxFullRelay, maxBlockRelayOnly, maxInbound: Math.max(0, maxconnections - outbound) }
}

/**
 * As Core's parameter interaction (init.cpp): with `-connect` or `-proxy` a node does not listen, with `-bind` it does, and what is said
 * outright counts more.
 */
const listenAt = (
  { settings, given }: Resolution,
  { params }: Identity,
  anyAddress: string
): Result.Result<Endpoint | undefined, ConfigError> => {
  const { bind, port } = settings
  if (bind !== undefined && settings.listen === false) {
    return Result.fail(
      new ConfigError({ message: "bind names an address to listen on, but listen is 0: give one of them" })
    )
  }
  const isProxied = settings.proxy !== undefined && settings.proxy !== "none"
  const listens = settings.listen ?? (bind !== undefined || (!given.has("connect") && !isProxied))
  if (!listens) return Result.succeed(undefined)
  return Result.succeed({ host: bind?.host ?? anyAddress, port: bind?.port ?? port ?? params.defaultPort })
}

const noticesFor = ({ connect, listen, params }: NodeOptions, isAutomatic: boolean): ReadonlyArray<LogLine> => {
  const scope: LogLine = isPublic(params)
    ? { level: "Warn", text: HEADERS_ONLY }
    : {
        level: "Info",
        text: "This node follows headers only: it serves no blocks yet, so it does not offer NODE_NETWORK."
      }
  if (connect.length > 0 || isAutomatic) return [scope]
  const waits = listen === undefined ? "" : ", or let others connect to this one"
  return [scope, { level: "Info", text: `Nobody is to be connected to: name one with --connect=host:port${waits}.` }]
}

/** For public networks, where others might rely on what a node offers. */
const HEADERS_ONLY =
  "This node validates headers only: it verifies no block, transaction or script yet, so it offers no service but the encrypted transport, relays nothing and announces no block."
