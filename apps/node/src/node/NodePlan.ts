/** From settings to what a node is started with, and what a person should know about it first. */
import type { NodeOptions } from "@satwire/node"
import type { Endpoint } from "@satwire/transport"
import * as Result from "effect/Result"
import { ConfigError } from "../config/ConfigError.ts"
import { type Identity, identityOf, isPublic } from "../config/Identity.ts"
import type { Resolution } from "../config/Settings.ts"
import { withPort } from "../network/Ways.ts"
import type { LogLine } from "./LogLines.ts"

/** Connections that Bitcoin Core keeps for outbound ones out of `-maxconnections`: 8 full, 2 block-relay-only, 1 feeler (net.h). */
const OUTBOUND_CONNECTIONS = 11

export interface NodePlan {
  readonly options: NodeOptions
  /** What the log says at start. */
  readonly notices: ReadonlyArray<LogLine>
}

/** `anyAddress` is what stands for every address of this machine. */
export const planNode = (resolution: Resolution, anyAddress: string): Result.Result<NodePlan, ConfigError> =>
  Result.gen(function* () {
    const { settings, given } = resolution
    const identity = yield* identityOf(resolution)
    const { params, userAgent } = identity
    const connect = settings.connect.map((peer) => withPort(peer, params.defaultPort))
    const listen = yield* listenAt(resolution, identity, anyAddress)
    const options: NodeOptions = {
      params,
      roles: { headers: { serve: true, announce: !isPublic(params) }, mining: undefined },
      userAgent,
      // NODE_NETWORK promises blocks, and this node has none to give.
      services: 0n,
      connect,
      listen,
      maxInbound: Math.max(0, settings.maxconnections - OUTBOUND_CONNECTIONS),
      dialTimeoutMs: settings.timeout,
      v2transport: settings.v2transport ?? true
    }
    return { options, notices: noticesFor(options, given) }
  })

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

const noticesFor = ({ params, connect, listen }: NodeOptions, given: ReadonlySet<string>): ReadonlyArray<LogLine> => {
  const scope: LogLine = isPublic(params)
    ? { level: "Warn", text: HEADERS_ONLY }
    : {
        level: "Info",
        text: "This node follows headers only: it serves no blocks yet, so it does not offer NODE_NETWORK."
      }
  if (connect.length > 0) return [scope]
  const why = given.has("connect") ? "Nobody is to be connected to" : "Finding peers by itself comes in a later release"
  const waits = listen === undefined ? "" : ", or let others connect to this one"
  return [scope, { level: "Info", text: `${why}: name one with --connect=host:port${waits}.` }]
}

/** For public networks, where others might rely on what a node offers. */
const HEADERS_ONLY =
  "This node validates headers only: it verifies no block, transaction or script yet, so it offers no service but the encrypted transport, relays nothing and announces no block."
