/**
 * The one door of everything that the node serves over HTTP: who comes in and as whom, and what is told of those who do not. JSON-RPC stands
 * behind it, and so can metrics, a dashboard, a stream of events.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Authorizations, type Credential } from "./Credentials.ts"
import { type Refusal, refusalLog } from "./Refusals.ts"
import { type DoorRules, RulesInTurn } from "./Rules.ts"

export interface HttpDoorOptions extends Partial<DoorRules> {
  /** The cookie, and what the user set up. */
  readonly credentials: ReadonlyArray<Credential>
  /** Told one line of each refusal, and of many a few lines; a warning in Effect's log where it is not given. */
  readonly onRefusal?: (line: string, refusal: Refusal) => Effect.Effect<void>
}

type Handler<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>

export interface HttpDoorShape {
  /** What answers a request that may come in: its address, host and origin are right. No password is asked for. */
  readonly open: <E, R>(handler: Handler<E, R>) => Handler<E, R | HttpServerRequest>
  /** What answers a request that may come in and has a password, given whose it is. */
  readonly guarded: <E, R>(handler: (user: string) => Handler<E, R>) => Handler<E, R | HttpServerRequest>
  /** Tells of a request that was refused further in. */
  readonly refused: (refusal: Omit<Refusal, "from">) => Effect.Effect<void, never, HttpServerRequest>
  /** The same where there is no request yet. */
  readonly tell: (refusal: Refusal) => Effect.Effect<void>
}

const HttpDoorBase: Context.ServiceClass<HttpDoor, "@satwire/http-door/HttpDoor", HttpDoorShape> = Context.Service<
  HttpDoor,
  HttpDoorShape
>()("@satwire/http-door/HttpDoor")

export class HttpDoor extends HttpDoorBase {}

/** Who guesses passwords gets to guess four a second and connection, as with Core. */
const WRONG_PASSWORD_PAUSE = "250 millis"

/** A status and no body, and the length of that: else a body of no chunks would follow. */
export const nothing = (status: number): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({ status, headers: { "content-length": "0" } })

const UNAUTHORIZED = HttpServerResponse.setHeader(nothing(401), "www-authenticate", 'Basic realm="jsonrpc"')
const FORBIDDEN = nothing(403)
const BAD_REQUEST = nothing(400)

/** How many `Host` headers there are: of several Node shows the first. */
const hostsOf = (request: object): number | undefined =>
  "rawHeaders" in request && Array.isArray(request.rawHeaders)
    ? request.rawHeaders.filter((name, at) => at % 2 === 0 && String(name).toLowerCase() === "host").length
    : undefined

export const makeHttpDoor = (options: HttpDoorOptions): HttpDoorShape => {
  const { credentials, allowed = [], hostNames = [], origins = [] } = options
  const rules = new RulesInTurn({ allowed, hostNames, origins })
  const authorizations = new Authorizations(credentials)
  const tell = refusalLog(options.onRefusal ?? ((line) => Effect.logWarning(line)))

  const open: HttpDoorShape["open"] = (handler) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest
      const remoteAddress = Option.getOrUndefined(request.remoteAddress)
      const head = { remoteAddress, headers: request.headers, hosts: hostsOf(request.source) }
      const refusal = rules.refusalOf(head)
      if (refusal === undefined) return yield* handler
      return yield* Effect.as(tell(refusal), refusal.reason === "malformed" ? BAD_REQUEST : FORBIDDEN)
    })

  const refused: HttpDoorShape["refused"] = (refusal) =>
    Effect.flatMap(HttpServerRequest, (request) =>
      tell({ ...refusal, from: Option.getOrElse(request.remoteAddress, () => "an unknown address") })
    )

  return {
    open,
    refused,
    tell,
    guarded: (handler) =>
      open(
        Effect.gen(function* () {
          const header = (yield* HttpServerRequest).headers["authorization"]
          if (header === undefined) {
            yield* refused({ reason: "credentials", why: "it has no password" })
            return UNAUTHORIZED
          }
          const user = authorizations.userOf(header)
          if (user !== undefined) return yield* handler(user)
          yield* refused({ reason: "credentials", why: "its password is wrong" })
          yield* Effect.sleep(WRONG_PASSWORD_PAUSE)
          return UNAUTHORIZED
        })
      )
  }
}

export const layerHttpDoor = (options: HttpDoorOptions): Layer.Layer<HttpDoor> =>
  Layer.sync(HttpDoor, () => makeHttpDoor(options))
