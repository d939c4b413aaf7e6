/**
 * The page and its WebSocket, behind the door of `@satwire/http-door`: asked for by this machine only, under its own name, and by no page of
 * another origin.
 *
 * Specification: no script or style but by file, nothing from elsewhere, in no frame. Rationale: what peers say is shown. It is only ever text,
 * and if that failed once it could still load nothing and send nothing.
 */
import { pageFilesOf } from "@satwire/dashboard-page"
import { HttpDoor, layerHttpDoor, listenHttp, pageHeaders } from "@satwire/http-door"
import { ListenError } from "@satwire/transport"
import { codeOf, listenReasonOf, wordsOf } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import { HttpRouter } from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Chat } from "../chat/Chat.ts"
import { PAGE_OF_CHAT } from "./PageOfChat.ts"
import { talkWithPage } from "./PageSocket.ts"

/**
 * @limit pages of the chat that are open at a time
 */
export const MAX_PAGES = 16

const HEADERS = { ...pageHeaders("data:"), "cache-control": "no-cache" }

export interface PageOptions {
  readonly chat: Chat
  readonly host: string
  /** 0 is any free one. */
  readonly port: number
  /** What a page must know. */
  readonly token: string
  /** Told of each request that was refused. */
  readonly onRefusal: (line: string) => Effect.Effect<void>
}

/** Serves the page as long as the scope; its address, token and all. */
export const servePage = (options: PageOptions): Effect.Effect<string, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { host, onRefusal, port, token } = options
    const door = layerHttpDoor({ credentials: [], onRefusal })
    const listening = listenHttp(routes(options), { addresses: [{ host, port }] })
    const unserved = ({ cause }: ServeError): ListenError => {
      const code = codeOf(cause)
      return new ListenError({ reason: listenReasonOf(code), endpoint: { host, port }, code, detail: wordsOf(cause) })
    }
    const [address] = yield* Effect.mapError(Effect.provide(listening, door), unserved)
    const bound = address !== undefined && "port" in address ? address.port : port
    return `http://${host.includes(":") ? `[${host}]` : host}:${bound}/#${token}`
  })

const routes = ({ chat, token }: PageOptions): Layer.Layer<never, never, HttpRouter | HttpDoor> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter
      const door = yield* HttpDoor
      const files = yield* pageFilesOf(new URL("./page/", import.meta.url), PAGE_OF_CHAT)
      const file = (name: "index.html" | "page.js" | "page.css") =>
        door.open(
          Effect.map(files, (all) => {
            const found = all.get(name)
            return found === undefined
              ? HttpServerResponse.empty({ status: 404, headers: HEADERS })
              : HttpServerResponse.uint8Array(found.bytes, {
                  headers: { ...HEADERS, etag: found.etag },
                  contentType: found.contentType
                })
          })
        )
      yield* router.add("GET", "/", file("index.html"))
      yield* router.add("GET", "/page.js", file("page.js"))
      yield* router.add("GET", "/page.css", file("page.css"))
      let pages = 0
      const socket = Effect.gen(function* () {
        const request = yield* HttpServerRequest
        if (request.headers["upgrade"]?.toLowerCase() !== "websocket") return refusal(426, "this is a WebSocket")
        if (pages >= MAX_PAGES) return refusal(503, `there are ${MAX_PAGES} pages already`)
        yield* Effect.acquireUseRelease(
          Effect.sync(() => pages++),
          () => Effect.ignore(Effect.scoped(talkWithPage(chat, token, request))),
          () => Effect.sync(() => pages--)
        )
        return HttpServerResponse.empty()
      })
      yield* router.add("GET", "/chat", door.open(socket))
    })
  )

const refusal = (status: number, what: string) => HttpServerResponse.text(`${what}\n`, { status, headers: HEADERS })
