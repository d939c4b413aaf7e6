/** A program of ours that writes lines of JSON and is killed, `SIGKILL`, so many milliseconds after it said that it began. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { assert } from "vitest"

const runtime = "Deno" in globalThis ? ["run", "-A", "--conditions=@satwire/source"] : ["--conditions=@satwire/source"]

/** One life: all that it said. */
export const killedLife = async <Line>(
  script: URL,
  args: ReadonlyArray<string>,
  afterMs: number
): Promise<ReadonlyArray<Line>> => {
  const child = spawn(process.execPath, [...runtime, fileURLToPath(script), ...args], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  let out = ""
  let errors = ""
  child.stderr.on("data", (chunk) => (errors += String(chunk)))
  const began = new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      out += String(chunk)
      if (out.includes("began")) resolve()
    })
    child.once("close", () => reject(new Error(`it ended by itself: ${errors}`)))
  })
  await began
  const gone = once(child, "close")
  setTimeout(() => child.kill("SIGKILL"), afterMs)
  await gone
  assert.notInclude(errors, "set aside")
  // The last line may be cut.
  const whole = out.slice(0, out.lastIndexOf("\n"))
  return whole.split("\n").map((line) => JSON.parse(line) as Line)
}
