#!/usr/bin/env node
/** The `satwire` program. */
import process from "node:process"
import { startHearing } from "@satwire/command-line/loading"
import { interruptedCode } from "./cli/Interrupted.ts"

const argv = process.argv.slice(2)
const interrupted = interruptedCode(argv)
await startHearing(interrupted, async () => (await import("./cli/Start.ts")).start(argv, interrupted))
