/**
 * Laws of the seam that the linter has no words for. What it can say (clocks, timers, I/O, Effect's runtime) stands in
 * `.oxlintrc.json`, and `lint.test.ts` proves that it says it.
 */
import { type House, rooms, sources } from "./House.ts"
import type { Law, Violation } from "./Law.ts"
import { standing } from "./Layers.ts"
import { type Node, type Source, parseFile, walk } from "./Source.ts"

/** Source files that stand below the seam. */
export const pureFiles = (house: House): ReadonlyArray<string> =>
  rooms(house).flatMap((room) =>
    sources(house, `${room.folder}/src/`).filter((file) => standing(house.layers, room.key, file)?.side === "pure")
  )

type Finding = readonly [what: string, advice: string]

const nameOf = (node: unknown): string => ((node as Node | undefined)?.["name"] ?? "") as string

const LOCAL = /^(?:toLocale\w*|localeCompare)$/
const NO_LOCALE = "the same inputs give the same outputs on every machine: compare and print without a locale"
const NO_PROMISE = "below the seam slow things leave as an output and come back as an input"

/** What one node of a pure file does that the seam forbids. */
const forbidden = (node: Node): Finding | undefined => {
  switch (node.type) {
    case "ImportExpression":
      return ["import()", NO_PROMISE]
    case "AwaitExpression":
      return ["await", NO_PROMISE]
    case "TSTypeReference": {
      const name = nameOf(node["typeName"])
      return /^(?:Promise|PromiseLike|AsyncIterable|AsyncIterator|AsyncGenerator)$/.test(name)
        ? [name, NO_PROMISE]
        : undefined
    }
    case "MemberExpression": {
      const name = nameOf(node["property"])
      return node["computed"] !== true && LOCAL.test(name) ? [name, NO_LOCALE] : undefined
    }
    case "MetaProperty":
      return nameOf(node["meta"]) === "import"
        ? ["import.meta", "below the seam a module does not know where it lies"]
        : undefined
    case "VariableDeclaration":
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "TSModuleDeclaration":
    case "TSGlobalDeclaration":
      return node["declare"] === true || node.type === "TSGlobalDeclaration"
        ? ["declare", "what every runtime has stands in ambient.d.ts; anything else is injected from the edge"]
        : undefined
    default:
      return undefined
  }
}

const findings = (source: Source): ReadonlyArray<Violation> => {
  const found: Array<Violation> = []
  walk(source.program, (node) => {
    const finding = forbidden(node)
    if (finding === undefined) return
    found.push({ file: source.path, line: source.lineAt(node.start), what: finding[0], advice: finding[1] })
  })
  return found
}

export const seamHolds: Law = {
  sentence: "below the seam no promise is named, no locale asked and no platform declared",
  violations: (house) => pureFiles(house).flatMap((file) => findings(parseFile(house, file)))
}

export const seamLaws: ReadonlyArray<Law> = [seamHolds]
