/** The README's tables of options, from the rows. */
import { ROWS, defaultInWords } from "../src/config/Options.ts"
import { type CommandName, HEADERS_COMMANDS, type OptionRow } from "../src/config/OptionRow.ts"

const TITLES: ReadonlyArray<readonly [commands: ReadonlyArray<CommandName>, title: string]> = [
  [["node", "peer", "crawl", ...HEADERS_COMMANDS], "`satwire`, `satwire peer`, `satwire crawl`, `satwire headers …`"],
  [["node", "peer", "crawl"], "`satwire`, `satwire peer`, `satwire crawl`"],
  [["node"], "`satwire` alone"],
  [["peer"], "`satwire peer` alone"],
  [["crawl"], "`satwire crawl` alone"],
  [["headers export", "headers skeleton"], "`satwire headers export`, `satwire headers skeleton`"],
  [["playground"], "`satwire playground`"]
]

/** Markdown with its columns aligned, as the formatter wants it. */
export const optionsTables = (): string =>
  TITLES.map(([commands, title]) => {
    const rows = ROWS.filter((row) => row.commands.join() === commands.join())
    return table([title, "default", "meaning"], rows.map(cells))
  }).join("\n\n")

const cells = (row: OptionRow<unknown>): ReadonlyArray<string> => {
  const names = [row.name, ...row.aliases].map(
    (name) => `\`-${name}${row.kind === "switch" ? "" : `=${row.metavar}`}\``
  )
  const fallback = defaultInWords(row)
  return [names.join(", "), row.default === undefined ? fallback : `\`${fallback}\``, row.doc]
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => (row[i] ?? "").length)))
  const line = (row: ReadonlyArray<string>): string =>
    `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |`
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n")
}
