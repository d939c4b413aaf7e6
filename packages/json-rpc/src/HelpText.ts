/**
 * The help of a method, laid out as Bitcoin Core's: a line of usage, what it does, its arguments and its results in two columns, examples.
 * Programs read the first line; people read the rest.
 */
import { type Json, type JsonArray, type JsonObject, isArray } from "./Json.ts"
import type { Method } from "./Method.ts"
import type { Param } from "./Param.ts"
import type { ResultDoc } from "./ResultDoc.ts"
import { writeJson } from "./WriteJson.ts"

/** The whole help of a method. */
export const helpText = (method: Method<unknown>): string => {
  const shown = shownParams(method.params)
  const parts = [usageLine(method), "", method.about, ...argumentLines(shown)]
  for (const result of method.results) {
    parts.push("", result.when === undefined ? "Result:" : `Result (${result.when}):`)
    parts.push(...inColumns(resultRows(result, "", "", "")))
  }
  if (method.examples.length > 0) parts.push("", "Examples:", ...method.examples.flatMap(exampleLines(method.name)))
  return `${parts.join("\n")}\n`
}

/** `getblock "blockhash" ( verbosity )`. */
export const usageLine = ({ name, params }: Pick<Method<unknown>, "name" | "params">): string => {
  let line = name
  let open = false
  for (const param of shownParams(params)) {
    if (!param.required && !open) line += " ("
    if (param.required && open) line += " )"
    open = !param.required
    line += ` ${inline(param)}`
  }
  return open ? `${line} )` : line
}

/** Those before the first hidden one. */
const shownParams = (params: ReadonlyArray<Param>): ReadonlyArray<Param> => {
  const hidden = params.findIndex(({ hidden }) => hidden)
  return hidden === -1 ? params : params.slice(0, hidden)
}

/** An argument as it stands in the line of usage. */
const inline = ({ name, kind: { shape } }: Param): string => {
  switch (shape._tag) {
    case "Value":
      return shape.sample === "quoted" ? `"${name}"` : name
    case "Array":
      return `[${inline(shape.item)},...]`
    case "Object":
    case "Options": {
      const fields = shape.fields.map((field) => `"${field.name}":${inlineValue(field)}`).join(",")
      return shape._tag === "Object" && !shape.open ? `{${fields}}` : `{${fields},...}`
    }
  }
}

/** The value of a field, as it stands after its name. */
const inlineValue = (param: Param): string => {
  const { shape, word } = param.kind
  if (shape._tag !== "Value") return inline(param)
  return shape.sample === "quoted" ? '"str"' : word.startsWith("boolean") ? "bool" : "n"
}

/** What stands left and right in a line. */
type Row = readonly [string, string]

const argumentLines = (shown: ReadonlyArray<Param>): ReadonlyArray<string> => {
  if (shown.length === 0) return []
  const rows = shown.flatMap((param, at): ReadonlyArray<Row> => [
    [`${at + 1}. ${param.name}`, paramDoc(param)],
    ...nestedRows(param, "     ")
  ])
  const options = shown.flatMap(({ kind: { shape } }) => (shape._tag === "Options" ? shape.fields : []))
  const named = options.flatMap((field): ReadonlyArray<Row> => [
    [field.name, paramDoc(field)],
    ...nestedRows(field, "     ")
  ])
  const lines = ["", "Arguments:", ...inColumns(rows)]
  return named.length === 0 ? lines : [...lines, "", "Named Arguments:", ...inColumns(named)]
}

/** `(numeric, optional, default=1) How much to tell`. */
export const paramDoc = ({ kind, required, shown, doc }: Param): string => {
  const need = required ? ", required" : shown === undefined ? ", optional" : `, optional, default=${shown}`
  const options = kind.shape._tag === "Options" ? " An object of named arguments, which are listed below." : ""
  return `(${kind.word}${need})${options}${doc === "" ? "" : ` ${doc}`}`
}

