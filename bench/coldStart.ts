/**
 * `node --conditions=@satwire/source bench/coldStart.ts`: what the hashing backends cost before their first hash, each time in a process
 * of its own; medians of fifteen.
 */
import { spawnSync } from "node:child_process"
import process from "node:process"

const measure = `
const start = performance.now()
const { portableSha256 } = await import("@satwire/crypto")
const portable = performance.now()
const { platformSha256 } = await import("@satwire/crypto/node")
const loaded = performance.now()
const out = new Uint8Array(128)
platformSha256.sha256d(new Uint8Array(80), 0, 80, out, 0)
const first = performance.now()
portableSha256.sha256d(new Uint8Array(80), 0, 80, out, 0)
console.log(JSON.stringify([portable - start, loaded - portable, first - loaded, performance.now() - first]))
`
const isDeno = process.versions["deno"] !== undefined
const args = isDeno
  ? ["eval", "--conditions=@satwire/source", measure]
  : ["--conditions=@satwire/source", "--input-type=module", "--eval", measure]
const runs = Array.from({ length: 15 }, () => {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" })
  if (stdout === "") throw new Error(stderr)
  return JSON.parse(stdout) as ReadonlyArray<number>
})
const names = [
  "modules, from source",
  "the platform's door, with WebAssembly compiled",
  "first hash in WebAssembly",
  "first hash in plain JavaScript"
]
for (const [i, name] of names.entries()) {
  const sorted = runs.map((run) => run[i] as number).toSorted((a, b) => a - b)
  process.stdout.write(`${name.padEnd(48)} ${(sorted[7] as number).toFixed(2)} ms\n`)
}
