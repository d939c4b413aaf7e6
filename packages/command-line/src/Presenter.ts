/** What a command line says back: help, the version, or one sentence about the first thing that is wrong with it. */
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

export type Invalid = CliError.NonShowHelpErrors
type HelpDoc = CliOutput.Presenter.Help["helpDoc"]

export interface PresenterOptions {
  readonly complaint: (sentence: string) => string
  /** What is wrong, in one sentence; `path` are the words of the command. */
  readonly sentenceOf: (error: Invalid, path: ReadonlyArray<string>) => string
  /** Effect's own text, without colours, where not given. */
  readonly helpOf?: (help: HelpDoc, path: ReadonlyArray<string>) => string
}

export interface RunOptions {
  readonly argv: ReadonlyArray<string>
  readonly version: string
  readonly presenter: CliOutput.Presenter
}

const plainHelp = (help: HelpDoc): string => CliOutput.defaultFormatter({ colors: false }).formatHelpDoc(help)

export const presenterOf = ({ complaint, sentenceOf, helpOf = plainHelp }: PresenterOptions): CliOutput.Presenter => ({
  present: (event) => {
    switch (event._tag) {
      case "Version":
        return Console.log(`${event.name} ${event.version}`)
      case "Help":
        return Console.log(helpOf(event.helpDoc, event.commandPath))
      case "InvalidInvocation": {
        const [first] = event.errors
        return first === undefined ? Effect.void : Console.error(complaint(sentenceOf(first, event.commandPath)))
      }
    }
  }
})

/** Runs a command for the words after its program's, with those flags alone that every program has: `--help`, `--version`, `--completions`. */
export const runWith = <Name extends string, Input, Context, E, R>(
  command: Command.Command<Name, Input, Context, E, R>,
  { argv, presenter, version }: RunOptions
): Effect.Effect<void, E | CliError.CliError, R | Command.Environment> =>
  Effect.provide(Command.runWith(command, { version })(argv), [
    CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
    CliOutput.layerPresenter(presenter)
  ])
