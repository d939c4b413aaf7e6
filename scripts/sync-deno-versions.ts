/**
 * Copies the version of every package.json into the deno.json beside it. Runs after `changeset version`, which knows only npm; the
 * law holds the two together in between.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { root } from "./Stages.ts"

const VERSION = /("version"\s*:\s*)"[^"]*"/

for (const path of globSync("{packages,apps}/*/deno.json", { cwd: root }).sort()) {
  const manifest = readFileSync(join(root, dirname(path), "package.json"), "utf8")
  const { version } = JSON.parse(manifest) as { readonly version: string }
  const before = readFileSync(join(root, path), "utf8")
  // The text and not the object, so that the rest of the file stays as it was written.
  const after = before.replace(VERSION, `$1"${version}"`)
  if (after === before) continue
  writeFileSync(join(root, path), after)
  console.log(`${path}: ${version}`)
}
