/**
 * The routes of the dashboard, behind the door of the node's HTTP server: the page, and what it asks for. They only read.
 */
import { type PageFile, pageFiles } from "@satwire/dashboard-page"
import { HttpDoor, pageHeaders } from "@satwire/http-door"
import * as Effect from "effect/Effect"
import { HttpRouter, params } from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type { Dashboard } from "./Dashboard.ts"
import type { MessageFilter } from "./Tracer.ts"

/** Where the page is. */
export const DASHBOARD_PATH = "/dashboard"

const HEADERS = pageHeaders("'self' data:")

type Response = HttpServerResponse.HttpServerResponse

const json = (text: string): Response =>
  HttpServerResponse.text(text, {
    headers: { ...HEADERS, "cache-control": "no-store" },
    contentType: "application/json"
  })

const NOT_FOUND: Response = HttpServerResponse.empty({ status: 404, headers: { ...HEADERS, "content-length": "0" } })

/** The node may be asked while it starts: the page is there, and the rest is not yet. */
const STARTING: Response = HttpServerResponse.empty({ status: 503, headers: { ...HEADERS, "content-length": "0" } })

/**
 * Serves the dashboard of a node.
 *
 * @param seen `undefined` while the node starts
 */
export const dashboardRoutes = (seen: () => Dashboard | undefined): Layer.Layer<never, never, HttpRouter | HttpDoor> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter
      const door = yield* HttpDoor
      const files = yield* pageFiles
      const get = <R>(path: `/${string}` | "", answer: Effect.Effect<Response, never, R>) =>
        router.add("GET", `${DASHBOARD_PATH}${path}`, door.open(answer))
      const told = <R>(answer: (dashboard: Dashboard) => Effect.Effect<Response, never, R>) =>
        Effect.suspend((): Effect.Effect<Response, never, R> => {
          const dashboard = seen()
          return dashboard === undefined ? Effect.succeed(STARTING) : answer(dashboard)
        })
      const file = (name: PageFile): Effect.Effect<Response, never, HttpServerRequest> =>
        Effect.gen(function* () {
          const found = (yield* files).get(name)
          if (found === undefined) return NOT_FOUND
          const headers = { ...HEADERS, "cache-control": "no-cache", etag: found.etag }
          const request = yield* HttpServerRequest
          if (request.headers["if-none-match"] === found.etag) return HttpServerResponse.empty({ status: 304, headers })
          return HttpServerResponse.uint8Array(found.bytes, { headers, contentType: found.contentType })
        })
      yield* get("", file("index.html"))
      yield* get("/page.js", file("page.js"))
      yield* get("/page.css", file("page.css"))
      yield* get("/state", told(answerState))
      yield* get("/messages", told(answerMessages))
      yield* get("/messages/:number", told(answerMessage))
      yield* get("/peers/:number", told(answerPeer))
    })
  )

const query: Effect.Effect<URLSearchParams, never, HttpServerRequest> = Effect.map(HttpServerRequest, ({ url }) => {
  const at = url.indexOf("?")
  return new URLSearchParams(at < 0 ? "" : url.slice(at + 1))
})

/** A number that stands in an address, or nothing where none does. */
const numberOf = (text: string | null | undefined): number | undefined =>
  text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

const answerState = (dashboard: Dashboard) =>
  Effect.gen(function* () {
    const after = numberOf((yield* query).get("after")) ?? 0
    return json(yield* dashboard.state(after))
  })

const answerMessages = ({ tracer }: Dashboard) =>
  Effect.gen(function* () {
    const asked = yield* query
    const commands = asked.get("command")
    const filter: MessageFilter = {
      after: numberOf(asked.get("after")) ?? 0,
      peer: numberOf(asked.get("peer")),
      commands: commands === null || commands === "" ? undefined : new Set(commands.split(",")),
      side: asked.get("side") ?? undefined
    }
    return json(JSON.stringify(yield* tracer.messages(filter)))
  })

const answerMessage = ({ tracer }: Dashboard) =>
  Effect.gen(function* () {
    const number = numberOf((yield* params)["number"])
    const found = number === undefined ? undefined : tracer.message(number)
    return found === undefined ? NOT_FOUND : json(JSON.stringify(found))
  })

const answerPeer = ({ peer }: Dashboard) =>
  Effect.gen(function* () {
    const number = numberOf((yield* params)["number"])
    const found = number === undefined ? undefined : yield* peer(number)
    return found === undefined ? NOT_FOUND : json(JSON.stringify(found))
  })
