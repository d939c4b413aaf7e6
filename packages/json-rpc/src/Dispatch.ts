/**
 * From the body of a request to the reply and its HTTP status, with no HTTP in it. Never fails: whatever comes in, there is an answer.
 *
 * Specification: Bitcoin Core `src/httprpc.cpp`, `doc/JSON-RPC-interface.md`. In the old dialect an error is also an HTTP status; in 2.0, and in a
 * batch, HTTP says 200. A notification has no answer (204), nor has a batch of nothing else. The calls of a batch run one after another.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { readArguments } from "./Arguments.ts"
import { type Json, type JsonArray, isArray, isObject } from "./Json.ts"
import type { Method } from "./Method.ts"
import type { MethodTable } from "./MethodTable.ts"
import { type JsonFault, MAX_REQUEST_VALUES, parseJsonBytes } from "./ParseJson.ts"
import {
  type Addressee,
  NOBODY,
  type Request,
  errorReply,
  isNotification,
  readRequest,
  resultReply
} from "./Request.ts"
import { RPC_CODES, type RpcError, rpcError } from "./RpcError.ts"
import { writeJsonInGoes } from "./WriteJson.ts"

/**
 * @limit calls in one batch of JSON-RPC
 */
export const MAX_BATCH = 10_000
/**
 * @limit characters of the replies to one batch, after which its calls are refused
 */
export const MAX_BATCH_REPLY = 268_435_456

export interface Reply {
  readonly status: 200 | 204 | 400 | 403 | 404 | 500
  /** JSON with a line feed at its end; empty with 204 and 403. */
  readonly body: string
  /** Half a sentence for the log, where the body as a whole is none of JSON-RPC. */
  readonly fault?: string
}

/** Who asks. */
export interface Caller {
  readonly user: string
  /** Whether this user may call a method: `rpcwhitelist`. One that he may not refuses the whole request with 403. */
  readonly mayCall: (method: string) => boolean
}

export const ANYBODY: Caller = { user: "", mayCall: () => true }

export interface DispatchOptions {
  /** Why the node cannot answer yet, such as `Loading block index…`; `undefined` once it can. */
  readonly warmingUp?: Effect.Effect<string | undefined>
  /** Stands around every call: where it waits for its turn, is timed, is told to a log. */
  readonly around?: <R>(
    method: Method<unknown>,
    call: Effect.Effect<Json, RpcError, R>,
    caller: Caller
  ) => Effect.Effect<Json, RpcError, R>
  /** Told of a bug in a method. */
  readonly onDefect?: (method: string, cause: Cause.Cause<unknown>) => Effect.Effect<void>
}

export type Dispatcher<R> = (body: Uint8Array, caller?: Caller) => Effect.Effect<Reply, never, R>

/** What answers the bodies of requests with the methods of a table. */
export const dispatcher = <R>(table: MethodTable<R>, options: DispatchOptions = {}): Dispatcher<R> => {
  return (body, caller = ANYBODY) =>
    Effect.suspend(() => {
      const answer = (request: Request): Effect.Effect<Answer, never, R> => answerOf(table, options, request, caller)
      const json = parseJsonBytes(body, MAX_REQUEST_VALUES)
      if (Result.isFailure(json)) return Effect.succeed(unread("Parse error", faultOf(json.failure)))
      // Before anything looks at its members, of which there may be millions.
      if (isArray(json.success) && json.success.length > MAX_BATCH) return Effect.succeed(tooMany(json.success.length))
      if (hasForbidden(json.success, caller)) return Effect.succeed(FORBIDDEN)
      if (isArray(json.success)) return batch(json.success, answer)
      return isObject(json.success)
        ? single(json.success, answer)
        : Effect.succeed(unread("Top-level object parse error", "its body is neither an object nor an array"))
    })
}

/** The text of a reply, and the error in it if there is one. */
interface Answer {
  readonly text: string
  readonly error: RpcError | undefined
}

const NOTHING: Reply = { status: 204, body: "" }
const FORBIDDEN: Reply = { status: 403, body: "" }

/** Whether it calls anything that the caller may not. */
const hasForbidden = (json: Json, { mayCall }: Caller): boolean =>
  (isArray(json) ? json : [json]).some((member) => {
    const request = readRequest(member)
    return Result.isSuccess(request) && !mayCall(request.success.method)
  })

