/** The table of options as flags of `effect/cli`. Their values stay texts: what is allowed is judged in one place, wherever it came from. */
import type * as Completions from "effect/cli/Completions"
import * as Flag from "effect/cli/Flag"
import { CORE_OPTION } from "../config/CoreOnly.ts"
import { ROWS, defaultInWords, rowNamed } from "../config/Options.ts"
import type { CommandName, OptionRow } from "../config/OptionRow.ts"

/** Texts of one flag, in the order in which they were given. */
export type FlagTexts = Readonly<Record<string, ReadonlyArray<string>>>

type Flags = Record<string, Flag.Flag<ReadonlyArray<string>>>

/** The flags of one command alone. */
export const flagsOf = (command: CommandName): Flags =>
  flags(ROWS.filter((row) => row.commands.length === 1 && row.commands[0] === command))

/** What takes the names of Core's options that mean nothing here; `Argv.ts` writes it. */
const coreOption = Flag.String(CORE_OPTION).pipe(Flag.withHidden, Flag.atLeast(0))

/** The flags of several commands, which may stand before or after a command's name. */
export const sharedFlags = (): Flags => ({
  ...flags(ROWS.filter((row) => row.commands.length > 1)),
  [CORE_OPTION]: coreOption
})

const flags = (rows: ReadonlyArray<OptionRow<unknown>>): Flags =>
  Object.fromEntries(rows.filter(({ from }) => from !== "file").map((row) => [row.name, flagOf(row)]))

const flagOf = (row: OptionRow<unknown>): Flag.Flag<ReadonlyArray<string>> => {
  let flag: Flag.Flag<string> = Flag.String(row.name).pipe(
    Flag.withMetavar(row.metavar),
    Flag.withDescription(`${row.doc} (default: ${defaultInWords(row)})`)
  )
  if (row.bare !== undefined) flag = Flag.withOptionalValue(flag, row.bare)
  for (const alias of row.aliases) flag = Flag.withAlias(flag, alias)
  return Flag.atLeast(flag, 0)
}

/** What a shell is to complete: the parser knows only texts, the table knows more. */
export const completionsOf = (command: Completions.CommandDescriptor): Completions.CommandDescriptor => ({
  ...command,
  flags: command.flags.map((flag) => {
    const row = rowNamed(flag.name)
    return row === undefined ? flag : { ...flag, ...completionOf(row) }
  }),
  subcommands: command.subcommands.map(completionsOf)
})

const completionOf = ({
  name,
  kind,
  completes
}: OptionRow<unknown>): Pick<Completions.FlagDescriptor, "type" | "negation" | "optionalValue"> => {
  if (kind === "switch") return { type: { _tag: "Boolean" }, negation: `no${name}`, optionalValue: false }
  if (completes === "nothing") return { type: { _tag: "String" } }
  return typeof completes === "string"
    ? { type: { _tag: "Path", pathType: completes } }
    : { type: { _tag: "Choice", values: completes } }
}
