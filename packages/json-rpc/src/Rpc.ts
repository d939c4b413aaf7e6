/** JSON-RPC behind the door: `POST /`, with the limits, the statuses and the texts of Bitcoin Core's HTTP server. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import type { HttpServerError } from "effect/http/HttpServerError"
import { MaxBodySize } from "effect/http/HttpIncomingMessage"
import { HttpRouter } from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type Caller, type DispatchOptions, type Dispatcher, type Reply, dispatcher } from "./Dispatch.ts"
import type { MethodTable } from "./MethodTable.ts"
import { CHARACTERS_PER_GO } from "./WriteJson.ts"
import { type Admission, type AdmissionOptions, RPC_BODY_BYTES, makeAdmission } from "./Admission.ts"
import { HttpDoor, type HttpDoorShape, bodyAtOnce, nothing } from "@satwire/http-door"

export interface RpcOptions extends AdmissionOptions, Omit<DispatchOptions, "around"> {
  /** Whether a user may call a method: `rpcwhitelist`. All may call all where it is not given. */
  readonly mayCall?: (user: string, method: string) => boolean
  /** Stands around each call once it is its turn: to time it, to tell a log. */
  readonly around?: DispatchOptions["around"]
  /** Whether `GET /` belongs to another route, such as a dashboard; else it is refused, as by Core. */
  readonly leavesGet?: boolean
}

/**
 * @limit for the body of a request of JSON-RPC to come
 */
export const BODY_TIMEOUT = "30 seconds"

type Response = HttpServerResponse.HttpServerResponse

/** The routes of JSON-RPC with the methods of a table. */
export const layerRpc = <R>(
  table: MethodTable<R>,
  options: RpcOptions = {}
): Layer.Layer<never, never, HttpRouter | HttpDoor | R> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter
      const door = yield* HttpDoor
      const context = yield* Effect.context<R>()
      // With the context of all that methods need, a request is all that is left to need.
      const handler = Effect.provideContext(rpcHandler(table, door, options), context) as Effect.Effect<
        Response,
        never,
        HttpServerRequest
      >
      yield* router.add("POST", "/", handler)
      const others = [
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        ...(options.leavesGet === true ? [] : (["GET"] as const))
      ] as const
      for (const method of others) yield* router.add(method, "/", door.open(Effect.succeed(NOT_POST)))
    })
  )

const NOT_POST = HttpServerResponse.text("JSONRPC server handles only POST requests", { status: 405 })
const BUSY = HttpServerResponse.text("Work queue depth exceeded", { status: 503 })
const TOO_LONG = nothing(413)
const TOO_SLOW = nothing(408)
const CUT_OFF = nothing(400)

/** What answers one request of JSON-RPC, for who makes routes of his own. */
export const rpcHandler = <R>(
  table: MethodTable<R>,
  door: HttpDoorShape,
  options: RpcOptions = {}
): Effect.Effect<Response, never, R | HttpServerRequest> => {
  const admission = makeAdmission(options)
  const outer = options.around
  const around: DispatchOptions["around"] = (method, call, caller) =>
    admission.around(method, outer === undefined ? call : outer(method, call, caller), caller)
  const answer = dispatcher(table, { ...options, around })
  const mayCall = options.mayCall ?? ((): boolean => true)
  return door.guarded((user) =>
    answerRequest(door, admission, answer, { user, mayCall: (method) => mayCall(user, method) })
  )
}

