/**
 * The law of tags. An Effect error is written with its type beside it (docs/adr/0007), and the type checker does not hold the two
 * together: `Data.TaggedError("A")` is accepted where a class with the tag `"B"` is declared.
 */
import { type House, sources } from "./House.ts"
import type { Law, Violation } from "./Law.ts"
import { type Node, type Source, parseFile, walk } from "./Source.ts"

const literal = (node: unknown): string | undefined => {
  const value = (node as Node | undefined)?.["value"]
  return typeof value === "string" ? value : undefined
}

/** The tag that `Data.TaggedError("Tag")` gives, or `undefined` for any other expression. */
const tagMade = (node: Node | null): string | undefined => {
  if (node?.type !== "CallExpression") return undefined
  const callee = node["callee"] as Node
  const name = (callee["property"] as Node | undefined)?.["name"] ?? callee["name"]
  if (name !== "TaggedError" && name !== "TaggedClass") return undefined
  return literal((node["arguments"] as ReadonlyArray<Node>)[0])
}

/** The tags that a type annotation writes out: `{ readonly _tag: "Tag" }`. */
const tagsWritten = (annotation: Node): ReadonlyArray<string | undefined> => {
  const found: Array<string | undefined> = []
  walk(annotation, (node) => {
    if (node.type !== "TSPropertySignature" || (node["key"] as Node)["name"] !== "_tag") return
    const type = (node["typeAnnotation"] as Node | null)?.["typeAnnotation"] as Node | undefined
    found.push(literal(type?.["literal"]))
  })
  return found
}

const violationsOf = (source: Source): ReadonlyArray<Violation> => {
  const found: Array<Violation> = []
  walk(source.program, (node) => {
    if (node.type !== "VariableDeclarator") return
    const tag = tagMade(node["init"] as Node | null)
    if (tag === undefined) return
    const annotation = (node["id"] as Node)["typeAnnotation"] as Node | null | undefined
    const written = annotation === null || annotation === undefined ? [] : tagsWritten(annotation)
    if (written.length === 1 && written[0] === tag) return
    const advice = `its type says { readonly _tag: "${tag}" }, once, as docs/adr/0007 shows`
    found.push({ file: source.path, line: source.lineAt(node.start), what: tag, advice })
  })
  return found
}

export const tagsAgree: Law = {
  sentence: "the tag of an error is the same in its type and in its class",
  violations: (house: House) =>
    [...sources(house, "packages/"), ...sources(house, "apps/")].flatMap((file) => violationsOf(parseFile(house, file)))
}

export const tagLaws: ReadonlyArray<Law> = [tagsAgree]