const single = <R>(
  json: Json,
  answer: (request: Request) => Effect.Effect<Answer, never, R>
): Effect.Effect<Reply, never, R> => {
  const request = readRequest(json)
  if (Result.isFailure(request)) return Effect.succeed(refusal(request.failure.to, request.failure.error))
  return Effect.map(answer(request.success), ({ text, error }): Reply => {
    if (isNotification(request.success)) return NOTHING
    const isStatus = error !== undefined && request.success.version === "legacy"
    return { status: isStatus ? statusOf(error) : 200, body: `${text}\n` }
  })
}

const refusal = (to: Addressee, error: RpcError): Reply => ({
  status: statusOf(error),
  body: `${errorReply(to, error)}\n`
})

const unread = (message: string, fault: string): Reply => ({
  ...refusal(NOBODY, rpcError("PARSE_ERROR", message)),
  fault
})

const faultOf = ({ at, what }: JsonFault): string => `its body is not JSON: ${what}, at character ${at}`

const tooMany = (calls: number): Reply => ({
  ...refusal(NOBODY, rpcError("INVALID_REQUEST", `A batch has at most ${MAX_BATCH} calls, not ${calls}`)),
  fault: `its batch has ${calls} calls, more than ${MAX_BATCH}`
})

const statusOf = ({ code }: RpcError): 400 | 404 | 500 =>
  code === RPC_CODES.INVALID_REQUEST ? 400 : code === RPC_CODES.METHOD_NOT_FOUND ? 404 : 500

const batch = <R>(
  members: JsonArray,
  answer: (request: Request) => Effect.Effect<Answer, never, R>
): Effect.Effect<Reply, never, R> =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    let length = 0
    for (const member of members) {
      const request = readRequest(member)
      if (Result.isFailure(request)) {
        texts.push(errorReply(request.failure.to, request.failure.error))
        continue
      }
      const { text } = length > MAX_BATCH_REPLY ? tooLong(request.success) : yield* answer(request.success)
      if (isNotification(request.success)) continue
      length += text.length
      texts.push(text)
    }
    // An empty batch has always been answered with an empty one.
    return texts.length === 0 && members.length > 0 ? NOTHING : { status: 200, body: `[${texts.join(",")}]\n` }
  })

const tooLong = (request: Request): Answer => {
  const error = rpcError("OUT_OF_MEMORY", "The answers to this batch are too long: ask for less at once")
  return { text: errorReply(request, error), error }
}

const answerOf = <R>(
  table: MethodTable<R>,
  options: DispatchOptions,
  request: Request,
  caller: Caller
): Effect.Effect<Answer, never, R> =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(Effect.flatMap(execute(table, options, request, caller), writeJsonInGoes))
    if (Exit.isSuccess(exit)) return { text: resultReply(request, exit.value), error: undefined }
    const { cause } = exit
    if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
    const failed = Option.getOrUndefined(Cause.findErrorOption(cause))
    if (failed === undefined && options.onDefect !== undefined) yield* options.onDefect(request.method, cause)
    const error = failed ?? rpcError("INTERNAL_ERROR", `Internal error in ${request.method}`)
    return { text: errorReply(request, error), error }
  })

const execute = <R>(
  { methods, active }: MethodTable<R>,
  { warmingUp, around }: DispatchOptions,
  { method: name, params }: Request,
  caller: Caller
): Effect.Effect<Json, RpcError, R> =>
  Effect.gen(function* () {
    const method = methods.get(name)
    const warmup = warmingUp === undefined || method?.duringWarmup === true ? undefined : yield* warmingUp
    if (warmup !== undefined) return yield* rpcError("IN_WARMUP", warmup)
    if (method === undefined) return yield* rpcError("METHOD_NOT_FOUND", "Method not found")
    const call = Effect.suspend(() => {
      const args = readArguments(method, params)
      return Result.isFailure(args) ? Effect.fail(args.failure) : method.run(args.success)
    })
    return yield* Effect.acquireUseRelease(
      Effect.map(Clock.monotonicTimeNanos, (since) => {
        const running = { method: name, since }
        active.add(running)
        return running
      }),
      () => (around === undefined ? call : around(method, call, caller)),
      (running) => Effect.sync(() => active.delete(running))
    )
  })
