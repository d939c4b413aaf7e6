/** From what was given anywhere to one value for each option, or one sentence that says which value is wrong and where it stands. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigError, type Origin, describeOrigin, wrongValue } from "./ConfigError.ts"
import type { ConfigFile, FileEntry } from "./ConfigFile.ts"
import { CORE_OPTION } from "./CoreOnly.ts"
import { nearest } from "./Nearest.ts"
import { NETWORK_SWITCHES, OPTIONS, type OptionName, ROWS, type Settings, environmentName } from "./Options.ts"
import type { CommandName, OptionRow } from "./OptionRow.ts"
import { PRESETS, type PresetName } from "./Presets.ts"
import type { NetworkName } from "./Values.ts"

export interface Sources {
  readonly command: CommandName
  /** The texts of each option on the command line, in order. */
  readonly flags: Readonly<Record<string, ReadonlyArray<string>>>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly file: ConfigFile | undefined
}

export interface Resolution {
  readonly settings: Settings
  /** What each option was made of: what was given, what its preset says, or nothing where its default counts. */
  readonly texts: ReadonlyMap<string, ReadonlyArray<Text>>
  /** Core's options that mean nothing here and were given. */
  readonly coreOnly: ReadonlyArray<string>
  readonly network: NetworkName
  /** Options that somebody gave, with any value. */
  readonly given: ReadonlySet<string>
  /** Sentences about what was passed over. */
  readonly warnings: ReadonlyArray<string>
}

/** One value for each option that the command knows. */
export const resolveSettings = (sources: Sources): Result.Result<Resolution, ConfigError> =>
  Result.gen(function* () {
    yield* onlyFlagsOf(sources)
    const network = yield* chosenNetwork(sources)
    const preset = yield* valueOf(OPTIONS.preset, textsOf(OPTIONS.preset, sources, network)?.texts ?? [])
    const values: Record<string, unknown> = {}
    const given = new Set<string>()
    const all = new Map<string, ReadonlyArray<Text>>()
    for (const row of ROWS) {
      const isTheirs = row.commands.includes(sources.command)
      const said = isTheirs ? (textsOf(row, sources, network)?.texts ?? []) : []
      if (said.length > 0) given.add(row.name)
      const texts = said.length === 0 && isTheirs ? fromPreset(row, preset as PresetName | undefined) : said
      all.set(row.name, texts)
      values[row.name] = yield* valueOf(row, texts)
    }
    const ignored = sources.file?.ignored ?? []
    const warnings = [...ignored, ...passedOver(sources, network), ...mistypedVariables(sources.environment)]
    // Each row's Schema gives what `Settings` says of it: `OPTIONS` is typed by it.
    const settings = values as unknown as Settings
    return { settings, texts: all, network, given, warnings, coreOnly: coreOnlyOf(sources, network) }
  })

/** The files that the first one includes, for the network that is chosen. */
export const includedFiles = (sources: Sources): Result.Result<ReadonlyArray<string>, ConfigError> =>
  Result.gen(function* () {
    const network = yield* chosenNetwork(sources)
    return (yield* valueOf(
      OPTIONS.includeconf,
      fromFile(OPTIONS.includeconf, sources, network)
    )) as ReadonlyArray<string>
  })

/** The value of one option for which no file is read: where the file itself lies. */
export const resolveBefore = (
  name: "datadir" | "conf",
  sources: Omit<Sources, "file">
): Result.Result<{ readonly value: string; readonly given: boolean }, ConfigError> => {
  const row: OptionRow<unknown> = OPTIONS[name]
  const texts = textsOf(row, { ...sources, file: undefined }, "mainnet")?.texts ?? []
  return Result.map(valueOf(row, texts), (value) => ({ value: value as string, given: texts.length > 0 }))
}

/** A value as it was given, and where. */
export interface Text {
  readonly value: string
  readonly origin: Origin
}

/** The texts of an option from the first place that has it, and which place that was: 0 is the first. */
const textsOf = (
  row: OptionRow<unknown>,
  sources: Sources,
  network: NetworkName
): { readonly rank: number; readonly texts: ReadonlyArray<Text> } | undefined => {
  const places = [fromFlags(row, sources), fromEnvironment(row, sources), fromFile(row, sources, network)]
  const rank = places.findIndex((texts) => texts.length > 0)
  const texts = places[rank]
  return texts === undefined ? undefined : { rank, texts }
}

const fromPreset = (row: OptionRow<unknown>, preset: PresetName | undefined): ReadonlyArray<Text> => {
  const value = preset === undefined ? undefined : PRESETS[preset][row.name]
  return preset === undefined || value === undefined
    ? []
    : [{ value, origin: { _tag: "Preset", name: row.name, preset } }]
}

const fromFlags = (row: OptionRow<unknown>, { flags }: Sources): ReadonlyArray<Text> =>
  lastOf(
    row,
    (flags[row.name] ?? []).map((value) => ({ value, origin: { _tag: "Flag", name: row.name } }))
  )

/** As Core does with its command line: the last one counts. */
const lastOf = (row: OptionRow<unknown>, texts: ReadonlyArray<Text>): ReadonlyArray<Text> =>
  row.kind === "list" ? texts : texts.slice(-1)

const fromEnvironment = (row: OptionRow<unknown>, { environment }: Sources): ReadonlyArray<Text> => {
  if (row.from === "flags" || row.from === "file") return []
  for (const name of [row.name, ...row.aliases].map(environmentName)) {
    const value = environment[name]
    if (value === undefined || value === "") continue
    const values = row.kind === "list" ? value.split(",").map((part) => part.trim()) : [value]
    return values.filter((part) => part !== "").map((part) => ({ value: part, origin: { _tag: "Environment", name } }))
  }
  return []
}

