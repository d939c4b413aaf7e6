/**
 * Runs the stages of a check one after another, each with a headline and its time, and counts. A stage that fails stops nothing:
 * whoever waits for a test run wants to hear everything that is wrong.
 */
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"

export const root: string = resolve(fileURLToPath(import.meta.url), "../..")

export interface Count {
  readonly passed: number
  readonly failed: number
}

export const NONE: Count = { passed: 0, failed: 0 }
const PASSED: Count = { passed: 1, failed: 0 }
const FAILED: Count = { passed: 0, failed: 1 }

export const add = (a: Count, b: Count): Count => ({ passed: a.passed + b.passed, failed: a.failed + b.failed })

export const say = ({ passed, failed }: Count): string => `${passed} passed, ${failed} failed`

interface Finished {
  readonly code: number
  readonly output: string
}

interface Options {
  readonly env?: Readonly<Record<string, string>>
  /** Where it runs: in the root where not given. */
  readonly cwd?: string
  /** `live` prints what the command writes as it comes, `quiet` only when it fails, `never` not at all. */
  readonly show: "live" | "quiet" | "never"
  readonly limitMinutes?: number
}

const environment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  TURBO_TELEMETRY_DISABLED: "1",
  PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}`,
  ...extra
})

/** Groups of processes that are under way: whoever interrupts us ends them too. */
const running = new Set<number>()

/** Binaries of npm are scripts for a shell there, and processes have no groups. */
const isWindows = process.platform === "win32"

const endGroup = (pid: number): void => {
  try {
    if (isWindows) execFileSync("taskkill", ["/pid", String(pid), "/t", "/f"], { stdio: "ignore" })
    else process.kill(-pid, "SIGKILL")
  } catch {
    // It has ended by itself.
  }
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129]
] as const) {
  process.once(signal, () => {
    for (const pid of running) endGroup(pid)
    process.exit(code)
  })
}

/** Runs one command, with the binaries of this repository first on the path where its environment says no other. */
export const run = (command: string, args: ReadonlyArray<string>, options: Options): Promise<Finished> =>
  new Promise((done) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: environment(options.env),
      stdio: ["ignore", "pipe", "pipe"],
      detached: !isWindows,
      shell: isWindows
    })
    const chunks: Array<string> = []
    const take = (chunk: string): void => {
      chunks.push(chunk)
      if (options.show === "live") process.stdout.write(chunk)
    }
    // A command that hangs, and everything that it started, is ended: the stages after it still run.
    const minutes = options.limitMinutes ?? 9
    const limit = setTimeout(() => {
      take(`\n${command} took longer than ${minutes} minutes and was ended\n`)
      if (child.pid !== undefined) endGroup(child.pid)
    }, minutes * 60_000)
    if (child.pid !== undefined) running.add(child.pid)
    const finish = (code: number): void => {
      clearTimeout(limit)
      if (child.pid !== undefined) running.delete(child.pid)
      const output = chunks.join("")
      if (options.show === "quiet" && code !== 0) process.stdout.write(output)
      done({ code, output })
    }
    // A command that could not be started reports an error and then closes.
    let started = true
    child.stdout.setEncoding("utf8").on("data", take)
    child.stderr.setEncoding("utf8").on("data", take)
    child.on("error", (error) => {
      started = false
      take(`${command}: ${error.message}\n`)
      finish(1)
    })
    child.on("close", (code) => {
      if (started) finish(code ?? 1)
    })
  })

/** A command that as a whole passes or fails. */
export const check = async (command: string, args: ReadonlyArray<string>): Promise<Count> =>
  (await run(command, args, { show: "quiet" })).code === 0 ? PASSED : FAILED

/** The count in what a command wrote: our own last line, or vitest's summary. */
const countIn = (output: string): Count => {
  const plain = stripVTControlCharacters(output)
  const own = [...plain.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1)
  if (own !== undefined) return { passed: Number(own[1]), failed: Number(own[2]) }
  const summary = /^ +Tests +(.*)$/m.exec(plain)?.[1] ?? ""
  const number = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0)
  return { passed: number("passed"), failed: number("failed") }
}

/** A command that counts by itself. */
export const counted = async (
  command: string,
  args: ReadonlyArray<string>,
  limitMinutes: number,
  show: Options["show"] = "live"
): Promise<Count> => {
  const { code, output } = await run(command, args, { show, limitMinutes })
  const count = countIn(output)
  return code !== 0 && count.failed === 0 ? add(count, FAILED) : count
}

interface Report {
  readonly numPassedTests: number
  readonly numPendingTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: ReadonlyArray<{
      readonly status: string
      readonly fullName?: string
      readonly failureMessages?: ReadonlyArray<string>
    }>
  }>
}

const countReport = (report: Report): Count => {
  const failures = report.testResults.map(({ status, assertionResults }) => {
    const failed = assertionResults.filter((result) => result.status === "failed").length
    // A file that did not load has no tests, and has failed all the same.
    return failed === 0 && status === "failed" ? 1 : failed
  })
  return { passed: report.numPassedTests, failed: failures.reduce((sum, failed) => sum + failed, 0) }
}

/** Which tests failed and with what, a line each: the last lines of a long log are what is read first. */
const failuresOf = (report: Report): ReadonlyArray<string> =>
  report.testResults.flatMap(({ name, status, message = "", assertionResults }) => {
    const failed = assertionResults.filter((result) => result.status === "failed")
    const file = relative(root, name)
    if (failed.length === 0) return status === "failed" ? [`failed: ${file}: ${firstLine(message)}`] : []
    return failed.map(
      ({ fullName = "", failureMessages = [] }) =>
        `failed: ${file}: ${fullName}: ${firstLine(failureMessages.join("\n"))}`
    )
  })

const firstLine = (text: string): string => stripVTControlCharacters(text).trim().split("\n", 1)[0] ?? ""

/** One vitest run, started by `command` with `args` before vitest's own. */
export const suites = async (
  command: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Promise<Count> => {
  const folder = mkdtempSync(join(tmpdir(), "satwire-report-"))
  const file = join(folder, "report.json")
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`]
    const { code } = await run(command, [...args, ...reporters], { show: "live", env })
    const report = JSON.parse(readFileSync(file, "utf8")) as Report
    const count = countReport(report)
    for (const line of failuresOf(report)) console.log(line)
    if (report.numPendingTests > 0) console.log(`${report.numPendingTests} skipped`)
    return code !== 0 && count.failed === 0 ? add(count, FAILED) : count
  } catch {
    console.log("vitest wrote no report")
    return FAILED
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface Stage {
  readonly title: string
  readonly body: () => Promise<Count>
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

/** Runs all stages, prints the sum as the last line and sets the exit code. */
export const runStages = async (stages: ReadonlyArray<Stage>): Promise<void> => {
  const start = performance.now()
  const lines: Array<string> = []
  let total = NONE
  for (const { title, body } of stages) {
    const since = performance.now()
    console.log(`\n── ${title} ${"─".repeat(Math.max(0, 76 - title.length))}`)
    const count = await body()
    total = add(total, count)
    lines.push(`${count.failed === 0 ? "ok    " : "FAILED"} ${title}: ${say(count)} in ${seconds(since)}`)
    console.log(lines.at(-1))
  }
  console.log(`\n${lines.join("\n")}\n${seconds(start)}`)
  console.log(say(total))
  if (total.failed > 0) process.exitCode = 1
}
