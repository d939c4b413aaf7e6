/**
 * The pages that are written by the code: every bound on memory, count and rate from the constants that state it, every BIP from
 * the codec table and from the comments that cite it. `npm run docs` writes them, `docs.test.ts` holds them to the code.
 */
import { FAULTS, FORGIVEN, KIND_RULES } from "@satwire/peer"
import { NODE_METRICS, grafanaDashboard } from "@satwire/metrics"
import { methodTable, rpcPage } from "@satwire/json-rpc"
import { nodeMethods } from "@satwire/rpc"
import { type Codec, codecs } from "@satwire/wire"
import { type House, packages, rooms, sources } from "./House.ts"
import { type Node, type Source, parseFile } from "./Source.ts"

type Row = ReadonlyArray<string>

/** A Markdown table with its columns aligned, as the formatter wants it. */
export const table = (head: Row, rows: ReadonlyArray<Row>): string => {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")))
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => (row[i] ?? "").length)))
  const line = (row: Row): string => `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |`
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`
  return [line(all[0] as Row), rule, ...all.slice(1).map(line)].join("\n")
}

export interface Limit {
  readonly name: string
  readonly value: string
  readonly what: string
  readonly file: string
  readonly line: number
}

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "**": (a, b) => a ** b,
  "<<": (a, b) => a << b
}

/** The number that an initializer stands for, as far as it can be told without running it. */
const evaluate = (node: Node | undefined, known: ReadonlyMap<string, number>): number | undefined => {
  switch (node?.type) {
    case "Literal": {
      const value = node["value"]
      return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined
    }
    case "Identifier":
      return known.get(node["name"] as string)
    case "TSAsExpression":
    case "ParenthesizedExpression":
    case "TSSatisfiesExpression":
      return evaluate(node["expression"] as Node, known)
    case "CallExpression": {
      // A brand: `Satoshis(21)`.
      const [first, ...rest] = node["arguments"] as ReadonlyArray<Node>
      return rest.length === 0 ? evaluate(first, known) : undefined
    }
    case "BinaryExpression": {
      const left = evaluate(node["left"] as Node, known)
      const right = evaluate(node["right"] as Node, known)
      const apply = OPERATORS[node["operator"] as string]
      return left === undefined || right === undefined ? undefined : apply?.(left, right)
    }
    default:
      return undefined
  }
}

interface Constant {
  readonly name: string
  readonly initializer: Node
  /** Where its statement begins, doc comment not included. */
  readonly start: number
}

const constants = (source: Source): ReadonlyArray<Constant> =>
  (source.program["body"] as ReadonlyArray<Node>).flatMap((statement) => {
    const declaration =
      statement.type === "ExportNamedDeclaration" ? (statement["declaration"] as Node | null) : statement
    if (declaration?.type !== "VariableDeclaration") return []
    return (declaration["declarations"] as ReadonlyArray<Node>).flatMap((declarator) => {
      const initializer = declarator["init"] as Node | null
      const name = (declarator["id"] as Node)["name"] as string
      return initializer === null ? [] : [{ name, initializer, start: statement.start }]
    })
  })

/** What stands after `@limit` in the doc comment that ends right before `start`. */
const limitText = (text: string, start: number): string | undefined => {
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, start))?.[1]
  return comment === undefined ? undefined : /@limit\s+(.+)/.exec(comment)?.[1]?.trim()
}

export const limitsOf = (source: Source): ReadonlyArray<Limit> => {
  const known = new Map<string, number>()
  return constants(source).flatMap(({ name, initializer, start }) => {
    const value = evaluate(initializer, known)
    if (value !== undefined) known.set(name, value)
    const what = limitText(source.text, start)
    if (what === undefined) return []
    const shown = value?.toLocaleString("en-US") ?? `\`${source.text.slice(initializer.start, initializer.end)}\``
    return [{ name, value: shown, what, file: source.path, line: source.lineAt(start) }]
  })
}

const GENERATED = "<!-- Written by `npm run docs` from the code. Change the code, not this page. -->"

/** Packages from the lowest layer to the highest. */
const order = (house: House): ReadonlyArray<string> => house.layers.layers.flatMap((layer) => layer.rooms)

const byLayer = (house: House): ReadonlyArray<{ readonly key: string; readonly folder: string }> =>
  [...packages(house)].sort((a, b) => order(house).indexOf(a.key) - order(house).indexOf(b.key))

export const limitsPage = (house: House): string => {
  const apps = rooms(house).filter(({ folder }) => folder.startsWith("apps/"))
  const rows = [...byLayer(house), ...apps].flatMap(({ key, folder }) =>
    sources(house, `${folder}/src/`)
      .flatMap((file) => limitsOf(parseFile(house, file)))
      .map(({ name, value, what, file }) => [key, value, what, `[\`${name}\`](../${file})`])
  )
  return [
    "# Limits",
    GENERATED,
    "Every bound on memory, count and rate that the code states, lowest layer first, programs last.",
    `${table(["package", "value", "of what", "constant"], rows)}\n`
  ].join("\n\n")
}

const messageRow = (codec: Codec<{ readonly _tag: string }>): Row => [
  `\`${codec.command}\``,
  codec.spec,
  codec.shortId === undefined ? "–" : String(codec.shortId),
  codec.maxSize.toLocaleString("en-US"),
  codec.malformed,
  codec.overLimit
]

