/**
 * What an argument may be: its JSON type, the word for it in help texts, and how it is read. The error texts are Bitcoin Core's, as people
 * search for them.
 */
import { fromHex } from "@satwire/bytes"
import * as Result from "effect/Result"
import { ExactNumber, type Json, type JsonObject, type JsonType, isArray, isObject, typeOf } from "./Json.ts"
import type { Args, Param } from "./Param.ts"
import { type RpcError, rpcError } from "./RpcError.ts"
import { writeJson } from "./WriteJson.ts"

export type ReadResult<A> = Result.Result<A, RpcError>

/** How an argument of this kind is shown in the first line of a help text, and what is listed below it. */
export type Shape =
  | { readonly _tag: "Value"; readonly sample: "quoted" | "bare" }
  | { readonly _tag: "Object"; readonly fields: ReadonlyArray<Param>; readonly open: boolean }
  /** Its fields may be given as named arguments of their own. */
  | { readonly _tag: "Options"; readonly fields: ReadonlyArray<Param> }
  | { readonly _tag: "Array"; readonly item: Param }

export interface Kind<A> {
  /** The one type that it has in JSON; `undefined` where it may have several, and `read` judges. */
  readonly type: JsonType | undefined
  /** The word in help texts. */
  readonly word: string
  readonly shape: Shape
  /** Of a value that has the type; `name` is for error texts. */
  readonly read: (json: Json, name: string) => ReadResult<A>
}

const BARE: Shape = { _tag: "Value", sample: "bare" }
const QUOTED: Shape = { _tag: "Value", sample: "quoted" }

const wrongType = (json: Json, expected: string): ReadResult<never> =>
  Result.fail(rpcError("TYPE_ERROR", `JSON value of type ${typeOf(json)} is not of expected type ${expected}`))

/** A kind of one JSON type: a value of another fails with Core's words for it. */
const ofType = <A>(
  type: JsonType,
  word: string,
  shape: Shape,
  read: (json: Json, name: string) => ReadResult<A>
): Kind<A> => ({
  type,
  word,
  shape,
  read: (json, name) => (typeOf(json) === type ? read(json, name) : wrongType(json, type))
})

/** The same JSON, with more asked of its value: `refined(integer, (height) => …)`. */
export const refined = <A, B>(kind: Kind<A>, read: (value: A, name: string) => ReadResult<B>): Kind<B> => ({
  ...kind,
  read: (json, name) => Result.flatMap(kind.read(json, name), (value) => read(value, name))
})

/** Any JSON at all. */
export const json: Kind<Json> = { type: undefined, word: "any", shape: BARE, read: (json) => Result.succeed(json) }

export const string: Kind<string> = ofType("string", "string", QUOTED, (json) => Result.succeed(json as string))

export const boolean: Kind<boolean> = ofType("bool", "boolean", BARE, (json) => Result.succeed(json as boolean))

/** A number with decimals. */
export const real: Kind<number> = ofType("number", "numeric", BARE, (json) => {
  const value = Number(json instanceof ExactNumber ? json.text : json)
  return Number.isFinite(value)
    ? Result.succeed(value)
    : Result.fail(rpcError("MISC_ERROR", "JSON double out of range"))
})

const outOfRange = (): ReadResult<never> => Result.fail(rpcError("MISC_ERROR", "JSON integer out of range"))

const INT32_MAX = 2 ** 31 - 1

/** An integer of 32 bits unless said otherwise: Core reads most of its numbers so. It is written without decimals. */
export const integerWithin = (lowest: number, highest: number): Kind<number> =>
  ofType("number", "numeric", BARE, (json) =>
    typeof json === "number" && Number.isInteger(json) && json >= lowest && json <= highest
      ? Result.succeed(json)
      : outOfRange()
  )
export const integer: Kind<number> = integerWithin(-INT32_MAX - 1, INT32_MAX)
export const safeInteger: Kind<number> = integerWithin(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)

/** An integer of 64 bits with a sign. */
export const int64: Kind<bigint> = ofType("number", "numeric", BARE, (json) => {
  if (typeof json === "object" || (typeof json === "number" && !Number.isInteger(json))) return outOfRange()
  const value = BigInt(json)
  return value === BigInt.asIntN(64, value) ? Result.succeed(value) : outOfRange()
})

/** How much to tell, as a number; `true` is 1 and `false` 0, as older programs say it. */
export const verbosity: Kind<number> = {
  type: undefined,
  word: "numeric or boolean",
  shape: BARE,
  read: (json, name) => (typeof json === "boolean" ? Result.succeed(json ? 1 : 0) : integer.read(json, name))
}

const MAX_MONEY = 2_100_000_000_000_000n
const DECIMALS = 8
const AMOUNT = /^(-?)(0|[1-9]\d{0,17})(?:\.(\d{1,18}))?(?:[eE]([+-]?\d{1,2}))?$/

