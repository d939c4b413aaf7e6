/** `satwire events`: what happens in a running node, one JSON object a line. */
import { type NodeEvent, TOPICS, decodeEvent, encodeEvent } from "@satwire/events/client"
import type * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import { HttpClient } from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import type { FlagTexts } from "../cli/Flags.ts"
import { complaint } from "../cli/Presenter.ts"
import { ConfigError } from "../config/ConfigError.ts"
import { loadSettings } from "../config/LoadSettings.ts"
import { credentialsOf, hostAndPort } from "../rpc/NodeAddress.ts"
import { layerNodeHttp } from "../rpc/NodeHttp.ts"
import type { NoCredentials } from "../rpc/RpcErrors.ts"

const NoEventsBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "NoEvents"; readonly message: string } = Data.TaggedError("NoEvents")

/** There are none to be read there, or no more, for what one sentence says. */
export class NoEvents extends NoEventsBase {}

export type RunEventsError = ConfigError | NoCredentials | NoEvents

/** Prints events of these topics until the node ends. */
export const runEvents = (
  topics: ReadonlyArray<string>,
  flags: FlagTexts
): Effect.Effect<void, RunEventsError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("events", flags)
    for (const warning of loaded.warnings) yield* Console.error(complaint(warning))
    const unknown = topics.find((topic) => !(TOPICS as ReadonlyArray<string>).includes(topic))
    if (unknown !== undefined) {
      return yield* new ConfigError({ message: `there is no topic "${unknown}": there are ${TOPICS.join(", ")}` })
    }
    const { decode, payload, url } = loaded.settings
    const asked = new URLSearchParams()
    if (topics.length > 0) asked.set("topics", topics.join(","))
    if (decode === true) asked.set("decode", "1")
    if (payload === true) asked.set("payload", "1")
    const headers =
      url === undefined
        ? { authorization: `Basic ${Buffer.from(yield* credentialsOf(loaded)).toString("base64")}` }
        : {}
    const place: Place = { url: url ?? `ws://${hostAndPort(loaded)}/events`, query: asked.toString(), headers }
    const end = yield* read(place, yield* Console.Console)
    if (end === "never opened") return yield* yield* whyNot(place)
    if (end !== NODE_ENDED) return yield* new NoEvents({ message: `${place.url}: ${ENDS.get(end) ?? LOST}` })
  }).pipe(Effect.provide(layerNodeHttp))

interface Place {
  readonly url: string
  /** Without `?`. */
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
}

/** Codes of a WebSocket's end. */
const NODE_ENDED = 1001
const LOST = "the connection was lost"
const ENDS: ReadonlyMap<number, string> = new Map([[1013, "the node let us go, because too little was read"]])

/** What the WebSockets of Node and of Deno know beside those of pages: headers. */
const WebSocketWithHeaders = WebSocket as unknown as new (
  url: string,
  options: { readonly headers: Readonly<Record<string, string>> }
) => WebSocket

/** Prints all events. Gives the code with which it ended. */
const read = ({ headers, query, url }: Place, console: Console.Console): Effect.Effect<number | "never opened"> =>
  Effect.callback((resume) => {
    const socket = new WebSocketWithHeaders(`${url}?${query}`, { headers })
    socket.binaryType = "arraybuffer"
    let isOpen = false
    socket.addEventListener("open", () => (isOpen = true))
    socket.addEventListener("message", ({ data }) => {
      const event = decodeEvent(data as string | ArrayBuffer)
      // What is not known here a later version tells.
      if (Result.isSuccess(event) && event.success.topic !== "alive") console.log(lineOf(event.success))
    })
    socket.addEventListener("close", ({ code }) => resume(Effect.succeed(isOpen ? code : "never opened")))
    return Effect.sync(() => socket.close())
  })

const lineOf = (event: NodeEvent): string => encodeEvent(event, "json") as string

/** A WebSocket does not say why it was refused; a plain request is told. */
const whyNot = ({ headers, query, url }: Place): Effect.Effect<NoEvents, never, HttpClient> =>
  Effect.gen(function* () {
    const http = yield* HttpClient
    const request = HttpClientRequest.get(`${url.replace(/^ws/, "http")}?${query}`).pipe(
      HttpClientRequest.setHeaders(headers)
    )
    const { status, text } = yield* http.execute(request)
    return status === 401 ? "the user or the password is wrong" : `HTTP ${status}, ${(yield* text).trim()}`
  }).pipe(
    Effect.catch(({ cause }) => Effect.succeed(cause instanceof Error && cause.message !== "" ? cause.message : LOST)),
    Effect.map((why) => new NoEvents({ message: `${url}: ${why}` }))
  )
