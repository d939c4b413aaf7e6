/**
 * `GET /events`: a WebSocket on which a node tells what happens.
 *
 * ```
 *   node.facts ────┐                        one fiber writes while less than BACKLOG_BYTES wait in the socket
 *                  ├─▶ EventBuffer ─▶ encode ─▶ socket
 *   node.messages ─┘   loses, and counts
 * ```
 *
 * Specification: nobody is listened to, and who says something is let go (1003). Where nothing was sent for {@link ALIVE_MS} an `alive` event is,
 * so that a connection that is no longer there is found out; who takes nothing for {@link STUCK_MS} is let go (1013). When the node ends, so
 * does the stream (1001). Rationale: a reader is a page that was forgotten in a tab, or a script that hangs, more often than not.
 *
 * Effect's socket takes every write at once, so how much waits is asked of the connection below it, as it is on Node and Deno.
 */
import { HttpDoor } from "@satwire/http-door"
import type { NodeShape } from "@satwire/node"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { HttpRouter } from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import { encodeEvent } from "./Codec.ts"
import { EVENTS_VERSION, type NodeEvent } from "./Event.ts"
import { EventBuffer, type Lost } from "./EventBuffer.ts"
import { type EventRequest, parseEventRequest } from "./EventRequest.ts"
import { eventsOf, messageEvent } from "./FactEvents.ts"

/**
 * @limit readers of events at a time; more are refused
 */
export const EVENT_READERS = 32
/**
 * @limit bytes of events that wait in the socket of a reader, beside one event
 */
export const BACKLOG_BYTES = 1_000_000
/** After so long without an event one says that the node is there. */
export const ALIVE_MS = 30_000
/** Whose socket has been full for so long is let go. */
export const STUCK_MS = 60_000
/** How often a full socket is looked at. */
const LOOK_MS = 50

/** What is told of. */
export type EventSource = Pick<NodeShape, "facts" | "messages">

export interface EventsOptions {
  /** Where who has the password reads: `/events` where not given. */
  readonly path?: `/${string}` | undefined
  /** Where whoever may come in at the door reads without one, as the page of a dashboard on one's own machine: nowhere where not given. */
  readonly openPath?: `/${string}` | undefined
}

type Response = HttpServerResponse.HttpServerResponse

/**
 * The route, behind the door of all that is served over HTTP. Its readers are counted together, wherever they came in.
 *
 * @param node `undefined` while it starts: who comes is told to come again (503)
 */
export const layerEvents = (
  node: () => EventSource | undefined,
  { openPath, path = "/events" }: EventsOptions = {}
): Layer.Layer<never, never, HttpRouter | HttpDoor> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter
      const door = yield* HttpDoor
      const handler = eventsHandler(node)
      yield* router.add(
        "GET",
        path,
        door.guarded(() => handler)
      )
      if (openPath !== undefined) yield* router.add("GET", openPath, door.open(handler))
    })
  )

/** What answers one request, for who makes routes of his own. One handler counts its readers. */
export const eventsHandler = (
  node: () => EventSource | undefined
): Effect.Effect<Response, never, HttpServerRequest> => {
  let readers = 0
  const counted = <A, E, R>(work: Effect.Effect<A, E, R>): typeof work =>
    Effect.acquireUseRelease(
      Effect.sync(() => readers++),
      () => work,
      () => Effect.sync(() => readers--)
    )
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest
    // What stands before the question mark may be anything, and need be no address.
    const asked = parseEventRequest(new URLSearchParams(/\?.*$/s.exec(request.url)?.[0] ?? ""))
    if (Result.isFailure(asked)) return refusal(400, asked.failure)
    if (request.headers["upgrade"]?.toLowerCase() !== "websocket") {
      return HttpServerResponse.setHeader(refusal(426, "this is a WebSocket"), "upgrade", "websocket")
    }
    const source = node()
    if (source === undefined) return refusal(503, "the node is starting")
    if (readers >= EVENT_READERS) return refusal(503, `there are ${EVENT_READERS} readers already`)
    // Whatever ends it, there is no other answer.
    yield* Effect.ignore(counted(Effect.scoped(serve(source, request, asked.success))))
    return HttpServerResponse.empty()
  })
}

