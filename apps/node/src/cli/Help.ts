/** What `--help` prints: what a command does, its options with units and defaults, examples, and where else options can stand. */
import type { ArgDoc, FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import * as Option from "effect/Option"
import { ROWS, environmentName, rowNamed } from "../config/Options.ts"
import { COMMANDS, type CommandName } from "../config/OptionRow.ts"

const WIDTH = 100
const NAME_COLUMN = 30
const EXAMPLE_COLUMN = 48

/** The commands that a path of names such as `["satwire", "peer"]` leads to: several where it names a group of them. */
export const commandsOf = ([, ...names]: ReadonlyArray<string>): ReadonlyArray<CommandName> => {
  const typed = names.join(" ")
  return typed === "" ? ["node"] : COMMANDS.filter((name) => name === typed || name.startsWith(`${typed} `))
}

/** The words that may follow this path as a command's name. */
export const wordsBelow = (path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const words = COMMANDS.filter((name) => name !== "node").map((name) => ["satwire", ...name.split(" ")])
  const below = words.filter((names) => path.every((name, i) => names[i] === name))
  return [...new Set(below.flatMap((names) => names.slice(path.length, path.length + 1)))]
}

export const formatHelp = (doc: HelpDoc, path: ReadonlyArray<string>): string => {
  const covered = commandsOf(path)
  const flags = [...doc.flags, ...(doc.inheritedFlags ?? [])].filter(
    ({ name }) => rowNamed(name)?.commands.some((command) => covered.includes(command)) ?? true
  )
  const commands = (doc.subcommands ?? []).flatMap((group) => group.commands)
  const sections = [
    doc.description
      .split("\n")
      .map((line) => wrap(line, 0))
      .join("\n"),
    section("Usage", usagesOf(doc, path)),
    section(
      "Commands",
      commands.map(({ name, description }) => row(name, description.split("\n")[0] ?? ""))
    ),
    section(
      "Arguments",
      (doc.args ?? []).map(({ name, description }) => row(`<${name}>`, text(description)))
    ),
    section("Options", inTableOrder(flags).map(flagRow)),
    section("Also", (doc.globalFlags ?? []).map(flagRow)),
    section(
      "Examples",
      (doc.examples ?? []).map((example) => row(example.command, example.description ?? "", EXAMPLE_COLUMN))
    ),
    covered.includes("playground") ? "" : wrap(PLACES, 0)
  ]
  return sections.filter((part) => part !== "").join("\n\n")
}

const PLACES = `Options may have one dash or two, as in Bitcoin Core. An option that is not given on the command line is looked for in the environment (${environmentName("port")}=8333 is --port=8333; commas between several values) and then in the file satwire.conf of the data directory, in the format of bitcoin.conf.`

const usagesOf = (doc: HelpDoc, path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const own = `${path.join(" ")}${(doc.args ?? []).map(argument).join("")} [options]`
  const below = (doc.subcommands ?? []).flatMap((group) => group.commands)
  // A group below the program does nothing by itself.
  const usages = below.length > 0 && path.length > 1 ? [] : [own]
  return [...usages, ...(below.length === 0 ? [] : [`${path.join(" ")} <command> [options]`])].map(
    (line) => `  ${line}`
  )
}

const argument = ({ name, required, variadic }: ArgDoc): string => {
  const one = required ? `<${name}>` : `[<${name}>]`
  return variadic ? ` ${one} ...` : ` ${one}`
}

const section = (title: string, lines: ReadonlyArray<string>): string =>
  lines.length === 0 ? "" : `${title}\n${lines.join("\n")}`

/** What a command shares with others stands where the table has it, and not behind its own. */
const inTableOrder = (flags: ReadonlyArray<FlagDoc>): ReadonlyArray<FlagDoc> => {
  const place = ({ name }: FlagDoc): number => ROWS.findIndex((row) => row.name === name)
  return [...flags].sort((a, b) => place(a) - place(b))
}

const flagRow = (flag: FlagDoc): string => {
  const names = [`--${flag.name}`, ...flag.aliases].join(", ")
  const kind = rowNamed(flag.name)?.kind
  const value = flag.type === "boolean" || kind === "switch" ? "" : `=${rowNamed(flag.name)?.metavar ?? flag.type}`
  return row(`${names}${value}`, text(flag.description))
}

const text = (description: Option.Option<string>): string => Option.getOrElse(description, () => "")

/** A name, and what it means beside it, or below it where the name is long. */
const row = (name: string, meaning: string, column: number = NAME_COLUMN): string => {
  const wrapped = wrap(meaning, column)
  return name.length + 4 > column
    ? `  ${name}\n${" ".repeat(column)}${wrapped}`
    : `  ${name.padEnd(column - 2)}${wrapped}`
}

const NO_BREAK = "\u00A0"

/** Breaks a text into lines, all but the first of them indented. A short default at its end stays whole. */
const wrap = (text: string, indent: number): string => {
  const words = text.replace(/\(default: .{1,40}\)$/, (whole) => whole.replaceAll(" ", NO_BREAK)).split(" ")
  const lines: Array<string> = []
  let line = ""
  for (const word of words) {
    if (line !== "" && line.length + 1 + word.length > WIDTH - indent) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`).replaceAll(NO_BREAK, " ")
}
