/**
 * The configuration file, in the format of `bitcoin.conf`: a person who runs Bitcoin Core knows it, and Core's own file can be read.
 *
 * ```
 *   # a comment runs from # to the end of its line
 *   uacomment=mine          for every network
 *   [regtest]               from here on for regtest only; Core's names main and test work too
 *   connect=127.0.0.1:18444
 *   signet.port=38000       the same as port=38000 in [signet]
 *   includeconf=more.conf   the lines of that file after all of this one's; in that file itself it does not count
 * ```
 *
 * Specification: of two lines for one option the one in the network's section wins, and within a section the first; of an option that
 * may be given several times all lines count, those of the section before the others. A value cannot contain `#`. An option that
 * belongs to one network (`connect`, `bind`, `port`) counts for mainnet alone where it stands in no section.
 *
 * Rationale: these are Core's rules (common/config.cpp), and a file must not mean two things to two programs. Where Core only warns (an
 * unknown option, an unknown section) this is an error, because a mistyped line that is passed over is found much later. What is an option of
 * Core's and means nothing here is let pass, and told.
 */
import * as Result from "effect/Result"
import { ConfigError, clipped } from "./ConfigError.ts"
import { coreOnlyName, coreOnlyNames } from "./CoreOnly.ts"
import { nearest, suggestion } from "./Nearest.ts"
import { NETWORK_SWITCHES, optionNames, resolveName } from "./Options.ts"
import type { OptionRow } from "./OptionRow.ts"
import { NETWORK_NAMES, type NetworkName, networkNamed } from "./Values.ts"

/** One line that sets something. */
export interface FileEntry {
  readonly row: OptionRow<unknown>
  /** As it was written, `no` and all. */
  readonly name: string
  readonly value: string
  /** The network for which alone it counts. */
  readonly section: NetworkName | undefined
  readonly path: string
  readonly line: number
}

/** One line that sets what means nothing here. */
export interface CoreOnlyEntry {
  readonly coreOnly: string
  readonly section: NetworkName | undefined
}

export interface ConfigFile {
  readonly path: string
  readonly entries: ReadonlyArray<FileEntry>
  readonly coreOnly: ReadonlyArray<CoreOnlyEntry>
  /** Sentences about lines that do not count. */
  readonly ignored: ReadonlyArray<string>
}

/** Where a line stands. */
interface Place {
  readonly path: string
  readonly line: number
  readonly section: NetworkName | undefined
}

/** Reads the text of a file; `path` is for errors. */
export const parseConfigFile = (
  text: string,
  path: string,
  isIncluded = false
): Result.Result<ConfigFile, ConfigError> => {
  const entries: Array<FileEntry> = []
  const coreOnly: Array<CoreOnlyEntry> = []
  const ignored: Array<string> = []
  let section: NetworkName | undefined
  for (const [i, raw] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const where = `line ${i + 1} of ${path}`
    const line = raw.split("#", 1)[0]?.trim() ?? ""
    if (line === "") continue
    const heading = /^\[(.*)\]$/.exec(line)?.[1]
    if (heading !== undefined) {
      section = networkNamed(heading.trim())
      if (section === undefined) return fail(`${where} begins the section ${unknownSection(heading)}`)
      continue
    }
    const entry = parseEntry(line, { path, line: i + 1, section })
    if (typeof entry === "string") return fail(`${where} ${entry}`)
    if ("coreOnly" in entry) coreOnly.push(entry)
    else if (entry.row.from === "file" && isIncluded) ignored.push(`${where} ${notIncluded(entry)}`)
    else entries.push(entry)
  }
  return Result.succeed({ path, entries, coreOnly, ignored })
}

/** What the line sets, or what is wrong with it. */
const parseEntry = (line: string, place: Place): FileEntry | CoreOnlyEntry | string => {
  const equals = line.indexOf("=")
  const key = (equals < 0 ? line : line.slice(0, equals)).trim()
  if (key.startsWith("-")) return `sets "${clipped(key)}": in a file options stand without the leading -`
  const dot = key.indexOf(".")
  const dotted = dot < 0 ? undefined : networkNamed(key.slice(0, dot))
  if (dot >= 0 && dotted === undefined) return `is for the section ${unknownSection(key.slice(0, dot))}`
  const name = key.slice(dot + 1)
  const inSection = dotted ?? place.section
  const resolved = resolveName(name)
  if (resolved === undefined || resolved.row.from === "flags") {
    const coreOnly = coreOnlyName(name)
    if (coreOnly === undefined) return `sets ${unknownOption(name)}`
    return equals < 0 ? `sets nothing: write ${coreOnly}=<value>` : { coreOnly, section: inSection }
  }
  const { row, negated } = resolved
  if (row.from === "flags and environment") return `sets ${row.name}, which only a flag or the environment can set`
  const choosesNetwork = row.name === "network" || [...NETWORK_SWITCHES.keys()].some((name) => name === row.name)
  if (choosesNetwork && inSection !== undefined) {
    return `sets ${row.name} for ${inSection}: what chooses the network stands before the first section`
  }
  if (equals < 0) return `sets nothing: write ${row.name}=${row.bare ?? row.metavar}`
  const value = line.slice(equals + 1).trim()
  const { line: number, path } = place
  if (!negated) return { row, name, value, section: inSection, path, line: number }
  if (value !== "1" && value !== "0") return `is "${name}=${clipped(value)}", but no${row.name} must be 0 or 1`
  if (row.kind !== "switch" && value === "0") return `is "${name}=0": write ${row.name}=${row.metavar} instead`
  return { row, name, value: value === "1" ? "0" : "1", section: inSection, path, line: number }
}

const notIncluded = ({ name, value }: FileEntry): string =>
  `sets ${name}=${clipped(value)}, which does not count: this file is included by another one itself`

const unknownSection = (name: string): string =>
  `"${clipped(name)}", which is no network${suggestion(nearest(name, [...NETWORK_NAMES, "main", "test"]))}`

const unknownOption = (name: string): string =>
  `"${clipped(name)}", which is no option${suggestion(nearest(name, [...optionNames(), ...coreOnlyNames()]))}`

const fail = (message: string): Result.Result<never, ConfigError> => Result.fail(new ConfigError({ message }))
