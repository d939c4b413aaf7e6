/** `npm run simulate:headers`: see `CommandLine.ts`. */
import { simulateHeaders } from "./CommandLine.ts"

process.exitCode = simulateHeaders(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`)
})