const answerRequest = <R>(
  door: HttpDoorShape,
  admission: Admission,
  answer: Dispatcher<R>,
  caller: Caller
): Effect.Effect<Response, never, R | HttpServerRequest> =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest
    const said = request.headers["content-length"]
    // Without a length it may be anything up to the limit.
    const length = said === undefined ? RPC_BODY_BYTES : Number(said)
    if (!(length <= RPC_BODY_BYTES)) return yield* tooLong(door)
    const replied = (body: Uint8Array): Effect.Effect<Response, never, R | HttpServerRequest> =>
      Effect.flatMap(answer(body, caller), (reply) =>
        reply.fault === undefined
          ? replyTo(door, admission, caller, reply)
          : Effect.andThen(
              door.refused({ reason: "malformed", why: reply.fault }),
              replyTo(door, admission, caller, reply)
            )
      )
    const whole = yield* bodyAtOnce(request)
    if (whole !== undefined) return yield* admission.admitWhole(replied(whole), busy(door))
    return yield* admission.admit(length, (enter) =>
      Effect.gen(function* () {
        const body = yield* bodyOf(door, request)
        if (!(body instanceof Uint8Array)) return body
        return yield* (yield* enter(body.length)) ? replied(body) : busy(door)
      })
    )
  })

const busy = (door: HttpDoorShape): Effect.Effect<Response, never, HttpServerRequest> =>
  Effect.as(door.refused({ reason: "too many", why: "too much is under way" }), BUSY)

const tooLong = (door: HttpDoorShape): Effect.Effect<Response, never, HttpServerRequest> =>
  Effect.as(door.refused({ reason: "too long", why: `its body has more than ${RPC_BODY_BYTES} bytes` }), TOO_LONG)

/** What has still to come of a body, while somebody watches the time. */
const bodyOf = (
  door: HttpDoorShape,
  request: HttpServerRequest
): Effect.Effect<Uint8Array | Response, never, HttpServerRequest> =>
  request.arrayBuffer.pipe(
    Effect.provideService(MaxBodySize, ByteSize.bytes(RPC_BODY_BYTES)),
    Effect.map((buffer): Uint8Array | Response => new Uint8Array(buffer)),
    Effect.timeoutOrElse({
      duration: BODY_TIMEOUT,
      orElse: () => Effect.as(door.refused({ reason: "too slow", why: "its body did not come in time" }), TOO_SLOW)
    }),
    Effect.catch((error) =>
      isTooLong(error)
        ? tooLong(door)
        : Effect.as(door.refused({ reason: "malformed", why: "its body is cut off" }), CUT_OFF)
    )
  )

const isTooLong = ({ reason }: HttpServerError): boolean =>
  reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"

const replyTo = (
  door: HttpDoorShape,
  { leaving }: Admission,
  { user }: Caller,
  { status, body }: Reply
): Effect.Effect<Response, never, HttpServerRequest> => {
  if (status === 403) {
    const why = `the user ${JSON.stringify(user)} may not call a method of it`
    return Effect.as(door.refused({ reason: "method", why }), nothing(status))
  }
  if (body === "") return Effect.succeed(nothing(status))
  if (body.length <= CHARACTERS_PER_GO)
    return Effect.succeed(HttpServerResponse.text(body, { status, contentType: JSON_TYPE }))
  return Effect.map(piecesOf(body), (pieces) => {
    const contentLength = pieces.reduce((bytes, piece) => bytes + piece.length, 0)
    const stream = Stream.unwrap(Effect.as(leaving(contentLength), Stream.fromIterable(pieces)))
    return HttpServerResponse.stream(stream, { status, contentType: JSON_TYPE, contentLength })
  })
}

const JSON_TYPE = "application/json"

/** A long text as bytes, in goes, between which others have their turn. */
const piecesOf = (body: string): Effect.Effect<ReadonlyArray<Uint8Array>> =>
  Effect.gen(function* () {
    const encoder = new TextEncoder()
    const pieces: Array<Uint8Array> = []
    for (let at = 0; at < body.length;) {
      const end = Math.min(body.length, at + CHARACTERS_PER_GO)
      // Not between the two halves of a character.
      const cut = end < body.length && isHighSurrogate(body.charCodeAt(end - 1)) ? end - 1 : end
      pieces.push(encoder.encode(body.slice(at, cut)))
      at = cut
      yield* Effect.yieldNow
    }
    return pieces
  })

const isHighSurrogate = (unit: number): boolean => unit >= 0xd8_00 && unit < 0xdc_00