const refusal = (status: number, what: string): Response => HttpServerResponse.text(`${what}\n`, { status })

type Item = (at: number) => ReadonlyArray<NodeEvent>
type Writer = Effect.Success<Socket.Socket["writer"]>

const serve = (node: EventSource, request: HttpServerRequest, asked: EventRequest) =>
  Effect.gen(function* () {
    const buffer = new EventBuffer<Item>()
    yield* listen(node, asked, buffer)
    const socket = yield* request.upgrade
    const { pull } = yield* socket.reader
    const writer = yield* socket.writer
    const said = Effect.as(pull, new Socket.CloseEvent(1003, "nobody listens here"))
    const close = yield* Effect.raceFirst(said, tell(buffer, writer, asked, backlogOf(request)))
    yield* writer.write(close)
  })

/** Fills the buffer while the scope is open. */
const listen = (
  node: EventSource,
  { topics, ...detail }: EventRequest,
  buffer: EventBuffer<Item>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const facts = Stream.runForEach(node.facts, (fact) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const events = eventsOf(fact, now).filter(({ topic }) => topics.has(topic as never))
        if (events.length > 0) buffer.offer(() => events)
      })
    )
    const ended = Effect.sync(() => buffer.end())
    yield* Effect.forkScoped(Effect.ensuring(facts, ended), { startImmediately: true })
    if (!topics.has("message")) return
    const messages = Stream.runForEach(node.messages, (seen) =>
      Effect.sync(() => {
        if (seen._tag === "Lost") return buffer.lost(seen.count)
        // It is looked into when it is sent: what is lost costs nothing.
        return buffer.offerMessage(() => [messageEvent(seen, detail)], seen.payload?.length ?? 0)
      })
    )
    yield* Effect.forkScoped(messages, { startImmediately: true })
  })

/** Writes what comes, until there is a reason to end. */
const tell = (
  buffer: EventBuffer<Item>,
  writer: Writer,
  { format }: EventRequest,
  backlog: () => number
): Effect.Effect<Socket.CloseEvent, Socket.SocketError> =>
  Effect.gen(function* () {
    const write = (event: NodeEvent) => writer.write(encodeEvent(event, format))
    yield* write(yield* alive)
    for (;;) {
      const taken = yield* Effect.timeoutOrElse(buffer.take, {
        duration: ALIVE_MS,
        orElse: () => Effect.succeed(undefined)
      })
      if (taken === undefined) {
        yield* write(yield* alive)
        continue
      }
      const at = yield* Clock.currentTimeMillis
      for (const item of taken.items) {
        for (const event of item(at)) yield* write(event)
        if (backlog() > BACKLOG_BYTES && !(yield* drained(backlog))) return STUCK
      }
      for (const event of lostEvents(taken.lost, yield* Clock.currentTimeMillis)) yield* write(event)
      if (taken.hasEnded) return new Socket.CloseEvent(1001, "the node has ended")
    }
  })

const STUCK: Socket.CloseEvent = new Socket.CloseEvent(1013, "too slow")

const alive: Effect.Effect<NodeEvent> = Effect.map(Clock.currentTimeMillis, (at) => ({
  v: EVENTS_VERSION,
  topic: "alive",
  at
}))

const lostEvents = ({ messages, others }: Lost, at: number): ReadonlyArray<NodeEvent> =>
  (
    [
      ["messages", messages],
      ["others", others]
    ] as const
  ).flatMap(([of, count]) => (count === 0 ? [] : [{ v: EVENTS_VERSION, topic: "lost", at, of, count }]))

/** Waits until the socket has room. Gives whether it took anything at all within {@link STUCK_MS}. */
const drained = (backlog: () => number): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    let least = backlog()
    let still = 0
    while (least > BACKLOG_BYTES) {
      yield* Effect.sleep(LOOK_MS)
      const now = backlog()
      still = now < least ? 0 : still + LOOK_MS
      if (still >= STUCK_MS) return false
      least = Math.min(least, now)
    }
    return true
  })

/** How much waits below the WebSocket. Where that cannot be known nothing does. */
const backlogOf = ({ source }: HttpServerRequest): (() => number) => {
  const { socket } = source as { readonly socket?: { readonly writableLength?: number } }
  return () => socket?.writableLength ?? 0
}
