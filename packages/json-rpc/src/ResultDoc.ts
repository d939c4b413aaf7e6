/** What a method answers, as data: for the help, for `docs/rpc.md`, and for tests that hold answers against it. */
import { type Json, type JsonObject, type JsonType, isArray, isObject, typeOf } from "./Json.ts"

export interface ResultDoc {
  /** Its JSON type; `undefined` for any. */
  readonly type: JsonType | undefined
  /** How a value of it is shown, such as `"hex"`. */
  readonly sample: string
  readonly doc: string
  /** The field may be missing. */
  readonly optional: boolean
  /** When a method answers so, where it has several answers: `for verbosity = 0`. */
  readonly when: string | undefined
  readonly fields: Readonly<Record<string, ResultDoc>>
  /** Of an array: each of its items; of an object whose names are data: each of its members. */
  readonly item: ResultDoc | undefined
  /** Fields beyond those listed are allowed. */
  readonly open: boolean
}

const plain = (type: JsonType | undefined, sample: string, doc: string): ResultDoc => ({
  type,
  sample,
  doc,
  optional: false,
  when: undefined,
  fields: {},
  item: undefined,
  open: false
})

export const string = (doc: string): ResultDoc => plain("string", '"str"', doc)
export const hex = (doc: string): ResultDoc => plain("string", '"hex"', doc)
export const number = (doc: string): ResultDoc => plain("number", "n", doc)
/** An amount in coins, with eight decimals. */
export const amount = (doc: string): ResultDoc => plain("number", "n", doc)
/** Unix seconds. */
export const time = (doc: string): ResultDoc => plain("number", "xxx", doc)
export const boolean = (doc: string): ResultDoc => plain("bool", "true|false", doc)
/** The method answers `null`. */
export const none = (doc = ""): ResultDoc => plain("null", "null", doc)
export const any = (doc: string): ResultDoc => plain(undefined, "...", doc)

export const array = (doc: string, item: ResultDoc): ResultDoc => ({ ...plain("array", "[", doc), item })

export const object = (doc: string, fields: Readonly<Record<string, ResultDoc>>): ResultDoc => ({
  ...plain("object", "{", doc),
  fields
})

/** An object of these fields and others, that are told elsewhere. */
export const openObject = (doc: string, fields: Readonly<Record<string, ResultDoc>>): ResultDoc => ({
  ...object(doc, fields),
  open: true
})

/** An object whose names are data, such as txids. */
export const record = (doc: string, item: ResultDoc): ResultDoc => ({ ...plain("object", "{", doc), item })

/** The field may be missing. */
export const optional = (result: ResultDoc): ResultDoc => ({ ...result, optional: true })

/** One of several answers, and when it is given: `when("for verbosity = 0", hex("…"))`. */
export const when = (condition: string, result: ResultDoc): ResultDoc => ({ ...result, when: condition })

/** Where an answer is not as its documentation says: a sentence for each place, none where all is well. */
export const differences = (result: ResultDoc, json: Json, path = "result"): ReadonlyArray<string> => {
  if (result.type === undefined) return []
  const type = typeOf(json)
  if (type !== result.type) return [`${path} is ${type}, not ${result.type}`]
  if (isArray(json)) {
    const { item } = result
    return item === undefined ? [] : json.flatMap((value, at) => differences(item, value, `${path}[${at}]`))
  }
  return isObject(json) ? differencesOfObject(result, json, path) : []
}

const differencesOfObject = (result: ResultDoc, json: JsonObject, path: string): ReadonlyArray<string> => {
  const { item, fields } = result
  const present = Object.entries(json).filter(([, value]) => value !== undefined)
  const missing = Object.entries(fields)
    .filter(([name, field]) => !field.optional && json[name] === undefined)
    .map(([name]) => `${path}.${name} is missing`)
  const wrong = present.flatMap(([name, value]) => {
    const field = item ?? (Object.hasOwn(fields, name) ? fields[name] : undefined)
    if (field !== undefined) return differences(field, value ?? null, `${path}.${name}`)
    return result.open ? [] : [`${path}.${name} is not in the documentation`]
  })
  return [...missing, ...wrong]
}

/** The same where a method has several answers: none where one of them fits. */
export const differencesFromAll = (results: ReadonlyArray<ResultDoc>, json: Json): ReadonlyArray<string> => {
  const each = results.map((result) => differences(result, json))
  return each.some((found) => found.length === 0) ? [] : each.flat()
}
