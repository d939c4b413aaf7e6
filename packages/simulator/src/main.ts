/** `npm run simulate`: see `CommandLine.ts`. */
import { simulate } from "./CommandLine.ts"

process.exitCode = simulate(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`)
})
