/** The client for programs that are not written in Effect: promises, over the platform's `fetch`. */
import * as Effect from "effect/Effect"
import { layer } from "effect/http/FetchHttpClient"
import { ExactNumber, type Json, type JsonArray, type JsonObject, isArray } from "./Json.ts"
import { type RpcClientOptions, makeRpcClient } from "./client/RpcClient.ts"

export { RpcClientError, type RpcClientFault } from "./client/RpcClientError.ts"
export type { RpcClientOptions } from "./client/RpcClient.ts"
export type { Json, JsonArray, JsonObject } from "./Json.ts"
export { RPC_CODES, RpcError } from "./RpcError.ts"

/**
 * A result in JavaScript's own values. A number with decimals is the nearest that JavaScript has, which for every amount of coins is that very
 * amount; an integer beyond 2^53 is a `bigint`.
 */
export type PlainJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | ReadonlyArray<PlainJson>
  | { readonly [name: string]: PlainJson }

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface PromiseRpcClient {
  /** Rejects with an `RpcError` where the node says so, with an `RpcClientError` where it does not answer. */
  readonly call: (method: string, params?: JsonArray | JsonObject, options?: CallOptions) => Promise<PlainJson>
}

/** A client of the node at `options.url`. */
export const rpcClient = (options: RpcClientOptions): PromiseRpcClient => ({
  call: (method, params = [], { signal } = {}) =>
    makeRpcClient(options).pipe(
      Effect.flatMap((client) => client.call(method, params)),
      Effect.map(plain),
      Effect.provide(layer),
      (program) => Effect.runPromise(program, signal === undefined ? undefined : { signal })
    )
})

const plain = (json: Json): PlainJson => {
  if (typeof json !== "object" || json === null) return json
  if (json instanceof ExactNumber) return Number(json.text)
  if (isArray(json)) return json.map(plain)
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, plain(value ?? null)]))
}