/** The members of an argument that is an array or an object. */
const nestedRows = ({ kind: { shape } }: Param, indent: string): ReadonlyArray<Row> => {
  switch (shape._tag) {
    case "Value":
    case "Options":
      return []
    case "Array":
      return [
        [`${indent}[`, ""],
        ...memberRows(shape.item, false, `${indent}  `),
        [`${indent}  ...`, ""],
        [`${indent}]`, ""]
      ]
    case "Object": {
      const fields = shape.fields.flatMap((field) => memberRows(field, true, `${indent}  `))
      const more: ReadonlyArray<Row> = shape.open ? [[`${indent}  ...`, ""]] : []
      return [[`${indent}{`, ""], ...fields, ...more, [`${indent}}`, ""]]
    }
  }
}

const memberRows = (param: Param, isNamed: boolean, indent: string): ReadonlyArray<Row> => {
  const name = isNamed ? `"${param.name}": ` : ""
  const nested = nestedRows(param, indent)
  if (nested.length === 0) {
    const value = isNamed ? inlineValue(param) : inline(param)
    return [[`${indent}${name}${value},`, paramDoc(param)]]
  }
  return nested.map(([left], at): Row => {
    if (at === 0) return [`${indent}${name}${left.trimStart()}`, paramDoc(param)]
    return at === nested.length - 1 ? [`${left},`, ""] : (nested[at] ?? ["", ""])
  })
}

/** A result and what is in it. */
const resultRows = (result: ResultDoc, indent: string, name: string, comma: string): ReadonlyArray<Row> => {
  const doc = `(${RESULT_WORDS[result.type ?? "null"]}${result.optional ? ", optional" : ""}) ${result.doc}`.trimEnd()
  const start = `${indent}${name}`
  if (result.type === undefined) return [[`${start}...${comma}`, result.doc]]
  if (result.type !== "array" && result.type !== "object") return [[`${start}${result.sample}${comma}`, doc]]
  const [open, close] = result.type === "array" ? ["[", "]"] : ["{", "}"]
  const members = memberResults(result)
  if (members.length === 0 && !result.open) return [[`${start}${open}${close}${comma}`, doc]]
  const endless = result.item !== undefined || result.open
  const rows = members.flatMap(([name, member], at) =>
    resultRows(member, `${indent}  `, name, endless || at < members.length - 1 ? "," : "")
  )
  const more: ReadonlyArray<Row> = endless ? [[`${indent}  ...`, ""]] : []
  return [[`${start}${open}`, doc], ...rows, ...more, [`${indent}${close}${comma}`, ""]]
}

const memberResults = ({ type, item, fields }: ResultDoc): ReadonlyArray<readonly [string, ResultDoc]> => {
  if (item !== undefined) return [[type === "array" ? "" : '"name" : ', item]]
  return Object.entries(fields).map(([name, field]) => [`"${name}" : `, field] as const)
}

/** The word for each type in help texts. */
export const RESULT_WORDS = {
  null: "json null",
  bool: "boolean",
  number: "numeric",
  string: "string",
  array: "json array",
  object: "json object"
} as const

/** Two columns, as wide as the widest; a text of several lines stays in its column. */
const inColumns = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const width = rows.reduce((widest, [left]) => Math.max(widest, left.length), 0) + 4
  return rows.map(([left, right]) =>
    right === "" ? left : left.padEnd(width) + right.replaceAll("\n", `\n${" ".repeat(width)}`)
  )
}

/** One call, for a shell with `bitcoin-cli` and for one with `curl`. */
const exampleLines =
  (name: string) =>
  (given: JsonArray | JsonObject): ReadonlyArray<string> => [
    `> ${commandLine("bitcoin-cli", name, given)}`,
    `> curl --user myusername --data-binary '${writeJson({ jsonrpc: "2.0", id: "curltest", method: name, params: given })}' ` +
      "-H 'content-type: application/json' http://127.0.0.1:8332/"
  ]

/** The call as it is typed into a shell. */
export const commandLine = (program: string, name: string, given: JsonArray | JsonObject): string => {
  if (isArray(given)) return [program, name, ...given.map((value) => quoted(plainText(value)))].join(" ")
  const named = Object.entries(given).map(([key, value]) => `${key}=${quoted(plainText(value ?? null))}`)
  return [program, "-named", name, ...named].join(" ")
}

const plainText = (value: Json): string => (typeof value === "string" ? value : writeJson(value))

const quoted = (text: string): string => (/^$|[^\w@%+=:,./-]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : text)
