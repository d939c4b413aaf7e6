/** Where a running node is asked over HTTP, and with which password, as the options of `bitcoin-cli` say. */
import { join, resolve } from "node:path"
import { readCookie } from "@satwire/http-door"
import { formatEndpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { ConfigError } from "../config/ConfigError.ts"
import { identityOf } from "../config/Identity.ts"
import { type Loaded, absolute } from "../config/LoadSettings.ts"
import { RPC_PORTS } from "../config/rows/Rpc.ts"
import { codeOf, whyNot } from "../config/WhyNot.ts"
import { NoCredentials } from "./RpcErrors.ts"

/** Such as `127.0.0.1:8332`. */
export const hostAndPort = ({ network, settings }: Loaded): string => {
  const { host, port = settings.rpcport ?? RPC_PORTS[network] } = settings.rpcconnect
  return formatEndpoint({ host, port })
}

/** A password that was given, or that of the cookie of a node on this machine: `user:password`. */
export const credentialsOf = (
  loaded: Loaded
): Effect.Effect<string, ConfigError | NoCredentials, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { rpcuser = "", rpcpassword, rpccookiefile, datadir } = loaded.settings
    if (rpcpassword !== undefined) return `${rpcuser}:${rpcpassword}`
    const { params } = yield* Effect.fromResult(identityOf(loaded))
    const path = resolve(join(absolute(datadir), params.directory), rpccookiefile)
    return yield* Effect.mapError(readCookie(path), (error) => {
      const isMissing = codeOf(error) === "ENOENT"
      const what = isMissing
        ? `there is no cookie in ${path}, which a node makes when it starts`
        : `the cookie ${path} cannot be read: ${whyNot(error)}`
      const message = `no password: ${what}; else give --rpccookiefile, or --rpcuser and --rpcpassword`
      return new NoCredentials({ message, isMissing })
    })
  })
