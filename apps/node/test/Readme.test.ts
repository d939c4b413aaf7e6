import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { peerReport } from "../src/peer/PeerReport.ts"
import { optionsTables } from "./OptionsTable.ts"
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

it("explains every field of --json in its README", () => {
  const readme = readFileSync(path, "utf8")
  const fields = Object.keys(peerReport({ address: "a", network: "b" }, somePeer, [], 1))
  const explained = [...readme.matchAll(/^\| `(\w+)` +\|/gm)].map(([, field]) => field)
  expect(explained).toEqual(fields)
})