/** BIP → packages whose source cites it. */
const citations = (house: House): ReadonlyMap<string, ReadonlySet<string>> => {
  const found = new Map<string, Set<string>>()
  for (const { key, folder } of byLayer(house)) {
    for (const file of sources(house, `${folder}/src/`)) {
      for (const [bip] of house.text(file).matchAll(/\bBIP-\d{4}\b/g)) {
        found.set(bip, (found.get(bip) ?? new Set()).add(key))
      }
    }
  }
  return found
}

export const bipsPage = (house: House): string => {
  const cited = [...citations(house)].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    "# Messages and BIPs",
    GENERATED,
    "## Messages",
    "From the codec table of [`@satwire/wire`](../packages/wire/src/MessageTable.ts). A payload that does not decode, or that is over a limit, costs its sender what the last two columns say, as in Bitcoin Core.",
    table(
      ["message", "specified in", "v2 id", "largest payload, bytes", "malformed", "over limit"],
      codecs.map(messageRow)
    ),
    "## BIPs",
    "Where the source cites them.",
    `${table(
      ["BIP", "messages", "packages"],
      cited.map(([bip, keys]) => [
        bip,
        codecs
          .filter(({ spec }) => spec.includes(bip))
          .map(({ command }) => `\`${command}\``)
          .join(" "),
        [...keys].join(", ")
      ])
    )}\n`
  ].join("\n\n")
}

const DECISION = /^docs\/adr\/(\d{4})-[a-z0-9-]+\.md$/

export const decisions = (house: House): ReadonlyArray<string> => house.paths.filter((path) => DECISION.test(path))

const decisionsPage = (house: House): string =>
  [
    "# Decisions",
    GENERATED,
    "Why the house is as it is. Each page has the context, at least two options, the decision and its consequences; a decision that is taken back stays, and names the one that replaced it. A new one takes the next number and the same four headings: Context, Options, Decision, Consequences.",
    `${decisions(house)
      .map((path) => {
        const title = /^# (.+)$/m.exec(house.text(path))?.[1] ?? path
        return `- [${DECISION.exec(path)?.[1]}](${path.slice("docs/adr/".length)}) ${title.replace(/^(?:ADR[ -])?\d+[.:]?\s+/i, "")}`
      })
      .join("\n")}\n`
  ].join("\n\n")

/** What a peer's doings cost it. */
const faultsPage = (): string =>
  [
    "# What a peer's doings cost it",
    "",
    GENERATED,
    "",
    "Bitcoin Core has had three costs and no scores since 28.0: nothing, the connection, or the connection and the address's good name. From the tables of [`@satwire/peer`](../packages/peer/src/Faults.ts); what a payload costs that does not decode stands in [bips.md](bips.md).",
    "",
    "## What ends the connection",
    "",
    table(
      ["reason", "cost", "as in Core"],
      Object.entries(FAULTS).map(([reason, { cost, core }]) => [`\`${reason}\``, cost, core])
    ),
    "",
    "## What is forgiven",
    "",
    table(
      ["what", "as in Core"],
      Object.entries(FORGIVEN).map(([what, { core }]) => [what, core])
    ),
    "",
    "## What a connection is for",
    "",
    table(
      ["kind", "asks for transactions", "expects services", "speaks", "hears"],
      Object.entries(KIND_RULES).map(([kind, rules]) => [
        `\`${kind}\``,
        rules.refusesTransactions ? "no" : "as our side says",
        rules.expectsServices ? "yes" : "no",
        rules.speaks === undefined ? "everything" : [...rules.speaks].join(", "),
        rules.hears === undefined ? "everything" : [...rules.hears].join(", ")
      ])
    ),
    ""
  ].join("\n")

const metricsPage = (): string => {
  const groups = [...Map.groupBy(NODE_METRICS, ({ group }) => group)].map(([group, rows]) => {
    const cells = rows.map(({ help, kind, labels, name }) => [
      `\`${name}\``,
      kind,
      labels.map((label) => `\`${label}\``).join(" "),
      help
    ])
    return `## ${group}\n\n${table(["metric", "kind", "labels", "what"], cells)}\n`
  })
  return [
    "# Metrics",
    "",
    "What `/metrics` says, in Prometheus' text format. Written by `npm run docs` from `packages/metrics/src/NodeMetrics.ts`; do not edit.",
    "[grafana.json](grafana.json) draws all of it.",
    "",
    ...groups
  ].join("\n")
}

/** Every page, by its path. */
/** The methods of Core's that a node answers. */
const rpcMethodsPage = (): string =>
  rpcPage(
    methodTable(nodeMethods),
    "Methods of JSON-RPC",
    "What a node answers, by Bitcoin Core's names, fields and units. Written by `npm run docs` from `packages/rpc`, `rpc-chain` and `rpc-pool`; do not edit.\n\n" +
      "Methods that are for tests alone, which `help` does not list either, are not here."
  )

export const pages = (house: House): ReadonlyMap<string, string> =>
  new Map([
    ["docs/bips.md", bipsPage(house)],
    ["docs/faults.md", faultsPage()],
    ["docs/limits.md", limitsPage(house)],
    ["docs/metrics.md", metricsPage()],
    ["docs/rpc.md", rpcMethodsPage()],
    ["docs/grafana.json", `${JSON.stringify(grafanaDashboard(NODE_METRICS), null, 2)}\n`],
    ["docs/adr/README.md", decisionsPage(house)]
  ])
