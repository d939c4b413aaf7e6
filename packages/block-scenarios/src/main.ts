/** `npm run simulate:blocks`: see `CommandLine.ts`. */
import { simulateBlocks } from "./CommandLine.ts"

process.exitCode = simulateBlocks(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`)
})
