/**
 * TypeScript as a tree, by the parser that vitest's own bundler already brings: the imports of a file, its functions and how long
 * they are. Nothing here resolves types.
 */
import { parseSync } from "rolldown/utils"
import type { House } from "./House.ts"

export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

export interface Import {
  readonly specifier: string
  readonly line: number
  /** `url` is `new URL("./x.ts", import.meta.url)`: how a worker is named. */
  readonly kind: "static" | "dynamic" | "type" | "url"
}

export interface Source {
  readonly path: string
  readonly text: string
  readonly program: Node
  readonly imports: ReadonlyArray<Import>
  readonly lineAt: (offset: number) => number
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string"

const children = (node: Node): ReadonlyArray<Node> => Object.values(node).flat().filter(isNode)

/** Visits every node below `node`, each with the chain of nodes above it, innermost last. */
export const walk = (node: Node, visit: (node: Node, above: ReadonlyArray<Node>) => void): void => {
  const step = (current: Node, above: ReadonlyArray<Node>): void => {
    visit(current, above)
    const chain = [...above, current]
    for (const child of children(current)) step(child, chain)
  }
  step(node, [])
}

const literal = (value: unknown): string | undefined => {
  if (!isNode(value)) return undefined
  if (value.type === "TSLiteralType") return literal(value["literal"])
  return value.type === "Literal" && typeof value["value"] === "string" ? value["value"] : undefined
}

const importOf = (node: Node): readonly [string, Import["kind"]] | undefined => {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration": {
      const specifier = literal(node["source"])
      return specifier === undefined ? undefined : [specifier, "static"]
    }
    case "ImportExpression": {
      const specifier = literal(node["source"])
      return specifier === undefined ? undefined : [specifier, "dynamic"]
    }
    case "TSImportType": {
      const specifier = literal(node["source"]) ?? literal(node["argument"])
      return specifier === undefined ? undefined : [specifier, "type"]
    }
    case "NewExpression": {
      const callee = node["callee"] as Node
      const [first, second] = node["arguments"] as ReadonlyArray<Node>
      if (callee["name"] !== "URL" || second?.type !== "MemberExpression") return undefined
      const specifier = literal(first)
      return specifier === undefined ? undefined : [specifier, "url"]
    }
    default:
      return undefined
  }
}

const parsed = new Map<string, Source>()

export const parse = (path: string, text: string): Source => {
  const key = `${path}\0${text}`
  const known = parsed.get(key)
  if (known !== undefined) return known
  const starts = [0]
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  const lineAt = (offset: number): number => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((starts[middle] as number) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`)
  const imports: Array<Import> = []
  walk(program as unknown as Node, (node) => {
    const found = importOf(node)
    if (found !== undefined) imports.push({ specifier: found[0], kind: found[1], line: lineAt(node.start) })
  })
  const source: Source = { path, text, program: program as unknown as Node, imports, lineAt }
  parsed.set(key, source)
  return source
}

export const parseFile = (house: House, path: string): Source => parse(path, house.text(path))

export interface FunctionSize {
  readonly name: string
  readonly line: number
  readonly lines: number
}

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"])
const named = (node: unknown): string | undefined => (isNode(node) ? (node["name"] as string | undefined) : undefined)

const nameOf = (node: Node, above: ReadonlyArray<Node>): string => {
  const own = named(node["id"])
  if (own !== undefined) return own
  for (const outer of above.toReversed()) {
    const name = named(outer["key"]) ?? named(outer["id"])
    if (name !== undefined) return name
    if (FUNCTIONS.has(outer.type)) break
  }
  return "(anonymous)"
}

/** A `describe("…", () => { … })` is a chapter of tests and not a function that someone has to hold in mind. */
const isChapter = (above: ReadonlyArray<Node>): boolean => {
  const call = above.at(-1)
  if (call?.type !== "CallExpression") return false
  let callee = call["callee"] as Node
  while (callee.type === "MemberExpression" || callee.type === "CallExpression") {
    callee = (callee.type === "MemberExpression" ? callee["object"] : callee["callee"]) as Node
  }
  return callee["name"] === "describe" || callee["name"] === "layer"
}

export const functions = (source: Source): ReadonlyArray<FunctionSize> => {
  const found: Array<FunctionSize> = []
  walk(source.program, (node, above) => {
    if (!FUNCTIONS.has(node.type) || isChapter(above)) return
    const line = source.lineAt(node.start)
    found.push({ name: nameOf(node, above), line, lines: source.lineAt(node.end) - line + 1 })
  })
  return found
}
