/** What the command line says back: help, the version, or one sentence about the first thing that is wrong with it. */
import { type Invalid, complaintOf, presenterOf } from "@satwire/command-line"
import type * as CliOutput from "effect/cli/CliOutput"
import { clipped, wrongValue } from "../config/ConfigError.ts"
import { coreOnlyNames } from "../config/CoreOnly.ts"
import { nearest, suggestion } from "../config/Nearest.ts"
import { ROWS, resolveName, rowNamed } from "../config/Options.ts"
import { type CommandName, type OptionRow, typedName } from "../config/OptionRow.ts"
import { commandsOf, formatHelp, wordsBelow } from "./Help.ts"

/** How every error of this program is printed. */
export const complaint: (sentence: string) => string = complaintOf("satwire")

const sentenceOf = (error: Invalid, path: ReadonlyArray<string>): string => {
  const command = path.join(" ")
  switch (error._tag) {
    case "UnrecognizedOption":
      return unknownOption(error.option, commandsOf(path), command)
    case "UnknownSubcommand": {
      const meant = nearest(error.subcommand, wordsBelow(path))
      return `there is no command "${clipped(error.subcommand)}"${suggestion(meant)} (see "${command} --help")`
    }
    case "MissingArgument":
      return `"${command}" needs <${error.argument}> (see "${command} --help")`
    case "UnexpectedArgument":
      return `"${command}" has no use for "${clipped(error.arguments.join(" "))}" (see "${command} --help")`
    case "InvalidValue": {
      const allowed = rowNamed(error.option)?.allowed ?? error.expected.replace(/^Expected:? /, "")
      const origin = { _tag: "Flag", name: error.option } as const
      return error.value === ""
        ? `the flag --${error.option} has no value, but must be ${allowed}`
        : wrongValue(origin, error.value, allowed).message
    }
    default:
      return error.message
  }
}

export const presenter: CliOutput.Presenter = presenterOf({ complaint, sentenceOf, helpOf: formatHelp })

const ALWAYS = ["help", "version", "completions"]

const unknownOption = (option: string, covered: ReadonlyArray<CommandName>, path: string): string => {
  const name = option.replace(/^-+/, "")
  const isTheirs = ({ commands }: Pick<OptionRow<unknown>, "commands">): boolean =>
    commands.some((command) => covered.includes(command))
  const row = resolveName(name)?.row
  if (row?.from === "file") return `${row.name} can stand in a configuration file only`
  if (row !== undefined && !isTheirs(row)) {
    const elsewhere = row.commands.map((name) => `"${typedName(name)}"`).join(" and ")
    return `${option} is an option of ${elsewhere}, not of "${path}"`
  }
  const known = ROWS.filter(isTheirs).flatMap((row) => [row.name, ...row.aliases])
  const meant = nearest(name, [...known, ...ALWAYS, ...coreOnlyNames()])
  const did = suggestion(meant === undefined ? undefined : `--${meant}`)
  return `there is no option ${clipped(option)}${did} (see "${path} --help")`
}
