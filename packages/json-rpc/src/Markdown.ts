/** A table of methods as a page of documentation: `docs/rpc.md`. */
import { RESULT_WORDS, commandLine, paramDoc, usageLine } from "./HelpText.ts"
import type { Category, Method } from "./Method.ts"
import type { MethodTable } from "./MethodTable.ts"
import type { Param } from "./Param.ts"
import type { ResultDoc } from "./ResultDoc.ts"

const HEADINGS: ReadonlyArray<readonly [Category, string]> = [
  ["blockchain", "Blockchain"],
  ["control", "Control"],
  ["mining", "Mining"],
  ["network", "Network"],
  ["rawtransactions", "Raw transactions"],
  ["util", "Util"]
]

/** The page: `introduction` stands below its title, then each method below the heading of its category. Hidden methods are not in it. */
export const rpcPage = (table: MethodTable<unknown>, title: string, introduction: string): string => {
  const parts = [`# ${title}`, introduction]
  for (const [category, heading] of HEADINGS) {
    const methods = [...table.methods.values()].filter((method) => method.category === category)
    if (methods.length === 0) continue
    parts.push(`## ${heading}`)
    for (const method of methods.sort((a, b) => (a.name < b.name ? -1 : 1))) parts.push(...methodParts(method))
  }
  return `${parts.join("\n\n")}\n`
}

const methodParts = (method: Method<unknown>): ReadonlyArray<string> => {
  const parts = [`### ${method.name}`, `\`${usageLine(method)}\``, escaped(method.about).replaceAll("\n", "\n\n")]
  const args = method.params.filter(({ hidden }) => !hidden).flatMap((param) => paramLines(param, ""))
  if (args.length > 0) parts.push("Arguments:", args.join("\n"))
  for (const result of method.results) {
    parts.push(result.when === undefined ? "Result:" : `Result ${escaped(result.when)}:`)
    parts.push(resultLines("", result, "").join("\n"))
  }
  const examples = method.examples.map((given) => commandLine("satwire rpc", method.name, given))
  if (examples.length > 0) parts.push(`\`\`\`sh\n${examples.join("\n")}\n\`\`\``)
  return parts
}

const paramLines = (param: Param, indent: string): ReadonlyArray<string> => {
  const names = [param.name, ...param.aliases].map((name) => `\`${name}\``).join(" or ")
  const { shape } = param.kind
  const inside = shape._tag === "Array" ? [shape.item] : shape._tag === "Value" ? [] : shape.fields
  return [
    `${indent}- ${names} ${escaped(paramDoc(param))}`,
    ...inside.flatMap((field) => paramLines(field, `${indent}  `))
  ]
}

const resultLines = (name: string, result: ResultDoc, indent: string): ReadonlyArray<string> => {
  const word = result.type === undefined ? "any" : RESULT_WORDS[result.type]
  const named = name === "" ? "" : `\`${name}\` `
  const line = `${indent}- ${named}(${word}${result.optional ? ", optional" : ""}) ${escaped(result.doc)}`.trimEnd()
  const members: ReadonlyArray<readonly [string, ResultDoc]> =
    result.item === undefined ? Object.entries(result.fields) : [["", result.item]]
  return [line, ...members.flatMap(([name, member]) => resultLines(name, member, `${indent}  `))]
}

/** Text that Markdown takes as text. */
const escaped = (text: string): string => text.replace(/[\\`*_<>[\]|]/g, "\\$&")
