/**
 * Requests as effects over the machine of `@satwire/requests`: asking is an effect that can be interrupted, or a stream; answering is a handler
 * that runs in a fiber of its own, which is interrupted when nobody waits any more.
 */
import {
  type RequestFailure,
  Requests,
  type RequestsInput,
  type RequestsOptions,
  type RequestsOutput,
  decodeFrame,
  encodeFrame
} from "@satwire/requests"
import { type MachineFailed, type MachineService, machineService } from "@satwire/runtime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { OverlayFault } from "./Facts.ts"
import type { KindError, Method, ReservedName } from "./Kind.ts"
import type { Messenger } from "./Messenger.ts"
import { Refusal, RequestError } from "./RequestError.ts"

/** The type of letters that carry requests and answers. */
export const REQUEST_TYPE: ReservedName & "request" = "request"
/** How long an answer may take where nothing else is said. */
export const DEFAULT_TIMEOUT_MS = 10_000
/**
 * Parts of an answer that may come before the first of them is read.
 *
 * @limit parts of an answer that wait for their reader
 */
export const WINDOW_PARTS = 4
/** What all parts of an answer may take together where nothing else is said. */
const DEFAULT_ANSWER_BYTES = 1_073_741_824

export interface RequestOptions {
  /** {@link DEFAULT_TIMEOUT_MS} where not given. For all parts of an answer together. */
  readonly timeoutMs?: number | undefined
}

export interface PartsOptions extends RequestOptions {
  /** Bytes of all parts together; a gibibyte where not given. */
  readonly maxBytes?: number | undefined
}

/** Answers a request. Interrupted when the asker cancels, goes, or no longer waits. */
export type Handler<Asked, Answer> = (asked: Asked, peer: string) => Effect.Effect<Answer, Refusal>
export type PartsHandler<Asked, Part> = (asked: Asked, peer: string) => Stream.Stream<Part, Refusal>

export interface RequestDoorShape {
  /** Asks for an answer. Interrupting it tells the other end. */
  readonly request: <Asked, Answer>(
    peer: string,
    method: Method<Asked, Answer>,
    asked: Asked,
    options?: RequestOptions
  ) => Effect.Effect<Answer, RequestError | KindError>
  /** Asks for an answer in parts, which come as they are read: the other end waits for a slow reader. */
  readonly requestParts: <Asked, Part>(
    peer: string,
    method: Method<Asked, Part>,
    asked: Asked,
    options?: PartsOptions
  ) => Stream.Stream<Part, RequestError | KindError>
  /** Answers a method until the scope closes. A method that is served already is a defect. */
  readonly serve: <Asked, Answer>(
    method: Method<Asked, Answer>,
    handler: Handler<Asked, Answer>
  ) => Effect.Effect<void, never, Scope.Scope>
  readonly serveParts: <Asked, Part>(
    method: Method<Asked, Part>,
    handler: PartsHandler<Asked, Part>
  ) => Effect.Effect<void, never, Scope.Scope>
}

/** What the overlay gives the door of its peers. */
interface DoorInputs {
  readonly up: (peer: string) => void
  readonly down: (peer: string) => void
  readonly receive: (peer: string, body: Uint8Array) => void
  /** How much is kept: all 0 once everybody has gone. */
  readonly counts: () => Requests<string>["counts"]
  readonly failure: Effect.Effect<never, MachineFailed>
}

export interface DoorOptions {
  readonly messenger: Messenger
  readonly fault: (peer: string, fault: OverlayFault, detail: string) => void
  readonly requests?: RequestsOptions | undefined
}

interface Call {
  readonly onPart: (body: Uint8Array, last: boolean) => void
  readonly onFail: (failure: RequestFailure) => void
}

interface Serving {
  credit: number
  wake: () => void
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/** A method that is served: what its bodies become. */
type Run = (serving: number, state: Serving, peer: string, body: Uint8Array) => Effect.Effect<void, Refusal>

export const makeRequestDoor = (
  options: DoorOptions
): Effect.Effect<RequestDoorShape & DoorInputs, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = Effect.runForkWith(yield* Effect.context())
    const requests = new Requests<string>(options.requests)
    const door: Door = new Door(requests, options, run)
    door.service = yield* machineService<RequestsInput<string>, RequestsOutput<string>>({
      machine: requests,
      timeout: { _tag: "Timeout" },
      perform: (output) => door.perform(output)
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => door.close()))
    return door
  })

class Door implements RequestDoorShape, DoorInputs {
  readonly #requests: Requests<string>
  readonly #options: DoorOptions
  readonly #run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly #calls: Map<number, Call> = new Map()
  readonly #servings: Map<number, Serving> = new Map()
  readonly #methods: Map<string, Run> = new Map()
  #nextCall = 0
  #closed = false
  /** Set before anything is asked. */
  service: MachineService<RequestsInput<string>, RequestsOutput<string>> | undefined = undefined

