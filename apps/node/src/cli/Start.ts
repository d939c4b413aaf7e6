/** Runs a command line as this process, which ends with it. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { normaliseArgv } from "./Argv.ts"
import { runCommand } from "./Commands.ts"
import { exitCodeOf, report, stopInTime } from "./Ending.ts"

/** @param interrupted the exit code where it was asked to stop */
export const start = (argv: ReadonlyArray<string>, interrupted: number): void => {
  const program = runCommand(normaliseArgv(argv)).pipe(Effect.tapCause(report), Effect.provide(NodeServices.layer))
  stopInTime()
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit, interrupted))
  })
}
