/**
 * An `HttpClient` on `node:http`, for one request at a time whose answer may take hours: the platform's `fetch` gives up after five minutes
 * without a word, and Effect's own client brings all of undici (measured: a bundle of 3.8 MB in place of 2.4).
 */
import { request as nodeRequest } from "node:http"
import * as Effect from "effect/Effect"
import { HttpClient, make } from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import { type HttpClientResponse, fromWeb } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"

const send = (request: HttpClientRequest, url: URL): Effect.Effect<HttpClientResponse, HttpClientError> =>
  Effect.callback((resume) => {
    const failed = (cause: unknown): void =>
      resume(Effect.fail(new HttpClientError({ reason: new TransportError({ request, cause: inPlainWords(cause) }) })))
    const { method, headers, body } = request
    const content = body._tag === "Uint8Array" ? body.body : new Uint8Array()
    const asked = nodeRequest(url, {
      method,
      // One answer, and the connection is done: the program ends then.
      agent: false,
      headers: { ...headers, "content-length": content.length }
    })
    asked.on("error", failed)
    asked.on("response", (response) => {
      const chunks: Array<Uint8Array> = []
      response.on("data", (chunk: Uint8Array) => chunks.push(chunk))
      response.on("error", failed)
      response.on("end", () => {
        const { statusCode: status = 500 } = response
        // A web response with one of these statuses has no body, not even an empty one.
        const whole = status === 204 || status === 304 ? null : Buffer.concat(chunks)
        resume(Effect.succeed(fromWeb(request, new Response(whole, { status }))))
      })
    })
    asked.end(content)
    return Effect.sync(() => asked.destroy())
  })

const NOBODY = "nobody listens there: start the node, or say where it is with --rpcconnect and --rpcport"

/** What happens most, in other words than those of the system. */
const inPlainWords = (cause: unknown): unknown =>
  cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED" ? new Error(NOBODY) : cause

export const layerNodeHttp: Layer.Layer<HttpClient> = Layer.succeed(
  HttpClient,
  make((request, url) => send(request, url))
)
