/**
 * Where a node listens. As in Core's parameter interaction (init.cpp): with `-connect`, `-proxy` or without any connections a node does not
 * listen, with `-bind` it does, and what is said outright counts more.
 */
import type { Permission, SocketRule } from "@satwire/connections"
import { type Endpoint, formatEndpoint } from "@satwire/transport"
import * as Result from "effect/Result"
import { ConfigError } from "../config/ConfigError.ts"
import type { Identity } from "../config/Identity.ts"
import type { Resolution } from "../config/Settings.ts"
import type { HostPort } from "../config/Values.ts"

export interface ListenPlan {
  readonly listen: Endpoint | undefined
  readonly alsoListen: ReadonlyArray<Endpoint>
  /** The port of this machine's own addresses, where others reach it there, and not through an onion service alone. */
  readonly openPort: number | undefined
  readonly socketPermissions: ReadonlyArray<SocketRule>
}

const NOWHERE: ListenPlan = { listen: undefined, alsoListen: [], openPort: undefined, socketPermissions: [] }

export const listenAt = (
  { settings, given }: Resolution,
  { params }: Identity,
  anyAddress: string
): Result.Result<ListenPlan, ConfigError> => {
  const { bind, listen, networkactive, proxy, whitebind } = settings
  const isBound = bind.length + whitebind.length > 0
  if (isBound && listen === false) {
    const message = "bind names an address to listen on, but listen is 0: give one of them"
    return Result.fail(new ConfigError({ message }))
  }
  const isProxied = proxy !== undefined && proxy !== "none"
  const listens = listen ?? (isBound || (!given.has("connect") && !isProxied))
  if (!listens || networkactive === false) return Result.succeed(NOWHERE)
  const port = settings.port ?? params.defaultPort
  const open = bind.filter(({ isOnion }) => !isOnion).map((point) => endpointOf(point, port))
  // As with Core: an onion service has the port after the node's own.
  const onion = bind.filter(({ isOnion }) => isOnion).map((point) => endpointOf(point, port + 1))
  const white = whitebind.map((point) => endpointOf(point, port))
  const [first = { host: anyAddress, port }, ...rest] = [...open, ...white, ...onion]
  const openPort = isBound ? (open[0] ?? white[0])?.port : port
  const socketPermissions = white.map((endpoint, i) => ({
    socket: ANY_ADDRESS.includes(endpoint.host) ? `:${endpoint.port}` : formatEndpoint(endpoint),
    permissions: whitebind[i]?.permissions ?? NO_PERMISSIONS
  }))
  return Result.succeed({ listen: first, alsoListen: rest, openPort, socketPermissions })
}

const ANY_ADDRESS = ["0.0.0.0", "::"]
const NO_PERMISSIONS: ReadonlySet<Permission> = new Set()

const endpointOf = ({ host, port }: HostPort, usual: number): Endpoint => ({ host, port: port ?? usual })
