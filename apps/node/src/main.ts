#!/usr/bin/env node
/** The `satwire` program. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { normaliseArgv } from "./cli/Argv.ts"
import { runCommand } from "./cli/Commands.ts"
import { exitCodeOf, report, stopInTime } from "./cli/Ending.ts"

const program = runCommand(normaliseArgv(process.argv.slice(2))).pipe(
  Effect.tapCause(report),
  Effect.provide(NodeServices.layer)
)

stopInTime()
NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(exitCodeOf(exit))
})
