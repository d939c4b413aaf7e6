/**
 * What a command line adds to calls: arguments that are all text, and answers that people read.
 *
 * Specification: `bitcoin-cli`. An argument that a method takes as a string is sent as it is; any other is JSON. A result that is a string is shown
 * bare, `null` as nothing, all else as JSON with two spaces. An error ends with the absolute value of its code.
 * Rationale: `bitcoin-cli` carries a list of which arguments are strings. A list of our own would be out of date with some node or other,
 * so the node is asked: Core's `help dump_all_command_conversions` is that list, and ours gives the same.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Json, type JsonArray, type JsonObject, isArray } from "../Json.ts"
import { CONVERSIONS } from "../MethodTable.ts"
import { parseJson } from "../ParseJson.ts"
import type { RpcError } from "../RpcError.ts"
import { writeJson } from "../WriteJson.ts"
import type { RpcClient } from "./RpcClient.ts"
import type { RpcClientError } from "./RpcClientError.ts"

/** Of each argument of one method: where it stands, how it is called, and whether it is a string. */
export interface Conversion {
  readonly position: number
  readonly name: string
  readonly isString: boolean
}

/** How the node converts the arguments of a method; none for a method that it does not know. */
export const conversionsFor = (
  client: RpcClient,
  method: string
): Effect.Effect<ReadonlyArray<Conversion>, RpcError | RpcClientError> =>
  Effect.map(client.call("help", [CONVERSIONS]), (answer) =>
    (isArray(answer) ? answer : []).flatMap((row): ReadonlyArray<Conversion> => {
      if (!isArray(row)) return []
      const [of, position, name, isString] = row
      return of === method && typeof position === "number" && typeof name === "string"
        ? [{ position, name, isString: isString === true }]
        : []
    })
  )

/** Arguments by position. */
export const positionalParams = (conversions: ReadonlyArray<Conversion>, texts: ReadonlyArray<string>): JsonArray =>
  texts.map((text, at) =>
    converted(
      text,
      conversions.find(({ position }) => position === at)
    )
  )

/** Arguments as `name=value`; what has no name that the method knows is an argument by position. */
export const namedParams = (conversions: ReadonlyArray<Conversion>, texts: ReadonlyArray<string>): JsonObject => {
  const named: Record<string, Json> = Object.create(null) as Record<string, Json>
  const positional: Array<string> = []
  for (const text of texts) {
    const [, name = "", value = ""] = /^([^=]+)=([^]*)$/.exec(text) ?? []
    const conversion = conversions.find((conversion) => conversion.name === name)
    const isNamed = name !== "" && (conversion !== undefined || conversions.length === 0)
    if (isNamed) named[name] = converted(value, conversion)
    else positional.push(text)
  }
  if (positional.length > 0) named["args"] = positionalParams(conversions, positional)
  return named
}

/** What is no JSON is sent as the text that it is: the node says better than we what it should have been. */
const converted = (text: string, conversion: Conversion | undefined): Json => {
  if (conversion === undefined || conversion.isString) return text
  const json = parseJson(text.trim())
  return Result.isSuccess(json) ? json.success : text
}

/** What a result is shown as; empty for `null`. */
export const resultText = (result: Json): string => {
  if (result === null) return ""
  return typeof result === "string" ? result : writeJson(result, 2)
}

/** What an error is shown as. */
export const errorText = ({ code, message }: RpcError): string => `error code: ${code}\nerror message:\n${message}`

/** What the program ends with. A system keeps eight bits of it. */
export const exitCodeOf = ({ code }: RpcError): number => Math.abs(code)
