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
import process from "node:process"
import { startHearing } from "@satwire/command-line/loading"

await startHearing(0, async () => (await import("./cli/Start.ts")).start(process.argv.slice(2)))
