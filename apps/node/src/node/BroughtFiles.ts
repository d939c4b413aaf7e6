/** Files that the node's options name: a map of autonomous systems, a list of nodes to begin with, and lists of headers. */
import { join } from "node:path"
import { platformSha256 } from "@satwire/crypto/node"
import { readSeedsFile } from "@satwire/discovery/effect"
import { MAX_STRETCH_HEADERS } from "@satwire/header-sync"
import { AsMap, MAX_ASMAP_BYTES, NetGroups } from "@satwire/netaddress"
import type { NodeOptions } from "@satwire/node"
import { type ChainParams, type HeaderPoint, MAX_HEADER_POINTS, parseHeaderPoints } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { ConfigError } from "../config/ConfigError.ts"
import { absolute } from "../config/LoadSettings.ts"
import type { Settings } from "../config/Options.ts"

/** The options with what the files hold. What cannot be read is an error, as the node would run without what somebody relies on. */
export const withFiles = (
  options: NodeOptions,
  {
    asmap,
    datadir,
    headerskeleton,
    seedsfile,
    trustedheaders
  }: Pick<Settings, "asmap" | "datadir" | "headerskeleton" | "seedsfile" | "trustedheaders">
): Effect.Effect<NodeOptions, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { params } = options
    const groups =
      asmap === undefined || asmap === "0"
        ? undefined
        : yield* readAsMap(absolute(asmap, join(absolute(datadir), params.directory)))
    const fixedSeeds =
      seedsfile === undefined
        ? []
        : yield* readSeedsFile(absolute(seedsfile), options.params.name).pipe(
            Effect.mapError(({ message }) => new ConfigError({ message: `seedsfile: ${message}` }))
          )
    const trusted =
      trustedheaders === undefined ? undefined : yield* readPoints("trustedheaders", trustedheaders, params)
    const skeleton =
      headerskeleton === undefined
        ? asSkeleton(trusted)
        : yield* readPoints("headerskeleton", headerskeleton, params, MAX_STRETCH_HEADERS)
    return {
      ...options,
      groups,
      addresses: { ...options.addresses, fixedSeeds },
      trustedHeaders: trusted,
      skeleton
    }
  })

/** What is trusted serves as a skeleton too, where its points are near enough. */
const asSkeleton = (trusted: ReadonlyArray<HeaderPoint> = []): ReadonlyArray<HeaderPoint> | undefined => {
  const isNear = trusted.every(({ height }, i) => height - (trusted[i - 1]?.height ?? 0) <= MAX_STRETCH_HEADERS)
  return trusted.length > 0 && isNear ? trusted : undefined
}

/** A line takes 75 bytes: so there is room for comments. */
const MAX_POINTS_FILE_BYTES = 100 * MAX_HEADER_POINTS

const readPoints = (
  option: "headerskeleton" | "trustedheaders",
  file: string,
  params: ChainParams,
  mostApart?: number
): Effect.Effect<ReadonlyArray<HeaderPoint>, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const path = absolute(file)
    const bytes = yield* readBrought(option, path, MAX_POINTS_FILE_BYTES)
    const points = parseHeaderPoints(new TextDecoder().decode(bytes), params, mostApart)
    if (Result.isSuccess(points)) return points.success
    const { line, what } = points.failure
    return yield* new ConfigError({ message: `${option}: the file ${path} is wrong: line ${line} ${what}` })
  })

/** A whole file. */
export const readBrought = (
  option: string,
  path: string,
  mostBytes: number
): Effect.Effect<Uint8Array, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const failed = (what: string): ConfigError => new ConfigError({ message: `${option}: the file ${path} ${what}` })
    const cannotRead = Effect.mapError(
      ({ message, reason }: { readonly message: string; readonly reason: { readonly _tag: string } }) =>
        failed(reason._tag === "NotFound" ? "does not exist" : `cannot be read: ${message}`)
    )
    const { size, type } = yield* cannotRead(files.stat(path))
    if (type !== "File") return yield* failed("is no file")
    if (size > mostBytes) return yield* failed(`has more than ${mostBytes} bytes`)
    return yield* cannotRead(files.readFile(path))
  })

const readAsMap = (path: string): Effect.Effect<NetGroups, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = AsMap.load(yield* readBrought("asmap", path, MAX_ASMAP_BYTES), platformSha256)
    if (Result.isSuccess(loaded)) return new NetGroups(loaded.success)
    const { atBit, what } = loaded.failure
    return yield* new ConfigError({ message: `asmap: the file ${path} is no AS map: ${what}, at bit ${atBit}` })
  })