const fromFile = (row: OptionRow<unknown>, { file }: Sources, network: NetworkName): ReadonlyArray<Text> => {
  if (file === undefined) return []
  const entries = file.entries.filter((entry) => entry.row === row && countsFor(entry, network))
  const inOrder = [
    ...entries.filter(({ section }) => section !== undefined),
    ...entries.filter(({ section }) => section === undefined)
  ]
  const texts = inOrder.map(({ value, name, line, path }): Text => {
    return { value, origin: { _tag: "File", path, line, name } }
  })
  return row.kind === "list" ? texts : texts.slice(0, 1)
}

const countsFor = (entry: FileEntry, network: NetworkName): boolean =>
  entry.section === undefined ? !entry.row.perNetwork || network === "mainnet" : entry.section === network

const valueOf = (row: OptionRow<unknown>, texts: ReadonlyArray<Text>): Result.Result<unknown, ConfigError> => {
  if (row.kind === "list") {
    // `0` takes back what stands before it.
    const from = texts.findLastIndex(({ value }) => value === "0") + 1
    return Result.all(texts.slice(from).map((text) => decoded(row, text)))
  }
  const text = texts[0] ?? defaultOf(row)
  return text === undefined ? Result.succeed(undefined) : decoded(row, text)
}

const defaultOf = (row: OptionRow<unknown>): Text | undefined =>
  row.default === undefined ? undefined : { value: row.default, origin: { _tag: "Default", name: row.name } }

const decoded = (row: OptionRow<unknown>, { value, origin }: Text): Result.Result<unknown, ConfigError> =>
  Result.mapError(Schema.decodeUnknownResult(row.value)(value), () =>
    wrongValue(asWritten(origin, row), value, row.allowed, row.isSecret)
  )

/** The parser does not tell by which of its names a flag was given. */
const asWritten = (origin: Origin, { aliases, name }: OptionRow<unknown>): Origin =>
  origin._tag === "Flag" ? { ...origin, name: [name, ...aliases].join(" or --") } : origin

/**
 * Of the options that choose a network those of the first place count; two of one place must agree. An option that says "not this one"
 * (`-regtest=0`) takes back the same option further down.
 */
const chosenNetwork = (sources: Sources): Result.Result<NetworkName, ConfigError> =>
  Result.gen(function* () {
    let best: { readonly rank: number; readonly network: NetworkName; readonly origin: Origin } | undefined
    for (const name of ["network", ...NETWORK_SWITCHES.keys()] as ReadonlyArray<OptionName>) {
      const row: OptionRow<unknown> = OPTIONS[name]
      const found = row.commands.includes(sources.command) ? textsOf(row, sources, "mainnet") : undefined
      const text = found?.texts[0]
      if (found === undefined || text === undefined) continue
      const value = yield* decoded(row, text)
      const network = value === true ? NETWORK_SWITCHES.get(name) : value === false ? undefined : (value as NetworkName)
      if (network === undefined || (best !== undefined && best.rank < found.rank)) continue
      if (best !== undefined && best.rank === found.rank && best.network !== network) {
        const both = `${describeOrigin(best.origin)} and ${describeOrigin(text.origin)}`
        return yield* Result.fail(new ConfigError({ message: `${both} choose two networks: give one of them` }))
      }
      best = { rank: found.rank, network, origin: text.origin }
    }
    return best?.network ?? "mainnet"
  })

/** Flags stand before or after a command's name, so one of another command can get here. */
const onlyFlagsOf = ({ command, flags }: Sources): Result.Result<void, ConfigError> => {
  const foreign = ROWS.find((row) => !row.commands.includes(command) && (flags[row.name] ?? []).length > 0)
  return foreign === undefined
    ? Result.succeed(undefined)
    : Result.fail(new ConfigError({ message: `the flag --${foreign.name} has no meaning for "satwire ${command}"` }))
}

const coreOnlyOf = ({ file, flags }: Sources, network: NetworkName): ReadonlyArray<string> => {
  const lines = (file?.coreOnly ?? []).filter(({ section }) => section === undefined || section === network)
  return [...new Set([...(flags[CORE_OPTION] ?? []), ...lines.map(({ coreOnly }) => coreOnly)])].toSorted()
}

const passedOver = ({ command, file }: Sources, network: NetworkName): ReadonlyArray<string> =>
  (file?.entries ?? [])
    .filter(({ row, section }) => section === undefined && row.perNetwork && row.commands.includes(command))
    .filter((entry) => !countsFor(entry, network))
    .map(
      ({ name, line, path }) =>
        `"${name}" in line ${line} of ${path} stands in no section and counts for mainnet alone: move it below [${network}]`
    )

/** Variables that are nearly an option's; others that begin with SATWIRE_ may be anybody's. */
const mistypedVariables = (environment: Sources["environment"]): ReadonlyArray<string> => {
  const known = ROWS.flatMap((row) => [row.name, ...row.aliases]).map(environmentName)
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith("SATWIRE_") || known.includes(name)) return []
    const meant = nearest(
      name.slice("SATWIRE_".length),
      // Nobody gets the first letter wrong, and what begins otherwise is likely to be somebody else's.
      known.map((known) => known.slice("SATWIRE_".length)).filter((known) => known[0] === name["SATWIRE_".length])
    )
    return meant === undefined ? [] : [`the environment variable ${name} is no option; did you mean SATWIRE_${meant}?`]
  })
}
