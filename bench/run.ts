/**
 * `npm run bench [-- --json FILE]`: what the stack costs beside what npm offers, in one run, both sides in turn, medians and ratios. Prints
 * a table, and the same as JSON (to FILE, or at the end).
 *
 *   hashing, blocks         headers in a batch; a real block decoded, with every txid and the merkle root, and checked by every rule
 *   compact blocks          found in a mempool of 50,000 and of 300,000, and rebuilt with both roots
 *   frames to messages      v1 framing with checksums, codecs included, from chunks of 64 KiB
 *   packets                 v2 packets of 64 KiB, sealed and opened
 *   headers validated       every consensus rule on; the peers check less, as the table says
 *   the price of a turn     a ping in, a pong out, through the node's machine; and through Effect's door to it
 */
import { spawnSync } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { type Score, contest, contestClock } from "@satwire/testkit"
import type { Suite } from "./Suite.ts"
import { blockSuites } from "./blocks.ts"
import { compactSuites } from "./compact.ts"
import { frameSuite } from "./frames.ts"
import { hashSuite } from "./hashes.ts"
import { headerSuite } from "./headers.ts"
import { packetSuite } from "./packets.ts"
import { turnSuite } from "./turns.ts"

const root = join(import.meta.dirname, "..")

/** Installs the packages that we are measured beside, where they are missing. */
const installPeers = (): void => {
  for (const folder of ["bench/peers", "interop"]) {
    if (existsSync(join(root, folder, "node_modules", ".package-lock.json"))) continue
    process.stderr.write(`installing ${folder}, once …\n`)
    const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: join(root, folder), encoding: "utf8" })
    if (npm.status !== 0) throw new Error(`npm ci in ${folder} failed: ${npm.stderr}`)
  }
}

const human = (perSecond: number, unit: string): string =>
  unit === "bytes"
    ? `${(perSecond / 1e6).toFixed(0)} MB/s`
    : perSecond >= 1e6
      ? `${(perSecond / 1e6).toFixed(2)} M/s`
      : perSecond >= 1e3
        ? `${(perSecond / 1e3).toFixed(1)} k/s`
        : `${perSecond.toFixed(1)} /s`

const table = (suite: Suite, scores: ReadonlyArray<Score>): string => {
  const first = scores[0]?.name ?? ""
  const lines = [
    "",
    `${suite.title} (${suite.unit})`,
    `  ${"".padEnd(44)} ${suite.unit.padStart(14)} ${"ns each".padStart(10)}   beside ${first}`
  ]
  for (const { name, perSecond, ratio } of scores) {
    lines.push(
      `  ${name.padEnd(44)} ${human(perSecond, suite.unit).padStart(14)} ${(1e9 / perSecond).toFixed(0).padStart(10)}   ${ratio.toFixed(3)}`
    )
  }
  return lines.join("\n")
}

const { values } = parseArgs({ options: { json: { type: "string" }, rounds: { type: "string", default: "7" } } })
installPeers()
const runtime = process.versions["deno"] === undefined ? `Node ${process.version}` : `Deno ${process.versions["deno"]}`
const machine = `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, ${runtime}`
const headers = await headerSuite()
if (headers === undefined)
  process.stdout.write("headers validated: skipped, because the folder of real data is absent (SATWIRE_DATA)\n")
const suites: ReadonlyArray<Suite> = [
  await hashSuite(),
  ...(await blockSuites()),
  ...compactSuites(),
  ...(await frameSuite()),
  packetSuite(),
  ...(headers === undefined ? [] : [headers]),
  await turnSuite()
]
process.stdout.write(`${machine}; ${contestClock}, medians of ${values.rounds} interleaved rounds\n`)
const results: Array<{ readonly suite: string; readonly unit: string; readonly scores: ReadonlyArray<Score> }> = []
for (const suite of suites) {
  const scores = contest(suite.contenders, { rounds: Number(values.rounds), roundMs: 200 })
  process.stdout.write(`${table(suite, scores)}\n`)
  results.push({ suite: suite.title, unit: suite.unit, scores })
}
for (const suite of suites) suite.close?.()
const json = JSON.stringify({ date: new Date().toISOString(), machine, clock: contestClock, results })
if (values.json === undefined) process.stdout.write(`\n${json}\n`)
else writeFileSync(values.json, `${json}\n`)
