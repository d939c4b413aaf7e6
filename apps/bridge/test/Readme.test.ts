import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { BRIDGE_CLOSES, BRIDGE_REFUSALS } from "@satwire/transport-websocket"
import { expect, it } from "vitest"
import { OPTIONS, type OptionRow } from "../src/config/Options.ts"

const path = fileURLToPath(new URL("../README.md", import.meta.url))

/** Markdown with its columns aligned, as the formatter wants it. */
const optionsTable = (): string => {
  const rows = Object.entries<OptionRow<unknown>>(OPTIONS).map(([name, row]) => {
    const isSwitch = row.kind === "switch"
    const given = isSwitch || row.default === undefined ? row.defaultDoc : `\`${row.default}\``
    return [isSwitch ? `\`--${name}\`` : `\`--${name}=${row.metavar}\``, given, row.doc]
  })
  const all = [["option", "default", "meaning"], ...rows]
  const widths = [0, 1, 2].map((i) => Math.max(...all.map((row) => (row[i] ?? "").length)))
  const line = (row: ReadonlyArray<string>): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`
  return [line(all[0] ?? []), line(widths.map((width) => "-".repeat(width))), ...all.slice(1).map(line)].join("\n")
}

// `vitest run -u --dir apps/bridge Readme` writes them anew.
it("has the options of the table in its README", async () => {
  const written = readFileSync(path, "utf8")
  const current = written.replace(
    /(?<=<!-- options -->)[\s\S]*(?=<!-- \/options -->)/,
    () => `\n\n${optionsTable()}\n\n`
  )
  expect(current).toContain(optionsTable())
  await expect(current).toMatchFileSnapshot(path)
})

it("explains every code that it closes with in its README", () => {
  const readme = readFileSync(path, "utf8")
  const explained = [...readme.matchAll(/^\| (\d{4}) +\|/gm)].map(([, code]) => Number(code))
  const codes = [...Object.values(BRIDGE_CLOSES), ...Object.values(BRIDGE_REFUSALS)]
  expect(new Set(explained)).toEqual(new Set(codes))
  expect(explained.length).toBe(codes.length)
})
