/**
 * Where a node listens. As in Core's parameter interaction (init.cpp): with `-connect`, `-proxy` or without any connections a node does not
 * listen, with `-bind` it does, and what is said outright counts more.
 */
import type { Endpoint } from "@satwire/transport"
import * as Result from "effect/Result"
import { ConfigError } from "../config/ConfigError.ts"
import type { Identity } from "../config/Identity.ts"
import type { Resolution } from "../config/Settings.ts"
import type { BindPoint } from "../config/Values.ts"

export interface ListenPlan {
  readonly listen: Endpoint | undefined
  readonly alsoListen: ReadonlyArray<Endpoint>
  /** The port of this machine's own addresses, where others reach it there, and not through an onion service alone. */
  readonly openPort: number | undefined
}

const NOWHERE: ListenPlan = { listen: undefined, alsoListen: [], openPort: undefined }

export const listenAt = (
  { settings, given }: Resolution,
  { params }: Identity,
  anyAddress: string
): Result.Result<ListenPlan, ConfigError> => {
  const { bind, listen, networkactive, proxy } = settings
  if (bind.length > 0 && listen === false) {
    const message = "bind names an address to listen on, but listen is 0: give one of them"
    return Result.fail(new ConfigError({ message }))
  }
  const isProxied = proxy !== undefined && proxy !== "none"
  const listens = listen ?? (bind.length > 0 || (!given.has("connect") && !isProxied))
  if (!listens || networkactive === false) return Result.succeed(NOWHERE)
  const port = settings.port ?? params.defaultPort
  const open = bind.filter(({ isOnion }) => !isOnion).map((point) => endpointOf(point, port))
  // As with Core: an onion service has the port after the node's own.
  const onion = bind.filter(({ isOnion }) => isOnion).map((point) => endpointOf(point, port + 1))
  const [first = { host: anyAddress, port }, ...rest] = [...open, ...onion]
  const openPort = bind.length === 0 ? port : open[0]?.port
  return Result.succeed({ listen: first, alsoListen: rest, openPort })
}

const endpointOf = ({ host, port }: BindPoint, usual: number): Endpoint => ({ host, port: port ?? usual })
