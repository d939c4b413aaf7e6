/**
 * How a program ends: which exit code, and what it says of an error.
 *
 * ```
 *   0   done, or asked to stop
 *   1   something failed: one sentence on stderr
 *   2   a command line, environment or file that cannot be followed: one sentence on stderr
 * ```
 */
import process from "node:process"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ConfigError } from "./ConfigError.ts"

export const FAILED = 1
export const NOT_UNDERSTOOD = 2

/** How every error of a program is printed: `satwire: …`, without a full stop. */
export const complaintOf =
  (program: string) =>
  (sentence: string): string =>
    `${program}: ${sentence.replace(/\.$/, "")}`

/** The exit code for an error. */
export const failureCodeOf = (error: unknown): number =>
  error instanceof ConfigError || CliError.isCliError(error) ? NOT_UNDERSTOOD : FAILED

/** The exit code of a program that goes on until it is asked to stop. */
export const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number =>
  Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : failureCodeOf(Cause.squash(exit.cause))

/**
 * Says what went wrong: an error in its own sentence, a bug with all that is known of it.
 *
 * @param lineOf the whole line for an error that is said in another way
 */
export const reportOf =
  (complaint: (sentence: string) => string, lineOf: (error: unknown) => string | undefined = () => undefined) =>
  (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    if (cause.reasons.some(Cause.isDieReason)) {
      return Console.error(`${complaint("this is a bug of Satwire, please report it:")}\n${Cause.pretty(cause)}`)
    }
    const error = Cause.squash(cause)
    // What is wrong with a command line the presenter has said.
    if (CliError.isCliError(error)) return Effect.void
    return Console.error(lineOf(error) ?? complaint(error instanceof Error ? error.message : String(error)))
  }

/** That nobody reads any more what a program prints (`satwire | head`) asks it to stop. */
export const stopWhenNobodyReads = (): void => {
  let isDeaf = false
  const onBrokenPipe = (): void => {
    if (!isDeaf) process.kill(process.pid, "SIGTERM")
    isDeaf = true
  }
  for (const stream of [process.stdout, process.stderr]) stream.on("error", onBrokenPipe)
}
