/** Runs the real program from source, on this runtime or on another one, with a home of its own that is removed afterwards. */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryDirectory } from "@satwire/testkit"
import { onTestFinished } from "vitest"

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const bin = (name: string): string => fileOf(`../../../node_modules/.bin/${name}`)

export type RuntimeName = "node" | "deno"

/** The runtime that runs these tests. */
const thisRuntime: RuntimeName = "Deno" in globalThis ? "deno" : "node"

const executables: Record<RuntimeName, string> = { node: bin("node"), deno: bin("deno") }

/** The runtimes that are installed. */
export const runtimes: ReadonlyArray<RuntimeName> = (["node", "deno"] as const).filter((name) =>
  existsSync(executables[name])
)

const commandOf = (runtime: RuntimeName): ReadonlyArray<string> => {
  const main = fileOf("../src/main.ts")
  const condition = "--conditions=@satwire/source"
  return runtime === "node" ? [executables.node, condition, main] : [executables.deno, "run", "-A", condition, main]
}

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface Options {
  readonly home?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly runtime?: RuntimeName
  /** What stands before the program, such as a shell that sets a limit. */
  readonly wrap?: (command: ReadonlyArray<string>) => ReadonlyArray<string>
}

export interface Running {
  readonly pid: number
  /** Where it was started, and where `~` is. */
  readonly home: string
  readonly stdout: () => string
  /** The first match in what has been and will be printed; fails when the program ends without it. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>
  readonly signal: (signal: NodeJS.Signals) => void
  readonly ended: Promise<Ended>
}

/** A directory that is gone after the test. */
export const freshHome = (): string => temporaryDirectory("test", onTestFinished)

/** Starts the program, which is gone after the test. */
export const start = (args: ReadonlyArray<string>, options: Options = {}): Running => {
  const home = options.home ?? freshHome()
  const line = [...commandOf(options.runtime ?? thisRuntime), ...args]
  const [command = "", ...rest] = options.wrap?.(line) ?? line
  const child = spawn(command, rest, {
    cwd: home,
    env: environmentOf(home, options),
    stdio: ["ignore", "pipe", "pipe"]
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let stdout = ""
  let stderr = ""
  const listeners = new Set<() => void>()
  const heard = (): void => {
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    heard()
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr })
    })
  })
  const printed = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(stdout)
        if (found === null) return
        listeners.delete(look)
        resolve(found)
      }
      listeners.add(look)
      look()
      void ended.then(
        () => reject(new Error(`ended without ${String(pattern)}:\n${stdout}${stderr}`)),
        (error: unknown) => reject(error as Error)
      )
    })
  const pid = child.pid ?? 0
  // Not `child.kill`: on Deno the code of a program that handled the signal is lost then.
  const signal = (name: NodeJS.Signals): void => void (pid > 0 && process.kill(pid, name))
  return { pid, home, stdout: () => stdout, printed, signal, ended }
}

/** Runs the program to its end. */
export const run = (args: ReadonlyArray<string>, options: Options = {}): Promise<Ended> => start(args, options).ended

/** Where a started node says that it listens. */
export const listening = async (node: Running): Promise<string> =>
  (await node.printed(/Listening on (\S+)\.\n/))[1] ?? ""

const environmentOf = (home: string, { environment }: Options): Record<string, string> => ({
  PATH: [fileOf("../../../node_modules/.bin"), process.env["PATH"] ?? ""].join(delimiter),
  HOME: home,
  // Compiled sources, which are the same for every home.
  DENO_DIR: process.env["DENO_DIR"] ?? join(homedir(), ".cache", "deno"),
  DENO_NO_UPDATE_CHECK: "1",
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
  NO_COLOR: "1",
  // Any free one: several run beside each other.
  SATWIRE_RPCPORT: "0",
  ...environment
})
