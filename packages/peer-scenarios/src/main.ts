/** `npm run simulate:peers`: see `CommandLine.ts`. */
import { simulatePeers } from "./CommandLine.ts"

process.exitCode = simulatePeers(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`)
})
