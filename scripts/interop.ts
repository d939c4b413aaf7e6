/**
 * The interop stage of `npm test`: runs the suites of `interop/` beside foreign nodes and, of `bench/peers/`, foreign libraries, which it installs
 * first where they are missing. Arguments go to vitest.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { interop, peers, withInstalled } from "./Foreign.ts"

const root = join(import.meta.dirname, "..")

process.exitCode = withInstalled([interop, peers], () => {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs")
  const run = [vitest, "run", "--config", join(interop, "vitest.config.ts"), ...process.argv.slice(2)]
  return spawnSync(process.execPath, run, { cwd: root, stdio: "inherit" }).status ?? 1
})
