/** `npm run simulate:relay`: see `CommandLine.ts`. */
import { writeFileSync } from "node:fs"
import { simulateRelay } from "./CommandLine.ts"

process.exitCode = simulateRelay(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
  save: (file, text) => writeFileSync(file, text)
})