  constructor(
    requests: Requests<string>,
    options: DoorOptions,
    run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  ) {
    this.#requests = requests
    this.#options = options
    this.#run = run
  }

  readonly up = (peer: string): void => this.#submit({ _tag: "PeerUp", peer })
  readonly down = (peer: string): void => this.#submit({ _tag: "PeerDown", peer })
  readonly counts = (): Requests<string>["counts"] => this.#requests.counts

  get failure(): Effect.Effect<never, MachineFailed> {
    return this.service?.failure ?? Effect.never
  }

  readonly receive = (peer: string, body: Uint8Array): void => {
    const frame = decodeFrame(body)
    if (Result.isFailure(frame)) this.#options.fault(peer, "malformed frame", frame.failure.toString())
    else this.#submit({ _tag: "Received", peer, frame: frame.success.value })
  }

  readonly request: RequestDoorShape["request"] = (peer, method, asked, options = {}) =>
    Effect.suspend(() => {
      const body = method.request.encode(asked)
      if (Result.isFailure(body)) return Effect.fail(body.failure)
      return Effect.callback((resume) => {
        const fail = (reason: RequestFailure) =>
          resume(Effect.fail(new RequestError({ reason, peer, method: method.name })))
        const call = this.#ask(
          peer,
          method.name,
          body.success,
          { ...options, credit: 1, maxBytes: method.answer.maxBytes },
          {
            onPart: (bytes, last) => {
              if (!last) return this.#submit({ _tag: "Cancel", call, malformed: "more parts than one" })
              const answer = method.answer.decode(bytes)
              if (Result.isSuccess(answer)) resume(Effect.succeed(answer.success))
              else fail({ _tag: "MalformedAnswer", what: answer.failure.message })
            },
            onFail: fail
          }
        )
        return Effect.sync(() => this.#submit({ _tag: "Cancel", call }))
      })
    })

