/**
 * The sources of all packages as two projects for the type checker, one below the seam and one above: each package by itself, which is what
 * `npm run typecheck` does, takes seven times as long, because every one reads its dependencies again (measured).
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./Stages.ts"

/** What a package's `tsconfig.json` extends: whether the types of Node are there. */
const SIDES = ["pure", "edge"]

/** Writes both and gives where they are. */
export const typeProjects = (): ReadonlyArray<string> => {
  const folder = join(root, "node_modules/.cache/types")
  mkdirSync(folder, { recursive: true })
  const manifests = globSync("{packages,apps}/*/tsconfig.json", { cwd: root }).sort()
  return SIDES.map((side) => {
    const members = manifests.filter((path) => readFileSync(join(root, path), "utf8").includes(`tsconfig.${side}.json`))
    const project = join(folder, `${side}.json`)
    const include = members.map((path) => join(root, path, "../src"))
    writeFileSync(
      project,
      JSON.stringify({
        extends: join(root, `tsconfig.${side}.json`),
        compilerOptions: { rootDir: root, typeRoots: [join(root, "node_modules/@types")] },
        include: [...include, join(root, "ambient.d.ts")]
      })
    )
    return project
  })
}
