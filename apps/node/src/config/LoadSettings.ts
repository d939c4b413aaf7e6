/** Gathers what was given on the command line, in the environment and in the configuration file. */
import { homedir } from "node:os"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { ConfigError } from "./ConfigError.ts"
import { type ConfigFile, parseConfigFile } from "./ConfigFile.ts"
import type { CommandName } from "./OptionRow.ts"
import { type Resolution, type Sources, includedFiles, resolveBefore, resolveSettings } from "./Settings.ts"
import { codeOf, whyNot } from "./WhyNot.ts"

export interface Loaded extends Resolution {
  /** The configuration file that was read, if there is one. */
  readonly file: string | undefined
}

/** The settings for a command, given its flags. */
export const loadSettings = (
  command: CommandName,
  flags: Sources["flags"]
): Effect.Effect<Loaded, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const environment = yield* Effect.sync(() => ({ ...process.env }))
    const before = { command, flags, environment }
    const datadir = yield* Effect.fromResult(resolveBefore("datadir", before))
    const conf = yield* Effect.fromResult(resolveBefore("conf", before))
    const isWithout = command === "playground" || conf.value === "0"
    const first = isWithout ? undefined : yield* firstFile(conf, datadir.value)
    const file = first === undefined ? undefined : yield* withIncluded(first, { ...before, file: first }, datadir.value)
    const resolution = yield* Effect.fromResult(resolveSettings({ ...before, file }))
    return { ...resolution, file: file?.path }
  })

/** What stands in for `satwire.conf` where there is none: Core's own. */
const CORES_FILE = "bitcoin.conf"

const firstFile = (
  conf: { readonly value: string; readonly given: boolean },
  datadir: string
): Effect.Effect<ConfigFile | undefined, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const file = yield* readConfigFile(absolute(conf.value, datadir), { mustExist: conf.given })
    return file === undefined ? yield* readConfigFile(absolute(CORES_FILE, datadir), { mustExist: false }) : file
  })

/** The file, and after its lines those of the files that it includes. */
const withIncluded = (
  first: ConfigFile,
  sources: Sources,
  datadir: string
): Effect.Effect<ConfigFile, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const coreOnly = [...first.coreOnly]
    const entries = [...first.entries]
    const ignored = [...first.ignored]
    for (const path of yield* Effect.fromResult(includedFiles(sources))) {
      const file = yield* readConfigFile(absolute(path, datadir), { mustExist: true, isIncluded: true })
      entries.push(...(file?.entries ?? []))
      coreOnly.push(...(file?.coreOnly ?? []))
      ignored.push(...(file?.ignored ?? []))
    }
    return { ...first, entries, coreOnly, ignored }
  })

/** The path from the root: `~` is the home directory, and a relative path starts at `base`, or where the program was started. */
export const absolute = (path: string, base?: string): string => {
  if (path === "~" || path.startsWith("~/")) return resolve(homedir(), path.slice(2))
  return base === undefined ? resolve(path) : resolve(absolute(base), path)
}

const readConfigFile = (
  path: string,
  { isIncluded = false, mustExist }: { readonly mustExist: boolean; readonly isIncluded?: boolean }
): Effect.Effect<ConfigFile | undefined, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const text = yield* Effect.result(files.readFileString(path))
    if (Result.isSuccess(text)) return yield* Effect.fromResult(parseConfigFile(text.success, path, isIncluded))
    const code = codeOf(text.failure)
    const isMissing = code === "ENOENT" || code === "ENOTDIR"
    if (isMissing && !mustExist) return undefined
    const why = isMissing ? "does not exist" : `cannot be read: ${whyNot(text.failure)}`
    return yield* new ConfigError({ message: `the configuration file ${path} ${why}` })
  })
