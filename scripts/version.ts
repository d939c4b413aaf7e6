/**
 * `npm run version`: what the changesets say becomes versions and changelogs, in npm's manifests and in Deno's. An app carries what it stands
 * on in its bundle, which changesets does not know: where only that changes, the app is released as well.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { published, standsOn } from "./Published.ts"
import { root, run } from "./Stages.ts"

const told = globSync(".changeset/*.md", { cwd: root })
  .filter((path) => !path.endsWith("README.md"))
  .map((path) => /^---\n([\s\S]*?)\n---/.exec(readFileSync(join(root, path), "utf8"))?.[1] ?? "")
  .join("\n")
const named = new Set([...told.matchAll(/^"?([@\w/-]+)"?\s*:/gm)].map(([, name]) => name as string))

const all = published()
for (const app of all.filter(({ isApp, manifest }) => isApp && !named.has(manifest.name))) {
  const { name } = app.manifest
  const news = [...standsOn(all, app)].filter((below) => named.has(below)).sort()
  if (news.length === 0) continue
  const text = `---\n"${name}": patch\n---\n\nCarries what is new in ${news.join(", ")}.\n`
  writeFileSync(join(root, `.changeset/carried-by-${name}.md`), text)
  console.log(`${name}: released again, for ${news.join(", ")}`)
}

const steps: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]> = [
  ["changeset", "version"],
  ["node", "scripts/sync-deno-versions.ts"],
  ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"]
]
for (const [command, ...args] of steps) {
  const { code } = await run(command, args, { show: "live" })
  if (code !== 0) process.exit(code)
}
