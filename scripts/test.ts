/**
 * `npm test`: lint, types, the law and every suite, then a foreign node. Ends with `N passed, N failed`.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { NONE, add, check, counted, root, runStages, suites } from "./Stages.ts"

const interop = join(root, "scripts/interop.ts")

await runStages([
  {
    title: "lint and format",
    body: async () => add(await check("oxlint", ["--deny-warnings"]), await check("oxfmt", ["--check", "."]))
  },
  {
    title: "types",
    body: async () =>
      add(
        await check("turbo", ["run", "typecheck", "--output-logs=errors-only", "--continue"]),
        await check("tsc", ["-p", "tsconfig.json"])
      )
  },
  { title: "law and suites", body: () => suites("vitest", ["run"]) },
  {
    title: "a foreign node",
    body: async () => {
      if (existsSync(interop)) return counted("node", ["--conditions=@satwire/source", interop], 8)
      console.log("no scripts/interop.ts yet: skipped")
      return NONE
    }
  }
])
