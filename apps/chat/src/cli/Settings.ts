/** From flags to what they mean, or one sentence about which of them cannot be followed. */
import { homedir, userInfo } from "node:os"
import { join } from "node:path"
import { parseEndpoint, type Endpoint } from "@satwire/transport"
import { isMultiaddr } from "@satwire/transport-libp2p"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { parseRoom, plainName } from "../chat/Text.ts"
import type { Flags } from "./ChatCommand.ts"
import { ConfigError } from "@satwire/command-line"

export interface Settings {
  readonly name: string
  readonly room: string
  readonly connect: ReadonlyArray<string>
  readonly relays: ReadonlyArray<string>
  readonly listen: ReadonlyArray<string>
  readonly web: Endpoint | undefined
  /** `undefined`: nothing is kept. */
  readonly folder: string | undefined
  readonly isRelay: boolean
  readonly mdns: boolean
}

/** Everywhere, so that whoever is found by multicast DNS can be dialled. */
const LISTEN: ReadonlyArray<string> = ["/ip4/0.0.0.0/tcp/0"]

export const settingsOf = (flags: Flags): Result.Result<Settings, ConfigError> =>
  Result.gen(function* () {
    const name = plainName(Option.getOrElse(flags.name, nameHere))
    if (name === undefined) return yield* wrong("the flag --name has no letters")
    const room = yield* Result.mapError(
      parseRoom(flags.room),
      (why) => new ConfigError({ message: `the flag --room: ${why}` })
    )
    for (const [flag, addresses] of [
      ["connect", flags.connect],
      ["relay", flags.relay],
      ["listen", flags.listen]
    ] as const) {
      const odd = addresses.find((address) => !isMultiaddr(address))
      if (odd !== undefined) {
        const shown = odd.replace(/[^\u0021-\u007e]/g, "?").slice(0, 80)
        return yield* wrong(`the flag --${flag} is "${shown}", but must be a multiaddr such as /ip4/192.0.2.1/tcp/4001`)
      }
    }
    const web = yield* webOf(Option.getOrUndefined(flags.web))
    const folder = flags.ephemeral ? undefined : Option.getOrElse(flags.data, () => join(homedir(), ".satwire-chat"))
    return {
      name,
      room,
      connect: flags.connect,
      relays: flags.relay,
      listen: flags.listen.length > 0 ? flags.listen : LISTEN,
      web,
      folder,
      isRelay: flags.serveRelay,
      mdns: !flags.noMdns
    }
  })

const wrong = (message: string) => Result.fail(new ConfigError({ message }))

/** A page speaks as its user, so it is for this machine alone. */
const webOf = (text: string | undefined): Result.Result<Endpoint | undefined, ConfigError> => {
  if (text === undefined) return Result.succeed(undefined)
  const endpoint = Result.getOrUndefined(parseEndpoint(text))
  return endpoint !== undefined && ["127.0.0.1", "::1"].includes(endpoint.host)
    ? Result.succeed(endpoint)
    : wrong("the flag --web must be 127.0.0.1 or [::1] with a port, such as 127.0.0.1:8420")
}

/** A user without a name on this machine is none to the system's library either. */
const nameHere = (): string => {
  try {
    return userInfo().username
  } catch {
    return "nobody"
  }
}
