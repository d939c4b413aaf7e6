/** Every setting that counts and where it comes from, as a `bitcoin.conf` that can be read back. */
import { VERSION } from "../Version.ts"
import type { Origin } from "./ConfigError.ts"
import type { Loaded } from "./LoadSettings.ts"
import { NETWORK_SWITCHES, ROWS, defaultInWords } from "./Options.ts"
import type { OptionName } from "./Options.ts"
import type { CommandName, OptionRow } from "./OptionRow.ts"
import type { Text } from "./Settings.ts"

/**
 * Specification: what was given or comes from a preset stands as a line that sets it, with where it comes from behind it; what has its default as a
 * comment. So do what a file cannot hold (`conf`, a value with `#`) and secrets, whose values are not shown. Options that belong to one
 * network stand in its section.
 */
export const formatConfig = (loaded: Loaded, command: CommandName): string => {
  const rows = ROWS.filter(({ commands, name, from }) => commands.includes(command) && !isLeftOut(name, from))
  const lines = (isPerNetwork: boolean): ReadonlyArray<string> =>
    rows.filter(({ perNetwork }) => perNetwork === isPerNetwork).flatMap((row) => linesOf(row, textsFor(row, loaded)))
  const core = loaded.coreOnly.map((name) => `# ${name}: an option of Bitcoin Core that means nothing here`)
  return [
    `# Satwire ${VERSION}: what counts, and where it comes from.`,
    ...lines(false),
    ...core,
    "",
    `[${loaded.network}]`,
    ...lines(true)
  ].join("\n")
}

/** The network is told by its name, included files are told line by line, and this command itself is no setting. */
const isLeftOut = (name: string, from: OptionRow<unknown>["from"]): boolean =>
  NETWORK_SWITCHES.has(name as OptionName) || from === "file" || name === "print-config" || name === "preset"

const textsFor = (row: OptionRow<unknown>, { network, texts }: Loaded): ReadonlyArray<Text> => {
  if (row.name !== "network") return texts.get(row.name) ?? []
  const switches = [...NETWORK_SWITCHES.keys()].flatMap((name) => texts.get(name) ?? [])
  const [first] = [...(texts.get("network") ?? []), ...switches]
  return first === undefined ? [] : [{ value: network, origin: first.origin }]
}

const linesOf = (row: OptionRow<unknown>, texts: ReadonlyArray<Text>): ReadonlyArray<string> => {
  if (texts.length === 0) return [`# ${row.name}=${row.isSecret ? "" : defaultInWords(row)} (default)`]
  return texts.map(({ origin, value }) => {
    const where = placeOf(origin)
    if (row.isSecret) return `# ${row.name}=*** (not shown; ${where})`
    if (row.from !== "everywhere" || /[#\p{Cc}]/u.test(value))
      return `# ${row.name}=${value.replace(/\p{Cc}/gu, "?")} (${where})`
    return `${row.name}=${value} # ${where}`
  })
}

const placeOf = (origin: Origin): string => {
  switch (origin._tag) {
    case "Flag":
      return `flag --${origin.name}`
    case "Environment":
      return `environment ${origin.name}`
    case "File":
      return `${origin.path}:${origin.line}`
    case "Preset":
      return `preset ${origin.preset}`
    case "Default":
      return "default"
  }
}
