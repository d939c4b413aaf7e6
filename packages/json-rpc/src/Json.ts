/**
 * A JSON value as RPC needs it. JavaScript's numbers hold no amount above 2^53 and forget how many decimals were written, so a value here may
 * also be a `bigint`, which is written as an integer, or an `ExactNumber`, which is written as it stands.
 */

/** A number by its digits, as they are written in JSON. */
export class ExactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** An object; a field that is `undefined` is not written. */
export interface JsonObject {
  readonly [name: string]: Json | undefined
}
export type JsonArray = ReadonlyArray<Json>
export type Json = null | boolean | number | bigint | ExactNumber | string | JsonArray | JsonObject

/** The six types of JSON in the words of Bitcoin Core's error texts. */
export type JsonType = "null" | "bool" | "number" | "string" | "array" | "object"

export const isArray = (json: Json): json is JsonArray => Array.isArray(json)

export const isObject = (json: Json): json is JsonObject =>
  typeof json === "object" && json !== null && !isArray(json) && !(json instanceof ExactNumber)

export const typeOf = (json: Json): JsonType => {
  if (json === null) return "null"
  switch (typeof json) {
    case "boolean":
      return "bool"
    case "number":
    case "bigint":
      return "number"
    case "string":
      return "string"
    default:
      return json instanceof ExactNumber ? "number" : isArray(json) ? "array" : "object"
  }
}

const DECIMALS = 8
const COIN = 10n ** BigInt(DECIMALS)

/** Satoshis as Bitcoin Core writes an amount: in coins, always with eight decimals. */
export const amount = (satoshis: number | bigint): ExactNumber => {
  const value = BigInt(satoshis)
  const absolute = value < 0n ? -value : value
  const fraction = (absolute % COIN).toString().padStart(DECIMALS, "0")
  return new ExactNumber(`${value < 0n ? "-" : ""}${absolute / COIN}.${fraction}`)
}
