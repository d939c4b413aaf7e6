/**
 * `npm test`: lint, types, the law and every suite, then a foreign node. Ends with `N passed, N failed`.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { NONE, add, check, counted, root, runStages, suites } from "./Stages.ts"
import { typeProjects } from "./TypeProjects.ts"

const interop = join(root, "scripts/interop.ts")

await runStages([
  {
    title: "lint and format",
    body: async () => add(await check("oxlint", ["--deny-warnings"]), await check("oxfmt", ["--check", "."]))
  },
  {
    title: "types",
    body: async () => {
      const others = ["tsconfig.json", "interop/tsconfig.json"].filter((path) => existsSync(join(root, path)))
      let count = NONE
      for (const project of [...typeProjects(), ...others]) count = add(count, await check("tsc", ["-p", project]))
      return count
    }
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
