/**
 * From what a caller gave, by position or by name, to what a method takes. The errors, their codes and the order in which they are found are
 * those of Bitcoin Core `src/rpc/server.cpp` and `src/rpc/util.cpp`.
 */
import * as Result from "effect/Result"
import { helpText } from "./HelpText.ts"
import { type Json, type JsonArray, type JsonObject, isArray, typeOf } from "./Json.ts"
import type { Method } from "./Method.ts"
import type { Param } from "./Param.ts"
import { repeatedName } from "./ParseJson.ts"
import { type RpcError, rpcError } from "./RpcError.ts"
import { writeJson } from "./WriteJson.ts"

/** The arguments by their names, each as its row reads it. */
export const readArguments = (
  method: Method<unknown>,
  given: JsonArray | JsonObject
): Result.Result<Readonly<Record<string, unknown>>, RpcError> =>
  Result.gen(function* () {
    const values = isArray(given) ? given : yield* positional(method.params, given)
    if (values.length > method.params.length || values.length < neededOf(method.params)) {
      // Core answers a wrong number of arguments with the help, and so do programs expect it.
      return yield* Result.fail(rpcError("MISC_ERROR", helpText(method)))
    }
    yield* typesFit(method.params, values)
    const read: Record<string, unknown> = {}
    for (const [at, param] of method.params.entries()) read[param.name] = yield* param.read(values[at] ?? null)
    return read
  })

const neededOf = (params: ReadonlyArray<Param>): number => params.findLastIndex(({ required }) => required) + 1

/** All arguments of a wrong type in one error. */
const typesFit = (params: ReadonlyArray<Param>, values: JsonArray): Result.Result<void, RpcError> => {
  const wrong: Record<string, string> = {}
  for (const [at, { kind, required, ...param }] of params.entries()) {
    const value = values[at] ?? null
    if (kind.type === undefined || typeOf(value) === kind.type || (value === null && !required)) continue
    wrong[`Position ${at + 1} (${allNames(param)})`] =
      `JSON value of type ${typeOf(value)} is not of expected type ${kind.type}`
  }
  return Object.keys(wrong).length === 0
    ? Result.succeed(undefined)
    : Result.fail(rpcError("TYPE_ERROR", `Wrong type passed:\n${writeJson(wrong, 4)}`))
}

const allNames = ({ name, aliases }: Pick<Param, "name" | "aliases">): string => [name, ...aliases].join("|")

const invalid = (message: string): Result.Result<never, RpcError> => Result.fail(rpcError("INVALID_PARAMETER", message))

/**
 * Named arguments in their positions, with `null` where one is skipped; `args` holds those that are given by position all the same.
 */
const positional = (params: ReadonlyArray<Param>, given: JsonObject): Result.Result<JsonArray, RpcError> => {
  const repeated = repeatedName(given)
  if (repeated !== undefined) return invalid(`Parameter ${repeated} specified multiple times`)
  const left = new Map<string, Json>(Object.entries(given).map(([name, value]) => [name, value ?? null]))
  const values: Array<Json> = []
  let first: { readonly param: Param; readonly at: number } | undefined
  for (const [at, param] of params.entries()) {
    const value = taken(param, left)
    if (Result.isFailure(value)) return Result.fail(value.failure)
    if (value.success === undefined) continue
    first ??= { param, at }
    // Only holes before an argument are filled: how many there are tells a method what was given.
    while (values.length < at) values.push(null)
    values.push(value.success)
  }
  const before = left.get("args")
  if (before !== undefined && isArray(before)) {
    left.delete("args")
    if (first !== undefined && first.at < before.length) {
      return invalid(`Parameter ${allNames(first.param)} specified twice both as positional and named argument`)
    }
    values.splice(0, before.length, ...before)
  }
  const [unknown] = left.keys()
  return unknown === undefined ? Result.succeed(values) : invalid(`Unknown named parameter ${unknown}`)
}

/** The value of one argument, taken out of those that were given. */
const taken = (param: Param, left: Map<string, Json>): Result.Result<Json | undefined, RpcError> => {
  const options = param.kind.shape._tag === "Options" ? param.kind.shape.fields : []
  const inside: Record<string, Json> = {}
  for (const field of options) {
    const value = takenByName(field, left)
    if (value !== undefined) inside[value.name] = value.value
  }
  const [firstInside] = Object.keys(inside)
  const whole = takenByName(param, left)
  if (whole !== undefined && firstInside !== undefined) {
    return invalid(`Parameter ${whole.name} conflicts with parameter ${firstInside}`)
  }
  return Result.succeed(firstInside === undefined ? whole?.value : inside)
}

const takenByName = (
  { name, aliases }: Param,
  left: Map<string, Json>
): { readonly name: string; readonly value: Json } | undefined => {
  const found = [name, ...aliases].find((name) => left.has(name))
  if (found === undefined) return undefined
  const value = left.get(found) ?? null
  left.delete(found)
  return { name: found, value }
}
