#!/usr/bin/env node
/**
 * The `satwire-bridge` program. All that it is made of takes a moment to load: who asks it to stop meanwhile is heard as later on.
 *
 * ```
 *   0   asked to stop, and everything is closed
 *   1   something failed: one sentence on stderr
 *   2   a command line or an environment that cannot be followed: one sentence on stderr
 * ```
 */
import process from "node:process"

const endEarly = (): void => process.exit(0)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, endEarly)
const { start } = await import("./cli/Start.ts")
start(process.argv.slice(2))
for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, endEarly)
