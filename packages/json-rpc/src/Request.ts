/**
 * One request out of a body, and the reply to it. Bitcoin Core speaks two dialects: the one that it always spoke ("1.0" or no version), where a
 * reply has both `result` and `error`, and JSON-RPC 2.0 for who says `"jsonrpc": "2.0"`, where it has one of them and where a request
 * without an `id` is a notification, to which there is no reply.
 */
import * as Result from "effect/Result"
import { type Json, type JsonArray, type JsonObject, isArray, isObject } from "./Json.ts"
import { type RpcError, rpcError } from "./RpcError.ts"
import { writeJson } from "./WriteJson.ts"

export type Version = "legacy" | "2.0"

/** What a reply needs to know of its request. */
export interface Addressee {
  readonly version: Version
  /** As it was given; `undefined` where none was. */
  readonly id: Json | undefined
}

export interface Request extends Addressee {
  readonly method: string
  readonly params: JsonArray | JsonObject
}

/** To whom the reply goes when nothing could be read. */
export const NOBODY: Addressee = { version: "legacy", id: null }

/** A request that cannot be read, and to whom to say so. */
export interface BadRequest {
  readonly to: Addressee
  readonly error: RpcError
}

export const isNotification = ({ version, id }: Addressee): boolean => version === "2.0" && id === undefined

export const readRequest = (json: Json): Result.Result<Request, BadRequest> => {
  if (!isObject(json)) return Result.fail({ to: NOBODY, error: invalid("Invalid Request object") })
  const id = own(json, "id")
  const version = own(json, "jsonrpc") ?? null
  const legacy: Addressee = { version: "legacy", id }
  if (version !== null && typeof version !== "string") return bad(legacy, "jsonrpc field must be a string")
  // "1.0" was never a version of JSON-RPC that says its name; old documentation told people to send it.
  if (version !== null && version !== "1.0" && version !== "2.0") return bad(legacy, "JSON-RPC version not supported")
  const to: Addressee = { version: version === "2.0" ? "2.0" : "legacy", id }
  const method = own(json, "method") ?? null
  if (method === null) return bad(to, "Missing method")
  if (typeof method !== "string") return bad(to, "Method must be a string")
  const params = own(json, "params") ?? []
  if (!isArray(params) && !isObject(params)) return bad(to, "Params must be an array or object")
  return Result.succeed({ ...to, method, params })
}

const own = (json: JsonObject, name: string): Json | undefined => (Object.hasOwn(json, name) ? json[name] : undefined)

const invalid = (message: string): RpcError => rpcError("INVALID_REQUEST", message)

const bad = (to: Addressee, message: string): Result.Result<never, BadRequest> =>
  Result.fail({ to, error: invalid(message) })

/** The reply with a result, which is JSON text already. */
export const resultReply = ({ version, id }: Addressee, result: string): string =>
  version === "2.0"
    ? `{"jsonrpc":"2.0","result":${result}${idField(id)}}`
    : `{"result":${result},"error":null${idField(id)}}`

export const errorReply = ({ version, id }: Addressee, { code, message, data }: RpcError): string => {
  const error = writeJson({ code, message, data })
  return version === "2.0"
    ? `{"jsonrpc":"2.0","error":${error}${idField(id)}}`
    : `{"result":null,"error":${error}${idField(id)}}`
}

const idField = (id: Json | undefined): string => (id === undefined ? "" : `,"id":${writeJson(id)}`)
