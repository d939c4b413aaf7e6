/** The README's tables of options, from the rows. */
import { ROWS, defaultInWords } from "../src/config/Options.ts"
import { blocksRows } from "../src/config/rows/Blocks.ts"
import { connectionsRows } from "../src/config/rows/Connections.ts"
import { loggingRows } from "../src/config/rows/Logging.ts"
import { networkRows } from "../src/config/rows/Network.ts"
import { rpcRows } from "../src/config/rows/Rpc.ts"
import { type CommandName, HEADERS_COMMANDS, type OptionRow } from "../src/config/OptionRow.ts"

/** What a table is about where one command has too many rows for one table. */
const TOPICS: ReadonlyArray<readonly [topic: string, rows: object]> = [
  ["the network and this machine", networkRows],
  ["connections", connectionsRows],
  ["headers, blocks, transactions", blocksRows],
  ["JSON-RPC", rpcRows],
  ["the log", loggingRows]
]

const TITLES: ReadonlyArray<readonly [commands: ReadonlyArray<CommandName>, title: string]> = [
  [
    ["node", "peer", "crawl", "doctor", ...HEADERS_COMMANDS, "rpc", "events", "replay"],
    "every command but `satwire playground`"
  ],
  [["node", "peer", "crawl", "doctor"], "`satwire`, `satwire peer`, `satwire crawl`, `satwire doctor`"],
  [["node", "doctor"], "`satwire`, `satwire doctor`"],
  [["node", "rpc", "events", "doctor"], "`satwire`, `satwire rpc`, `satwire events`, `satwire doctor`"],
  [["node", "rpc", "events"], "`satwire`, `satwire rpc`, `satwire events`"],
  [["node", "playground"], "`satwire`, `satwire playground`"],
  [["node"], "`satwire` alone"],
  [["peer"], "`satwire peer` alone"],
  [["crawl"], "`satwire crawl` alone"],
  [["headers export", "headers skeleton"], "`satwire headers export`, `satwire headers skeleton`"],
  [["rpc", "events"], "`satwire rpc`, `satwire events`"],
  [["rpc"], "`satwire rpc` alone"],
  [["events"], "`satwire events` alone"],
  [["replay"], "`satwire replay` alone"],
  [["playground"], "`satwire playground`"]
]

/** All tables, one below another. */
export const optionsTables = (): string => {
  const titled = new Set(TITLES.map(([commands]) => commands.join()))
  const left = ROWS.find(({ commands }) => !titled.has(commands.join()))
  if (left !== undefined) throw new Error(`no table has the option ${left.name} of ${left.commands.join(", ")}`)
  return TITLES.flatMap(([commands, title]) => {
    const rows = ROWS.filter((row) => row.commands.join() === commands.join())
    const head = (title: string): ReadonlyArray<string> => [title, "default", "meaning"]
    if (commands.join() !== "node") return [table(head(title), rows.map(cells))]
    return TOPICS.map(([topic, { ...ofTopic }]) =>
      table(head(`${title}: ${topic}`), rows.filter(({ name }) => Object.hasOwn(ofTopic, name)).map(cells))
    )
  }).join("\n\n")
}

const cells = (row: OptionRow<unknown>): ReadonlyArray<string> => {
  const names = [row.name, ...row.aliases].map(
    (name) => `\`-${name}${row.kind === "switch" ? "" : `=${row.metavar}`}\``
  )
  const fallback = defaultInWords(row)
  return [names.join(", "), row.default === undefined ? fallback : `\`${fallback}\``, row.doc]
}

/** Markdown with its columns aligned, as the formatter wants it. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => (row[i] ?? "").length)))
  const line = (row: ReadonlyArray<string>): string =>
    `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |`
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n")
}
