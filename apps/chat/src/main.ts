#!/usr/bin/env node
/**
 * The `satwire-chat` program.
 *
 * ```
 *   0   asked to stop, and everything is closed
 *   1   something failed: one sentence on stderr
 *   2   a command line or an environment that cannot be followed: one sentence on stderr
 * ```
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { complaint, runCommandLine } from "./cli/ChatCommand.ts"
import { ConfigError } from "./cli/ConfigError.ts"
import { runChat } from "./RunChat.ts"

const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  if (cause.reasons.some(Cause.isDieReason)) {
    return Console.error(`${complaint("this is a bug of Satwire, please report it:")}\n${Cause.pretty(cause)}`)
  }
  const error = Cause.squash(cause)
  // What is wrong with a command line has been said.
  if (CliError.isCliError(error)) return Effect.void
  return Console.error(complaint(error instanceof Error ? error.message : String(error)))
}

const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return 0
  const error = Cause.squash(exit.cause)
  return error instanceof ConfigError || CliError.isCliError(error) ? 2 : 1
}

// That nobody reads the log any more (`satwire-chat | head`) asks it to stop.
for (const stream of [process.stdout, process.stderr]) {
  stream.once("error", () => {
    stream.on("error", () => undefined)
    process.kill(process.pid, "SIGTERM")
  })
}

const program = runCommandLine(process.argv.slice(2), runChat).pipe(
  Effect.tapCause(report),
  Effect.provide(NodeServices.layer)
)

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  // Deno goes on for what js-libp2p leaves behind.
  teardown: (exit) => process.exit(exitCodeOf(exit))
})