/** Satoshis of a decimal, or `undefined` where it is none or finer than a satoshi. */
const satoshisOf = (text: string): bigint | undefined => {
  const match = AMOUNT.exec(text)
  if (match === null) return undefined
  const [, sign, whole = "", fraction = "", exponent = "0"] = match
  const digits = BigInt(whole + fraction)
  const shift = Number(exponent) - fraction.length + DECIMALS
  const divisor = 10n ** BigInt(Math.max(0, -shift))
  if (digits % divisor !== 0n) return undefined
  const value = (digits / divisor) * 10n ** BigInt(Math.max(0, shift))
  return sign === "-" ? -value : value
}

/** An amount in coins, as a number or a string; in satoshis once read. */
export const amount: Kind<bigint> = {
  type: undefined,
  word: "numeric or string",
  shape: BARE,
  read: (json) => {
    const type = typeOf(json)
    if (type !== "number" && type !== "string") {
      return Result.fail(rpcError("TYPE_ERROR", "Amount is not a number or string"))
    }
    const value = satoshisOf(typeof json === "string" ? json : writeJson(json))
    if (value === undefined) return Result.fail(rpcError("TYPE_ERROR", "Invalid amount"))
    return value >= 0n && value <= MAX_MONEY
      ? Result.succeed(value)
      : Result.fail(rpcError("TYPE_ERROR", "Amount out of range"))
  }
}

/** One of several words. */
export const oneOf = <const W extends string>(words: ReadonlyArray<W>, wrong?: (given: string) => string): Kind<W> =>
  refined(string, (given, name) => {
    const word = words.find((word) => word === given)
    if (word !== undefined) return Result.succeed(word)
    const message = wrong?.(given) ?? `Invalid ${name} '${given}', must be one of: ${words.join(", ")}`
    return Result.fail(rpcError("INVALID_PARAMETER", message))
  })

/** Any number of bytes in hex. */
export const hex: Kind<Uint8Array> = refined(string, (given, name) => {
  const bytes = fromHex(given)
  return bytes === undefined
    ? Result.fail(rpcError("INVALID_PARAMETER", `${name} must be hexadecimal string (not '${given}')`))
    : Result.succeed(bytes)
})

const HASH_DIGITS = 64

/** A hash or txid as people write it, last byte first; 32 bytes in wire order once read. */
export const hash: Kind<Uint8Array> = refined(string, (given, name) => {
  if (given.length !== HASH_DIGITS) {
    const message = `${name} must be of length ${HASH_DIGITS} (not ${given.length}, for '${given}')`
    return Result.fail(rpcError("INVALID_PARAMETER", message))
  }
  return Result.map(hex.read(given, name), (bytes) => bytes.reverse())
})

/** Several of one kind. `item` names one of them in the help. */
export const arrayOf = <A>(item: Param<string, A>): Kind<ReadonlyArray<A>> =>
  ofType("array", "json array", { _tag: "Array", item }, (json) =>
    Result.all((isArray(json) ? json : []).map((value) => item.read(value)))
  )

/** An object with these fields; others in it are passed over, as Core does in most places. */
export const objectOf = <const P extends ReadonlyArray<Param>>(fields: P): Kind<Args<P>> =>
  ofType("object", "json object", { _tag: "Object", fields, open: false }, (json) => readFields(json, fields))

/** The last argument of a method, whose fields may also be given as named arguments of the method; unknown ones are refused. */
export const namedOptions = <const P extends ReadonlyArray<Param>>(fields: P): Kind<Args<P>> =>
  ofType("object", "json object", { _tag: "Options", fields }, (json) => {
    const known = new Set(fields.flatMap(({ name, aliases }) => [name, ...aliases]))
    const unknown = isObject(json) ? Object.keys(json).find((name) => !known.has(name)) : undefined
    return unknown === undefined
      ? readFields(json, fields)
      : Result.fail(rpcError("TYPE_ERROR", `Unexpected key ${unknown}`))
  })

/** An object whose names the caller chooses, as pairs in the order in which they stand. `item` is one member. */
export const recordOf = <A>(item: Param<string, A>): Kind<ReadonlyArray<readonly [string, A]>> =>
  ofType("object", "json object", { _tag: "Object", fields: [item], open: true }, (json) =>
    Result.all(
      Object.entries(isObject(json) ? json : {}).map(([name, value]) =>
        Result.map(item.read(value ?? null), (read) => [name, read] as const)
      )
    )
  )

const readFields = <P extends ReadonlyArray<Param>>(json: Json, fields: P): ReadResult<Args<P>> => {
  const object: JsonObject = isObject(json) ? json : {}
  const values: Record<string, unknown> = {}
  for (const field of fields) {
    const name = [field.name, ...field.aliases].find((name) => Object.hasOwn(object, name))
    const read = field.read(name === undefined ? null : (object[name] ?? null))
    if (Result.isFailure(read)) return Result.fail(read.failure)
    values[field.name] = read.success
  }
  // Each field was read by its own row, which `Args` is made of.
  return Result.succeed(values as Args<P>)
}
