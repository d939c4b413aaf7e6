/** Files that the node's options name: a map of autonomous systems, and a list of nodes to begin with. */
import { platformSha256 } from "@satwire/crypto/node"
import { readSeedsFile } from "@satwire/discovery/effect"
import { AsMap, MAX_ASMAP_BYTES, NetGroups } from "@satwire/netaddress"
import type { NodeOptions } from "@satwire/node"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { ConfigError } from "../config/ConfigError.ts"
import { absolute } from "../config/LoadSettings.ts"
import type { Settings } from "../config/Options.ts"

/** The options with what the files hold. What cannot be read is an error, as the node would run without what somebody relies on. */
export const withFiles = (
  options: NodeOptions,
  { asmap, seedsfile }: Pick<Settings, "asmap" | "seedsfile">
): Effect.Effect<NodeOptions, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const groups = asmap === undefined ? undefined : yield* readAsMap(absolute(asmap))
    const fixedSeeds =
      seedsfile === undefined
        ? []
        : yield* readSeedsFile(absolute(seedsfile), options.params.name).pipe(
            Effect.mapError(({ message }) => new ConfigError({ message: `seedsfile: ${message}` }))
          )
    return { ...options, groups, addresses: { ...options.addresses, fixedSeeds } }
  })

const readAsMap = (path: string): Effect.Effect<NetGroups, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const failed = (what: string): ConfigError => new ConfigError({ message: `asmap: the file ${path} ${what}` })
    const cannotRead = Effect.mapError(
      ({ message, reason }: { readonly message: string; readonly reason: { readonly _tag: string } }) =>
        failed(reason._tag === "NotFound" ? "does not exist" : `cannot be read: ${message}`)
    )
    const { size } = yield* cannotRead(files.stat(path))
    if (size > MAX_ASMAP_BYTES) return yield* failed(`has more than ${MAX_ASMAP_BYTES} bytes`)
    const loaded = AsMap.load(yield* cannotRead(files.readFile(path)), platformSha256)
    if (Result.isSuccess(loaded)) return new NetGroups(loaded.success)
    const { atBit, what } = loaded.failure
    return yield* failed(`is no AS map: ${what}, at bit ${atBit}`)
  })
