import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { UnixSeconds } from "@satwire/machine"
import { expect, it } from "vitest"
import { crawlLine } from "../src/crawl/CrawlLine.ts"
import { peerReport } from "../src/peer/PeerReport.ts"
import { CORE_ONLY_GROUPS } from "../src/config/CoreOnly.ts"
import { optionsTables, table } from "./OptionsTable.ts"
import { somePeer } from "./SomePeer.ts"

const path = fileURLToPath(new URL("../README.md", import.meta.url))

// `vitest run -u --dir apps/node Readme` writes them anew.
it("has the options of the table in its README", async () => {
  const written = readFileSync(path, "utf8")
  const current = written.replace(
    /(?<=<!-- options -->)[\s\S]*(?=<!-- \/options -->)/,
    () => `\n\n${optionsTables()}\n\n`
  )
  expect(current).toContain(optionsTables())
  await expect(current).toMatchFileSnapshot(path)
})

const guide = fileURLToPath(new URL("../../../docs/configuration.md", import.meta.url))

it("has Core's options that mean nothing here in the guide", async () => {
  const rows = CORE_ONLY_GROUPS.map(([about, names]) => [about, names.map((name) => `\`${name}\``).join(", ")])
  const written = readFileSync(guide, "utf8")
  const current = written.replace(
    /(?<=<!-- core only -->)[\s\S]*(?=<!-- \/core only -->)/,
    () => `\n\n${table(["about", "options"], rows)}\n\n`
  )
  expect(current).toContain("`dbcache`")
  await expect(current).toMatchFileSnapshot(guide)
})

/** The fields that the README explains below this heading. */
const explainedUnder = (heading: string): ReadonlyArray<string | undefined> => {
  const [, section = ""] = readFileSync(path, "utf8").split(`\n## ${heading}\n`)
  return [...(section.split("\n## ")[0] ?? "").matchAll(/^\| `(\w+)` +\|/gm)].map(([, field]) => field)
}

it("explains every field of --json in its README", () => {
  const fields = Object.keys(peerReport({ address: "a", network: "b" }, somePeer, [], 1))
  expect(explainedUnder("Fields of `satwire peer --json`")).toEqual(fields)
})

it("explains every field of a crawl's lines in its README", () => {
  const node = { network: "ipv4", address: new Uint8Array(4), port: 1 } as const
  const line = crawlLine("mainnet", { node, info: somePeer, roundTripMs: 1.23456, told: 5 }, UnixSeconds(7))
  expect(explainedUnder("Lines of `satwire crawl`")).toEqual(Object.keys(line))
  expect([line.userAgent, line.roundTripMs]).toEqual(["/evil2J:1/", 1.235])
})
