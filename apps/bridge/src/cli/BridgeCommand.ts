/** The command line, made from the table of options. Values stay texts: what is allowed is judged in one place, wherever it came from. */
import { type Invalid, clipped, complaintOf, presenterOf, runWith } from "@satwire/command-line"
import type * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as Effect from "effect/Effect"
import { OPTIONS, type OptionRow, environmentName } from "../config/Options.ts"
import { VERSION } from "../Version.ts"

/** Texts of each flag, in the order in which they were given. */
export type FlagTexts = Readonly<Record<string, ReadonlyArray<string>>>

const flagOf = (name: string, row: OptionRow<unknown>): Flag.Flag<ReadonlyArray<string>> => {
  const flag = Flag.String(name).pipe(
    Flag.withMetavar(row.metavar),
    Flag.withDescription(`${row.doc} (default: ${row.defaultDoc})`)
  )
  return Flag.atLeast(row.kind === "switch" ? Flag.withOptionalValue(flag, "1") : flag, 0)
}

const FLAGS: Record<string, Flag.Flag<ReadonlyArray<string>>> = Object.fromEntries(
  Object.entries<OptionRow<unknown>>(OPTIONS).map(([name, row]) => [name, flagOf(name, row)])
)

const DESCRIPTION = [
  "A bridge from WebSocket to TCP, by which web pages speak to Bitcoin nodes.",
  "Pages and nodes encrypt end to end (BIP-0324), so the bridge carries what it cannot read. It leads only where --allow says, for pages of the origins that --origin names.",
  `An option that is not given on the command line is looked for in the environment: ${environmentName("allow")} is --allow, with commas between several values.`
].join("\n")

const EXAMPLES = [
  {
    command: "satwire-bridge --allow=127.0.0.1:8333 --origin=https://wallet.example",
    description: "for one site, to the node of this machine"
  },
  {
    command: "satwire-bridge --listen=0.0.0.0:443 --tlscert=chain.pem --tlskey=key.pem --allow=0.0.0.0/0 --origin=*",
    description: "for everybody, to every node of the Internet that listens on IPv4"
  }
]

/** How every error of this program is printed. */
export const complaint: (sentence: string) => string = complaintOf("satwire-bridge")

const SEE = '(see "satwire-bridge --help")'

const sentenceOf = (error: Invalid): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `there is no option ${clipped(error.option)} ${SEE}`
    case "UnknownSubcommand":
      return `it has no use for "${clipped(error.subcommand)}" ${SEE}`
    case "UnexpectedArgument":
      return `it has no use for "${clipped(error.arguments.join(" "))}" ${SEE}`
    case "InvalidValue":
      return `the flag --${error.option} has no value ${SEE}`
    default:
      return error.message
  }
}

/** Runs a command line: `run` where it asks for a bridge. */
export const runCommandLine = <E, R>(
  argv: ReadonlyArray<string>,
  run: (flags: FlagTexts) => Effect.Effect<void, E, R>
): Effect.Effect<void, CliError.CliError | E, Command.Environment | R> => {
  const command = Command.make("satwire-bridge", FLAGS, run).pipe(
    Command.withDescription(DESCRIPTION),
    Command.withExamples(EXAMPLES)
  )
  return runWith(command, { argv, version: VERSION, presenter: presenterOf({ complaint, sentenceOf }) })
}
