/** HTTP to a device of the LAN that nobody vouches for: so many bytes, so much time, no redirection, no encoding. */
import { request } from "node:http"
import * as Effect from "effect/Effect"
import { type PortMappingError, failure } from "./PortMappingError.ts"

/**
 * Descriptions of routers have 2 to 20 kB.
 *
 * @limit bytes that a gateway may answer over HTTP
 */
export const MAX_REPLY_BYTES = 65_536

/**
 * @limit milliseconds that a gateway may take to answer over HTTP
 */
export const REPLY_TIMEOUT_MS = 3000

export interface HttpAsked {
  readonly method: "GET" | "POST"
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** The text of the answer, where it is one of success. */
export const askHttp = (url: URL, asked: HttpAsked): Effect.Effect<string, PortMappingError> =>
  Effect.callback<string, PortMappingError>((resume) => {
    const failed = (why: string): void => {
      asking.destroy()
      resume(Effect.fail(failure("Malformed", `The gateway at ${url.host}: ${why}.`)))
    }
    const options = { method: asked.method, headers: asked.headers, agent: false, maxHeaderSize: 8192 }
    const asking = request(url, options, (reply) => {
      const parts: Array<Uint8Array> = []
      let length = 0
      reply.on("data", (bytes: Uint8Array) => {
        length += bytes.length
        if (length > MAX_REPLY_BYTES) return failed("it says more than anybody needs")
        parts.push(bytes)
      })
      reply.on("error", ({ message }) => failed(message))
      reply.on("end", () => {
        if (reply.statusCode !== 200) return failed(`it answers with HTTP status ${reply.statusCode}`)
        resume(Effect.succeed(Buffer.concat(parts).toString("utf8")))
      })
    })
    asking.on("error", ({ message }) => failed(message))
    asking.end(asked.body)
    return Effect.sync(() => asking.destroy())
  }).pipe(
    Effect.timeoutOrElse({
      duration: REPLY_TIMEOUT_MS,
      orElse: () => Effect.fail(failure("TimedOut", `The gateway at ${url.host} does not answer in time.`))
    })
  )
