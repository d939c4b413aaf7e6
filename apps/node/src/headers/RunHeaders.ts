/** `satwire headers …`: the headers of a data directory as files that other programs read and write, while no node runs on it. */
import { dirname, join } from "node:path"
import {
  type ExportFault,
  type ImportFault,
  SKELETON_SPACING,
  exportHeaders,
  exportSkeleton,
  importHeaders
} from "@satwire/header-files"
import { type HeadersRefused, layerOnDisk } from "@satwire/node"
import { type ChainParams, toHex } from "@satwire/primitives"
import { type Files, type HeaderStore, type StoreError, layerFiles } from "@satwire/store"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { FlagTexts } from "../cli/Flags.ts"
import { complaint } from "../cli/Presenter.ts"
import { ConfigError } from "../config/ConfigError.ts"
import { identityOf } from "../config/Identity.ts"
import { absolute, loadSettings } from "../config/LoadSettings.ts"
import type { HEADERS_COMMANDS } from "../config/OptionRow.ts"
import type { Settings } from "../config/Options.ts"
import { counted } from "../Numbers.ts"

export type RunHeadersError =
  | ConfigError
  | FileThere
  | Exclude<ExportFault, { readonly _tag: "HeaderFileExists" }>
  | ImportFault
  | HeadersRefused
  | StoreError

const FileThereBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "FileThere"; readonly message: string } = Data.TaggedError("FileThere")

/** The file is there, and nobody has said that it may be overwritten. */
export class FileThere extends FileThereBase {}

/** Writes the best chain into a file. */
export const runExport = (
  file: string,
  flags: FlagTexts
): Effect.Effect<void, Exclude<RunHeadersError, ImportFault>, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { params, path, written } = yield* write("headers export", exportHeaders, file, flags)
    const { count, tip } = written
    const range = `from genesis to height ${counted(tip.height)}`
    yield* Console.log(
      `Wrote ${counted(count, "header")} of ${params.name} to ${path}: ${range}, tip ${toHex(tip.hash)}.`
    )
  })

/** Writes points of the best chain into a file. */
export const runSkeleton = (
  file: string,
  flags: FlagTexts
): Effect.Effect<void, Exclude<RunHeadersError, ImportFault>, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { params, path, written } = yield* write("headers skeleton", exportSkeleton, file, flags)
    const { tip } = written
    const what = `the height and hash of every ${counted(SKELETON_SPACING)}th header of ${params.name}, and of its tip,`
    yield* Console.log(`Wrote ${what} to ${path}, up to height ${counted(tip.height)}, ${toHex(tip.hash)}.`)
  })

const write = (
  command: "headers export" | "headers skeleton",
  exported: typeof exportHeaders,
  file: string,
  flags: FlagTexts
) =>
  Effect.gen(function* () {
    const path = absolute(file)
    const place = yield* placeOf(command, flags)
    if (dirname(path) === place.directory) {
      const message = `${path} lies among the node's own files: choose another directory`
      return yield* new ConfigError({ message })
    }
    const { params, settings } = place
    const written = yield* inPlace(place, exported({ params, path, overwrites: settings.force ?? false })).pipe(
      Effect.catchTag(
        "HeaderFileExists",
        () => new FileThere({ message: `${path} is there already: choose another name, or overwrite it by --force` })
      )
    )
    return { params, path, written }
  })

/** Takes a file's headers in. */
export const runImport = (
  file: string,
  flags: FlagTexts
): Effect.Effect<void, Exclude<RunHeadersError, ExportFault>, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const path = absolute(file)
    const place = yield* placeOf("headers import", flags)
    const { params } = place
    const onProgress = yield* atMostOnceASecond((done, of) =>
      Console.error(
        `${counted(done)} of ${counted(of, "header")} are valid and kept (${Math.floor((100 * done) / of)} %).`
      )
    )
    const { added, count, last, tip } = yield* inPlace(place, importHeaders({ params, path, onProgress }))
    const news = added === 0 ? "none" : counted(added)
    yield* Console.log(
      `Read ${counted(count, "header")} of ${params.name} from ${path}: all valid, ${news} of them new.`
    )
    const best = `The best chain has height ${counted(tip.height)}, tip ${toHex(tip.hash)}.`
    const isBest = toHex(last.hash) === toHex(tip.hash)
    yield* Console.log(isBest ? best : `The file ends at height ${counted(last.height)}. ${best}`)
  })

interface Place {
  readonly settings: Settings
  readonly params: ChainParams
  /** The data directory of all networks. */
  readonly root: string
  /** This network's folder in it. */
  readonly directory: string
}

/** Where headers are kept, by the options that a node has for that. */
const placeOf = (
  command: (typeof HEADERS_COMMANDS)[number],
  flags: FlagTexts
): Effect.Effect<Place, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings(command, flags)
    for (const warning of loaded.warnings) yield* Console.error(complaint(warning))
    const { params } = yield* Effect.fromResult(identityOf(loaded))
    const root = absolute(loaded.settings.datadir)
    return { settings: loaded.settings, params, root, directory: join(root, params.directory) }
  })

/** With the place locked. */
const inPlace = <A, E>(
  { params, root }: Place,
  program: Effect.Effect<A, E, HeaderStore | Files>
): Effect.Effect<A, E | StoreError> =>
  Effect.provide(program, [Layer.merge(layerOnDisk(root, params), layerFiles), warnings])

/** What the store warns of; what it merely tells is left to the node's log. */
const warnings: Layer.Layer<never> = Logger.layer([
  Logger.withConsoleError(
    Logger.make(({ message }) => complaint(Array.isArray(message) ? message.join(" ") : String(message)))
  )
])

const ONE_SECOND_MS = 1000

/** The first call is told a second after this one. */
const atMostOnceASecond = (
  tell: (done: number, of: number) => Effect.Effect<void>
): Effect.Effect<(done: number, of: number) => Effect.Effect<void>> =>
  Effect.map(Clock.currentTimeMillis, (start) => {
    let last = start
    return (done, of) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (now - last < ONE_SECOND_MS) return Effect.void
        last = now
        return tell(done, of)
      })
  })
