/** Runs the real program: from source on this runtime, or as it is told. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Where a tool of this repository lies. */
export const bin = (name: string): string => fileOf(`../../../node_modules/.bin/${name}`)

const FROM_SOURCE: ReadonlyArray<string> = [
  ...("Deno" in globalThis ? [bin("deno"), "run", "-A"] : [process.execPath]),
  "--conditions=@satwire/source",
  fileOf("../src/main.ts")
]

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  /** The first match in what has been and will be printed; fails when the program ends without it. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>
  readonly signal: (signal: NodeJS.Signals) => void
  readonly ended: Promise<Ended>
}

/** Starts the program, which is gone after the test. */
export const start = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  program: ReadonlyArray<string> = FROM_SOURCE
): Running => {
  const [command = "", ...before] = program
  const env = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...environment }
  const child = spawn(command, [...before, ...args], { env, stdio: ["ignore", "pipe", "pipe"] })
  const pid = child.pid ?? 0
  onTestFinished(() => void child.kill("SIGKILL"))
  let stdout = ""
  let stderr = ""
  const listeners = new Set<() => void>()
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    for (const listener of listeners) listener()
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  })
  const printed = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(stdout)
        if (found !== null) resolve(found)
      }
      listeners.add(look)
      look()
      void ended.then(() => reject(new Error(`ended without ${String(pattern)}:\n${stdout}${stderr}`)))
    })
  // Not `child.kill`: on Deno the code of a program that handled the signal is lost then.
  return { printed, signal: (name) => void process.kill(pid, name), ended }
}

/** Runs the program to its end. */
export const run = (args: ReadonlyArray<string>, environment?: Readonly<Record<string, string>>): Promise<Ended> =>
  start(args, environment).ended
