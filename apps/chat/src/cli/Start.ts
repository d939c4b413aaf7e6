/** Runs a command line as this process, which ends with it. */
import process from "node:process"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { exitCodeOf, reportOf, stopWhenNobodyReads } from "@satwire/command-line"
import * as Effect from "effect/Effect"
import { runChat } from "../RunChat.ts"
import { complaint, runCommandLine } from "./ChatCommand.ts"

export const start = (argv: ReadonlyArray<string>): void => {
  stopWhenNobodyReads()
  const program = runCommandLine(argv, runChat).pipe(
    Effect.tapCause(reportOf(complaint)),
    Effect.provide(NodeServices.layer)
  )
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    // Deno goes on for what js-libp2p leaves behind.
    teardown: (exit) => process.exit(exitCodeOf(exit))
  })
}
