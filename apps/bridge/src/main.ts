#!/usr/bin/env node
/**
 * The `satwire-bridge` program.
 *
 * ```
 *   0   asked to stop, and everything is closed
 *   1   something failed: one sentence on stderr
 *   2   a command line or an environment that cannot be followed: one sentence on stderr
 * ```
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { exitCodeOf, reportOf, stopWhenNobodyReads } from "@satwire/command-line"
import * as Effect from "effect/Effect"
import { complaint, runCommandLine } from "./cli/BridgeCommand.ts"
import { runBridge } from "./RunBridge.ts"

stopWhenNobodyReads()

const program = runCommandLine(process.argv.slice(2), runBridge).pipe(
  Effect.tapCause(reportOf(complaint)),
  Effect.provide(NodeServices.layer)
)

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(exitCodeOf(exit))
})
