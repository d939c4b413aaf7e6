/**
 * How the program ends: which exit code, and what it says of an error.
 *
 * ```
 *   0   done; or a node or playground that was asked to stop and has closed everything
 *   1   something failed: one sentence on stderr
 *   2   a command line, environment or file that cannot be followed: one sentence on stderr
 *   n   the node answered with the error -n: `satwire rpc`
 *   130 a question that was interrupted before its answer
 * ```
 */
import { FAILED, failureCodeOf, reportOf, stopWhenNobodyReads } from "@satwire/command-line"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { RpcAnsweredError } from "../rpc/RpcErrors.ts"
import { complaint } from "./Presenter.ts"

/** A second signal. */
const AT_ONCE = 130

/** How long everything may take to close after Ctrl-C. */
const CLOSING_MS = 5000
/** Signals this close together are one Ctrl-C: npm passes on what the terminal has sent already. */
const SAME_SIGNAL_MS = 500

/**
 * Sees to it that a program that was asked to stop does: a second Ctrl-C ends it at once, and so does closing that takes too long. That
 * nobody reads what it prints any more (`satwire | head`) asks it to stop as well.
 */
export const stopInTime = (): void => {
  const overdue = Effect.sleep(CLOSING_MS).pipe(
    Effect.andThen(Console.error(complaint(`could not close everything within ${CLOSING_MS / 1000} seconds`))),
    Effect.andThen(Effect.sync(() => process.exit(FAILED)))
  )
  let asked: "not yet" | "just now" | "before" = "not yet"
  const settle = Effect.andThen(
    Effect.sleep(SAME_SIGNAL_MS),
    Effect.sync(() => void (asked = "before"))
  )
  const onSignal = (): void => {
    if (asked === "before") process.exit(AT_ONCE)
    if (asked === "just now") return
    asked = "just now"
    Effect.runFork(settle)
    Effect.runFork(overdue)
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal)
  stopWhenNobodyReads()
}

/**
 * The exit code for how the program went.
 *
 * @param interrupted where it was asked to stop
 */
export const exitCodeOf = (exit: Exit.Exit<unknown, unknown>, interrupted: number): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return interrupted
  const error = Cause.squash(exit.cause)
  return error instanceof RpcAnsweredError ? error.exitCode : failureCodeOf(error)
}

/** Says what went wrong; what a node answered, as it said it. */
export const report: (cause: Cause.Cause<unknown>) => Effect.Effect<void> = reportOf(complaint, (error) =>
  error instanceof RpcAnsweredError ? error.message : undefined
)
