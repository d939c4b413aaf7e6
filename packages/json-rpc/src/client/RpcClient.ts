/** Calls methods of a node, ours or Bitcoin Core's, over whatever `HttpClient` is at hand. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpClient } from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Result from "effect/Result"
import { type Json, type JsonArray, type JsonObject, isArray, isObject } from "../Json.ts"
import { parseJson } from "../ParseJson.ts"
import { RpcError } from "../RpcError.ts"
import { writeJson } from "../WriteJson.ts"
import { RpcClientError } from "./RpcClientError.ts"

export interface RpcClientOptions {
  /** `http://127.0.0.1:8332/` where it is not said. */
  readonly url?: string
  /** `user:password`, as a cookie file holds it. */
  readonly credentials: string
  /** How long to wait for an answer: 900 seconds as `bitcoin-cli`, 0 for as long as it takes. */
  readonly timeoutMs?: number
}

/** One call of several that are sent together. */
export interface Call {
  readonly method: string
  /** By position or by name. */
  readonly params?: JsonArray | JsonObject
}

export interface RpcClient {
  readonly call: (method: string, params?: JsonArray | JsonObject) => Effect.Effect<Json, RpcError | RpcClientError>
  /** Sends all in one request; each has a result or an error of its own, in the same order. */
  readonly batch: (
    calls: ReadonlyArray<Call>
  ) => Effect.Effect<ReadonlyArray<Result.Result<Json, RpcError>>, RpcClientError>
}

export const DEFAULT_RPC_URL = "http://127.0.0.1:8332/"
const TIMEOUT_MS = 900_000

export const makeRpcClient = (options: RpcClientOptions): Effect.Effect<RpcClient, never, HttpClient> =>
  Effect.gen(function* () {
    const http = yield* HttpClient
    const url = options.url ?? DEFAULT_RPC_URL
    const ask = (body: Json): Effect.Effect<Json, RpcClientError> => post(http, url, options, writeJson(body))
    return {
      call: (method, params = []) =>
        Effect.gen(function* () {
          const reply = yield* ask({ jsonrpc: "2.0", id: 1, method, params })
          const result = outcomeOf(reply)
          return result === undefined ? yield* noJsonRpc(url, 200) : yield* Effect.fromResult(result)
        }),
      batch: (calls) =>
        Effect.gen(function* () {
          if (calls.length === 0) return []
          const reply = yield* ask(calls.map(({ method, params = [] }, id) => ({ jsonrpc: "2.0", id, method, params })))
          const outcomes = inOrder(reply, calls.length)
          return outcomes === undefined ? yield* noJsonRpc(url, 200) : outcomes
        })
    }
  })

const post = (
  http: HttpClient,
  url: string,
  { credentials, timeoutMs = TIMEOUT_MS }: RpcClientOptions,
  body: string
): Effect.Effect<Json, RpcClientError> =>
  Effect.gen(function* () {
    const request = HttpClientRequest.post(url).pipe(
      HttpClientRequest.setHeader("authorization", `Basic ${base64(credentials)}`),
      HttpClientRequest.bodyText(body, "application/json")
    )
    const response = yield* http.execute(request)
    const text = yield* response.text
    const json = parseJson(text.trimEnd())
    if (Result.isSuccess(json) && isReply(json.success)) return json.success
    return yield* faultOf(url, response)
  }).pipe(
    Effect.catchTag("HttpClientError", ({ cause, reason }) =>
      Effect.fail(new RpcClientError({ fault: "unreachable", message: `${url}: ${whyUnreachable(cause ?? reason)}` }))
    ),
    timeoutMs === 0
      ? (asked) => asked
      : Effect.timeoutOrElse({
          duration: Duration.millis(timeoutMs),
          orElse: () =>
            Effect.fail(
              new RpcClientError({ fault: "timeout", message: `${url}: no answer within ${timeoutMs / 1000} seconds` })
            )
        })
  )

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)))

const isReply = (json: Json): boolean => isArray(json) || (isObject(json) && ("result" in json || "error" in json))

/** The innermost message: `fetch` wraps what the socket says. */
const whyUnreachable = (cause: unknown): string => {
  let error = cause
  while (error instanceof Error && error.cause !== undefined && error.cause !== error) error = error.cause
  if (error instanceof AggregateError && error.errors.length > 0) error = error.errors[0]
  return error instanceof Error && error.message !== "" ? error.message : "the connection failed"
}

const faultOf = (url: string, { status }: HttpClientResponse): RpcClientError => {
  switch (status) {
    case 401:
      return new RpcClientError({ fault: "unauthorized", status, message: `${url}: the user or the password is wrong` })
    case 403:
      return new RpcClientError({ fault: "forbidden", status, message: `${url}: this is not allowed from here` })
    case 503:
      return new RpcClientError({ fault: "busy", status, message: `${url}: too many requests wait there already` })
    default:
      return noJsonRpc(url, status)
  }
}

const noJsonRpc = (url: string, status: number): RpcClientError =>
  new RpcClientError({ fault: "no JSON-RPC", status, message: `${url}: HTTP ${status} and no JSON-RPC` })

/** What one reply says, in either dialect; `undefined` where it says nothing. */
const outcomeOf = (reply: Json): Result.Result<Json, RpcError> | undefined => {
  if (!isObject(reply)) return undefined
  const { error, result } = reply as { readonly error?: Json; readonly result?: Json }
  if (error === undefined || error === null) return result === undefined ? undefined : Result.succeed(result)
  if (!isObject(error)) return undefined
  const { code, message, data } = error as { readonly code?: Json; readonly message?: Json; readonly data?: Json }
  if (typeof code !== "number") return undefined
  const text = typeof message === "string" ? message : writeJson(message ?? null)
  return Result.fail(new RpcError(data === undefined ? { code, message: text } : { code, message: text, data }))
}

/** The replies to a batch by the places of its calls; `undefined` where one is missing. */
const inOrder = (reply: Json, count: number): ReadonlyArray<Result.Result<Json, RpcError>> | undefined => {
  if (!isArray(reply)) return undefined
  const byId = new Map<Json | undefined, Json>(
    reply.map((member) => [isObject(member) ? member["id"] : undefined, member])
  )
  const outcomes = Array.from({ length: count }, (_, id) => outcomeOf(byId.get(id) ?? null))
  return outcomes.every((outcome) => outcome !== undefined) ? outcomes : undefined
}
