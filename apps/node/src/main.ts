#!/usr/bin/env node
/**
 * The `satwire` program. All that it is made of takes a moment to load, on a busy machine seconds: who asks it to stop meanwhile is heard as
 * later on.
 */
import { interruptedCode } from "./cli/Interrupted.ts"

const interrupted = interruptedCode(process.argv.slice(2))
const endEarly = (): void => process.exit(interrupted)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, endEarly)
const { start } = await import("./cli/Start.ts")
start(process.argv.slice(2), interrupted)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, endEarly)