  readonly requestParts: RequestDoorShape["requestParts"] = <Asked, Part>(
    peer: string,
    method: Method<Asked, Part>,
    asked: Asked,
    options: PartsOptions = {}
  ): Stream.Stream<Part, RequestError | KindError> =>
    Stream.unwrap(
      Effect.gen({ self: this }, function* () {
        const body = method.request.encode(asked)
        if (Result.isFailure(body)) return Stream.fail<RequestError | KindError>(body.failure)
        const queue = yield* Queue.unbounded<Part, RequestError | Cause.Done>()
        const fail = (reason: RequestFailure): void => {
          const error = new RequestError({ reason, peer, method: method.name })
          Queue.failCauseUnsafe(queue, Cause.fail(error))
        }
        const { maxBytes = DEFAULT_ANSWER_BYTES } = options
        const call = this.#ask(
          peer,
          method.name,
          body.success,
          { ...options, credit: WINDOW_PARTS, maxBytes },
          {
            onPart: (bytes, last) => {
              // The end of an answer in parts may be empty, which no message is.
              if (bytes.length > 0) {
                const part = method.answer.decode(bytes)
                if (Result.isFailure(part)) {
                  if (last) return fail({ _tag: "MalformedAnswer", what: part.failure.message })
                  return this.#submit({ _tag: "Cancel", call, malformed: part.failure.message })
                }
                Queue.offerUnsafe(queue, part.success)
              }
              if (last) Queue.endUnsafe(queue)
            },
            onFail: fail
          }
        )
        yield* Effect.addFinalizer(() => Effect.sync(() => this.#submit({ _tag: "Cancel", call })))
        return Stream.fromQueue(queue).pipe(
          Stream.tap(() => Effect.sync(() => this.#submit({ _tag: "More", call, parts: 1 })))
        )
      })
    )

  readonly serve: RequestDoorShape["serve"] = (method, handler) =>
    this.#serving(method, (serving, _, peer, asked) =>
      Effect.flatMap(handler(asked, peer), (answer) => {
        const body = method.answer.encode(answer)
        if (Result.isFailure(body)) return Effect.die(body.failure)
        return Effect.sync(() => this.#submit({ _tag: "Answer", serving, body: body.success }))
      })
    )

  readonly serveParts: RequestDoorShape["serveParts"] = (method, handler) =>
    this.#serving(method, (serving, state, peer, asked) =>
      Stream.runForEach(handler(asked, peer), (part) => {
        const body = method.answer.encode(part)
        if (Result.isFailure(body)) return Effect.die(body.failure)
        return this.#whenRoom(state, peer, () => this.#submit({ _tag: "Part", serving, body: body.success }))
      }).pipe(
        Effect.andThen(
          this.#whenRoom(state, peer, () => this.#submit({ _tag: "Answer", serving, body: new Uint8Array(0) }))
        )
      )
    )

  #serving<Asked, Answer>(
    method: Method<Asked, Answer>,
    answer: (serving: number, state: Serving, peer: string, asked: Asked) => Effect.Effect<void, Refusal>
  ): Effect.Effect<void, never, Scope.Scope> {
    const run: Run = (serving, state, peer, body) => {
      const asked = method.request.decode(body)
      if (Result.isSuccess(asked)) return answer(serving, state, peer, asked.success)
      return Effect.fail(new Refusal({ code: "malformed request", message: asked.failure.message }))
    }
    return Effect.acquireRelease(
      Effect.suspend(() => {
        if (this.#methods.has(method.name)) return Effect.die(new Error(`${method.name} is served already`))
        this.#methods.set(method.name, run)
        return Effect.void
      }),
      () => Effect.sync(() => this.#methods.delete(method.name))
    )
  }

  /** Sends once the peer has taken most of what was sent, and has said that it has room for a part. */
  #whenRoom(state: Serving, peer: string, send: () => void): Effect.Effect<void> {
    const credited: Effect.Effect<void> = Effect.suspend(() => {
      if (state.credit > 0) {
        state.credit -= 1
        send()
        return Effect.void
      }
      const waited = Effect.callback<void>((resume) => {
        state.wake = () => resume(Effect.void)
      })
      return Effect.andThen(waited, credited)
    })
    return Effect.andThen(this.#options.messenger.drained(peer), credited)
  }

  #ask(
    peer: string,
    method: string,
    body: Uint8Array,
    { credit, maxBytes, timeoutMs = DEFAULT_TIMEOUT_MS }: PartsOptions & { credit: number; maxBytes: number },
    { onFail, onPart }: Call
  ): number {
    const call = this.#nextCall++
    if (this.#closed) {
      onFail({ _tag: "Disconnected" })
      return call
    }
    this.#calls.set(call, { onPart, onFail })
    this.#submit({ _tag: "Ask", call, peer, method, body, timeoutMs, credit, maxBytes })
    return call
  }

  #submit(input: RequestsInput<string>): void {
    this.service?.submit(input)
  }

  perform(output: RequestsOutput<string>): void {
    switch (output._tag) {
      case "Send": {
        const { frame, peer } = output
        this.#options.messenger.send(peer, { type: REQUEST_TYPE, body: encodeFrame(frame), isSigned: false })
        return
      }
      case "Faulted":
        return this.#between(() => this.#options.fault(output.peer, output.fault, ""))
      case "Parted": {
        const call = this.#calls.get(output.call)
        if (output.last) this.#calls.delete(output.call)
        return this.#between(() => call?.onPart(output.body, output.last))
      }
      case "Failed": {
        const call = this.#calls.get(output.call)
        this.#calls.delete(output.call)
        return this.#between(() => call?.onFail(output.failure))
      }
      case "Serve": {
        const state: Serving = { credit: output.credit, wake: () => undefined, fiber: undefined }
        this.#servings.set(output.serving, state)
        return this.#between(() => this.#begin(output, state))
      }
      case "Credited": {
        const state = this.#servings.get(output.serving)
        if (state === undefined) return
        state.credit += output.parts
        return this.#between(() => state.wake())
      }
      case "StopServing": {
        const state = this.#servings.get(output.serving)
        this.#servings.delete(output.serving)
        return this.#between(() => state?.fiber?.interruptUnsafe())
      }
    }
  }

  #between(action: () => void): void {
    this.service?.between(action)
  }

  #begin(serve: RequestsOutput<string> & { readonly _tag: "Serve" }, state: Serving): void {
    const { body, peer, serving } = serve
    // It may have been cancelled in the same turn.
    if (!this.#servings.has(serving)) return
    const method = this.#methods.get(serve.method)
    const refuse = (refusal: Refusal): void => {
      this.#submit({ _tag: "Refuse", serving, code: refusal.code, message: refusal.message })
    }
    if (method === undefined) {
      this.#servings.delete(serving)
      return refuse(new Refusal({ code: "unknown method", message: "no such method" }))
    }
    const ended = (exit: Exit.Exit<void, Refusal>): Effect.Effect<void> => {
      this.#servings.delete(serving)
      if (Exit.isSuccess(exit)) return Effect.void
      const error = Cause.findError(exit.cause)
      if (Result.isSuccess(error)) return Effect.sync(() => refuse(error.success))
      if (Cause.hasInterruptsOnly(exit.cause)) return Effect.void
      refuse(new Refusal({ code: "failed", message: "something went wrong here" }))
      return Effect.logError(`answering ${serve.method} failed`, exit.cause)
    }
    state.fiber = this.#run(Effect.flatMap(Effect.exit(method(serving, state, peer, body)), ended))
  }

  close(): void {
    this.#closed = true
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    for (const { onFail } of calls) onFail({ _tag: "Disconnected" })
    for (const { fiber } of this.#servings.values()) fiber?.interruptUnsafe()
    this.#servings.clear()
  }
}
