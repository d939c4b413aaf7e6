/** From a value to JSON text, with every number as exact as it was given. */
import { ExactNumber, type Json, isArray } from "./Json.ts"

/** In one line; or, with `indent`, one line for each member, that many spaces further in than what holds it. */
export const writeJson = (json: Json, indent = 0): string => write(json, indent, 0)

const write = (json: Json, indent: number, depth: number): string => {
  if (json === null) return "null"
  switch (typeof json) {
    case "string":
      return JSON.stringify(json)
    case "number":
      // JSON has no word for what is not finite, and `null` is what every writer puts for it.
      return Number.isFinite(json) ? String(json) : "null"
    case "bigint":
    case "boolean":
      return String(json)
    default:
      return writeNested(json, indent, depth)
  }
}

const writeNested = (json: Exclude<Json, null> & object, indent: number, depth: number): string => {
  if (json instanceof ExactNumber) return json.text
  if (isArray(json)) {
    return enclosed(
      "[",
      json.map((item) => write(item, indent, depth + 1)),
      "]",
      indent,
      depth
    )
  }
  const members: Array<string> = []
  const colon = indent === 0 ? ":" : ": "
  for (const [name, value] of Object.entries(json)) {
    if (value !== undefined) members.push(JSON.stringify(name) + colon + write(value, indent, depth + 1))
  }
  return enclosed("{", members, "}", indent, depth)
}

const enclosed = (
  open: string,
  members: ReadonlyArray<string>,
  close: string,
  indent: number,
  depth: number
): string => {
  if (indent === 0) return open + members.join(",") + close
  if (members.length === 0) return open + close
  const inner = " ".repeat(indent * (depth + 1))
  return `${open}\n${members.map((member) => inner + member).join(",\n")}\n${" ".repeat(indent * depth)}${close}`
}
