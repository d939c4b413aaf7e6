/**
 * `npm run test:deno`: the same sources and the same suites on Deno. Ends with `N passed, N failed`.
 */
import { existsSync, globSync } from "node:fs"
import { join } from "node:path"
import { NONE, check, root, run, runStages, suites } from "./Stages.ts"

/** Suites that can only run on Node, each with its reason. */
const NODE_ONLY: ReadonlyArray<readonly [path: string, reason: string]> = []

const CONDITION = "--conditions=@satwire/source"
const app = "apps/node/src/main.ts"

await runStages([
  {
    title: "types, as Deno checks them",
    body: () => check("deno", ["check", "--quiet", ...globSync("{packages,apps}/*/src", { cwd: root }).sort()])
  },
  {
    title: "law and suites on Deno",
    body: () => {
      for (const [path, reason] of NODE_ONLY) console.log(`not on Deno: ${path}: ${reason}`)
      const excluded = NODE_ONLY.map(([path]) => `--exclude=${path}`)
      const vitest = ["run", "-A", CONDITION, "node_modules/vitest/vitest.mjs", "run", ...excluded]
      return suites("deno", vitest, { SATWIRE_RUNTIME: "deno", DENO_NO_UPDATE_CHECK: "1" })
    }
  },
  {
    title: "JSR would take every package that is meant for it",
    body: () => check("deno", ["publish", "--dry-run", "--allow-dirty", "--quiet"])
  },
  {
    title: "the app starts from source on Deno",
    body: async () => {
      if (!existsSync(join(root, app))) {
        console.log(`no ${app} yet: skipped`)
        return NONE
      }
      const { code } = await run("deno", ["run", "-A", CONDITION, app, "--version"], { show: "live", limitMinutes: 1 })
      return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
    }
  }
])
