/**
 * What Satwire is tested against and does not depend on: folders outside the workspaces, each with a lockfile of its own, that are installed when
 * they are missing or a lockfile has changed.
 */
import { spawnSync } from "node:child_process"
import { rmSync, statSync } from "node:fs"
import { join, relative } from "node:path"

const root = join(import.meta.dirname, "..")
export const interop = join(root, "interop")
export const peers = join(root, "bench", "peers")

/** npm's words for a registry that is not there, unlike one that lacks a package. */
const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/

const modifiedMs = (path: string): number =>
  statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY

/** npm writes the second file when an install is complete. */
const isInstalled = (folder: string): boolean =>
  modifiedMs(join(folder, "package-lock.json")) <= modifiedMs(join(folder, "node_modules", ".package-lock.json"))

type Install = "installed" | "unreachable" | "failed"

const install = (folder: string): Install => {
  console.log(`interop: installing ${relative(root, folder)}, once …`)
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, encoding: "utf8" })
  if (npm.status === 0) return "installed"
  // What is left of a broken install must not pass for a whole one.
  rmSync(join(folder, "node_modules"), { recursive: true, force: true })
  if (UNREACHABLE.test(npm.stderr ?? "")) return "unreachable"
  console.error(npm.error?.message ?? npm.stderr)
  return "failed"
}

/**
 * Installs what is missing, and then runs; gives the exit code. Off CI, a registry that cannot be reached skips the stage in one line.
 */
export const withInstalled = (folders: ReadonlyArray<string>, run: () => number): number => {
  const states = folders.map((folder): Install => (isInstalled(folder) ? "installed" : install(folder)))
  if (!states.includes("unreachable") && !states.includes("failed")) return run()
  if (!states.includes("failed") && process.env["CI"] === undefined) {
    console.log(
      "interop: skipped, because what it tests against is not installed and the npm registry cannot be reached"
    )
    return 0
  }
  console.error("interop: failed, because what it tests against could not be installed")
  return 1
}
