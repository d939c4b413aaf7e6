/**
 * The interop stage of `npm test`: installs the foreign nodes of `interop/` when they are missing or its lockfile has changed, then
 * runs its suites. Arguments go to vitest. Off CI, a registry that cannot be reached skips the stage in one line.
 */
import { spawnSync } from "node:child_process"
import { rmSync, statSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const interop = join(root, "interop")

/** npm's words for a registry that is not there, unlike one that lacks a package. */
const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/

const modifiedMs = (path: string): number =>
  statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY

/** npm writes the second file when an install is complete. */
const isInstalled = (): boolean =>
  modifiedMs(join(interop, "package-lock.json")) <= modifiedMs(join(interop, "node_modules", ".package-lock.json"))

type Install = "installed" | "unreachable" | "failed"

const install = (): Install => {
  console.log("interop: installing the foreign nodes, once …")
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: interop, encoding: "utf8" })
  if (npm.status === 0) return "installed"
  // What is left of a broken install must not pass for a whole one.
  rmSync(join(interop, "node_modules"), { recursive: true, force: true })
  if (UNREACHABLE.test(npm.stderr ?? "")) return "unreachable"
  console.error(npm.error?.message ?? npm.stderr)
  return "failed"
}

const runSuites = (): number => {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs")
  const run = [vitest, "run", "--config", join(interop, "vitest.config.ts"), ...process.argv.slice(2)]
  return spawnSync(process.execPath, run, { cwd: root, stdio: "inherit" }).status ?? 1
}

const state: Install = isInstalled() ? "installed" : install()
if (state === "installed") {
  process.exitCode = runSuites()
} else if (state === "unreachable" && process.env["CI"] === undefined) {
  console.log("interop: skipped, because bcoin is not installed and the npm registry cannot be reached")
} else {
  console.error("interop: failed, because bcoin could not be installed")
  process.exitCode = 1
}
