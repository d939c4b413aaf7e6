/** `npm run simulate` as a process of its own, on the runtime that runs the tests. */
import { execFile } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"

export interface Ran {
  readonly code: unknown
  readonly out: string
  readonly error: string
}

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))
const conditions = "--conditions=@satwire/source"
const runtime = "deno" in process.versions ? ["run", "-A", conditions, main] : [conditions, main]

export const simulateCommand = (...args: ReadonlyArray<string>): Promise<Ran> =>
  new Promise((done) => {
    execFile(process.execPath, [...runtime, ...args], { maxBuffer: 16_000_000 }, (failure, out, error) => {
      done({ code: failure === null ? 0 : failure.code, out, error })
    })
  })
