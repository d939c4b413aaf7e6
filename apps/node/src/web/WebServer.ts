/**
 * Everything that the node serves over HTTP, behind one door: JSON-RPC at `POST /`, and what is read without a password (metrics, health).
 * Where it listens and who may ask is what Bitcoin Core's `-rpc…` options say.
 *
 * Specification: without `-rpcallowip` it listens on this machine alone, whatever `-rpcbind` says, as Core does. Rationale: a password in the
 * clear is nothing for a network.
 */
import { resolve } from "node:path"
import {
  type Credential,
  HttpDoor,
  type HttpDoorOptions,
  layerHttpDoor,
  listenHttp,
  writeCookie
} from "@satwire/http-door"
import { formatEndpoint } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { HttpRouter } from "effect/http/HttpRouter"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import { type SocketAddress, formatInet } from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import { RPC_PORTS, type RpcSettings } from "../config/rows/Rpc.ts"
import type { HostPort, NetworkName } from "../config/Values.ts"
import { whyNot } from "../config/WhyNot.ts"
import { logLine } from "../log/LogLine.ts"

const WebServerErrorBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "WebServerError"; readonly message: string } =
  Data.TaggedError("WebServerError")

/** The node cannot be asked over HTTP, for what one sentence says. */
export class WebServerError extends WebServerErrorBase {}

export interface WebServerOptions {
  readonly settings: RpcSettings
  readonly network: NetworkName
  /** That of the network, where the cookie lies. */
  readonly directory: string
  readonly routes: Layer.Layer<never, never, HttpRouter | HttpDoor>
}

/** Serves until the scope closes. Gives where, such as `127.0.0.1:8332`. */
export const serveWeb = ({
  directory,
  network,
  routes,
  settings
}: WebServerOptions): Effect.Effect<ReadonlyArray<string>, WebServerError, FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    if (settings.rpcbind.length > 0 && settings.rpcallowip.length === 0) {
      yield* Effect.logWarning("rpcbind is passed over without rpcallowip: only this machine may ask.")
    }
    const credentials = yield* credentialsOf(settings, directory)
    const door = Context.get(yield* Layer.build(layerHttpDoor(doorOptions(settings, credentials))), HttpDoor)
    const addresses = addressesOf(settings, network)
    const bound = yield* listenHttp(routes, { addresses, timeoutMs: settings.rpcservertimeout }).pipe(
      Effect.provideService(HttpDoor, door),
      Effect.mapError((error) => unserved(error, addresses))
    )
    return bound.map(shown)
  })

const doorOptions = (settings: RpcSettings, credentials: ReadonlyArray<Credential>): HttpDoorOptions => ({
  credentials,
  allowed: settings.rpcallowip,
  onRefusal: (text) => logLine({ level: "Warn", category: "http", text })
})

/** The user's own, and else the cookie, as with Core. */
const credentialsOf = (
  settings: RpcSettings,
  directory: string
): Effect.Effect<ReadonlyArray<Credential>, WebServerError, FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const { rpcauth, rpccookiefile, rpccookieperms, rpcpassword, rpcuser = "" } = settings
    if (rpcpassword !== undefined) return [...rpcauth, { user: rpcuser, password: rpcpassword }]
    if (rpccookiefile === "0") return rpcauth
    const path = resolve(directory, rpccookiefile)
    const cookie = yield* writeCookie(path, rpccookieperms).pipe(
      Effect.mapError(
        (error) => new WebServerError({ message: `the cookie ${path} cannot be written: ${whyNot(error)}` })
      )
    )
    return [...rpcauth, cookie]
  })

interface Address {
  readonly host: string
  readonly port: number
}

const addressesOf = (settings: RpcSettings, network: NetworkName): ReadonlyArray<Address> => {
  const { rpcallowip, rpcbind, rpcport = RPC_PORTS[network] } = settings
  const wanted: ReadonlyArray<HostPort> = rpcallowip.length === 0 || rpcbind.length === 0 ? LOOPBACK : rpcbind
  return wanted.map(({ host, port = rpcport }) => ({ host, port }))
}

const LOOPBACK: ReadonlyArray<HostPort> = [
  { host: "127.0.0.1", port: undefined },
  { host: "::1", port: undefined }
]

const shown = (address: SocketAddress): string => ("port" in address ? formatInet(address) : address.path)

const unserved = ({ cause }: ServeError, addresses: ReadonlyArray<Address>): WebServerError => {
  const where = addresses.map(formatEndpoint).join(" and ")
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
  const what =
    code === "EADDRINUSE"
      ? "another program uses that port: choose one with --rpcport, or do without by --server=0"
      : code === "EACCES"
        ? "this user may not use that port: choose one above 1023 with --rpcport"
        : code === "EADDRNOTAVAIL"
          ? "this machine has no such address: choose another one with --rpcbind"
          : cause instanceof Error
            ? cause.message
            : String(cause)
  return new WebServerError({ message: `JSON-RPC cannot be served on ${where}: ${what}` })
}
