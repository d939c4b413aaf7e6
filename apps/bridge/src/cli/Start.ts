/** Runs a command line as this process, which ends with it. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { exitCodeOf, reportOf, stopWhenNobodyReads } from "@satwire/command-line"
import * as Effect from "effect/Effect"
import { runBridge } from "../RunBridge.ts"
import { complaint, runCommandLine } from "./BridgeCommand.ts"

export const start = (argv: ReadonlyArray<string>): void => {
  stopWhenNobodyReads()
  const program = runCommandLine(argv, runBridge).pipe(
    Effect.tapCause(reportOf(complaint)),
    Effect.provide(NodeServices.layer)
  )
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit))
  })
}
