/**
 * `GET /chat`: the WebSocket of a page. It is let in by the token that only whoever sees the node's terminal has, since other people of this
 * machine reach the port, too.
 */
import { timingSafeEqual } from "node:crypto"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import type { Chat, ChatError } from "../chat/Chat.ts"
import type { ChatEvent } from "../chat/ChatRooms.ts"
import { whatOf } from "../terminal/Lines.ts"
import type { FromPage, RoomState, ToPage } from "./PageMessages.ts"

/**
 * @limit bytes that wait in the socket of a page of the chat before it is let go
 */
export const PAGE_BACKLOG_BYTES = 4_000_000
/** How long a page may take to say who it is. */
const HELLO_TIMEOUT_MS = 10_000

const Spoken = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Hello"), token: Schema.String }),
  Schema.Struct({ _tag: Schema.Literal("Say"), room: Schema.String, text: Schema.String }),
  Schema.Struct({ _tag: Schema.Literals(["Join", "Leave"]), room: Schema.String }),
  Schema.Struct({ _tag: Schema.Literal("Rename"), name: Schema.String })
])
const decode: (text: unknown) => Result.Result<FromPage, unknown> = Schema.decodeUnknownResult(
  Schema.fromJsonString(Spoken)
)
const POLICY_VIOLATION = 1008
const TOO_SLOW = 1013

type Writer = Effect.Success<Socket.Socket["writer"]>

/** Talks with a page until it goes, or says what no page of ours does. */
export const talkWithPage = (
  chat: Chat,
  token: string,
  request: HttpServerRequest
): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* request.upgrade
    const { pull } = yield* socket.reader
    const writer = yield* socket.writer
    const next = Effect.map(pull, (chunk) => [chunk].flat().map(messageOf))
    const hello = yield* Effect.timeoutOrElse(next, { duration: HELLO_TIMEOUT_MS, orElse: () => Effect.succeed([]) })
    const [first, ...more] = hello
    if (first?._tag !== "Hello" || !isSame(first.token, token)) {
      return yield* writer.write(new Socket.CloseEvent(POLICY_VIOLATION, "the address lacks its key"))
    }
    const write = (message: ToPage) => writer.write(JSON.stringify(message))
    const told = Stream.runForEach(chat.events, (event) =>
      Effect.forEach(toPage(chat, event), write, { discard: true })
    )
    const slow = watched(request, writer)
    yield* Effect.forkScoped(Effect.raceFirst(told, slow), { startImmediately: true })
    yield* write(welcome(chat))
    for (const message of more) yield* followed(chat, message, write)
    for (;;) {
      for (const message of yield* next) {
        if (message === undefined) return yield* writer.write(new Socket.CloseEvent(POLICY_VIOLATION, "not understood"))
        yield* followed(chat, message, write)
      }
    }
  })

/** Looks now and then whether the page takes what it is told. */
const watched = (request: HttpServerRequest, writer: Writer) =>
  Effect.gen(function* () {
    const { socket } = request.source as { readonly socket?: { readonly writableLength: number } }
    while ((socket?.writableLength ?? 0) <= PAGE_BACKLOG_BYTES) yield* Effect.sleep(1000)
    yield* writer.write(new Socket.CloseEvent(TOO_SLOW, "too slow"))
  })

const messageOf = (chunk: unknown): FromPage | undefined =>
  typeof chunk === "string" ? Result.getOrUndefined(decode(chunk)) : undefined

/** Takes as long for a wrong one as for the right one. */
const isSame = (given: string, token: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const stateOf = (chat: Chat, room: string): RoomState => ({
  room,
  texts: chat.texts(room),
  members: chat.members(room)
})

const welcome = (chat: Chat): ToPage => ({
  _tag: "Welcome",
  self: chat.self,
  name: chat.name(),
  rooms: chat.rooms().map((room) => stateOf(chat, room))
})

const toPage = (chat: Chat, event: ChatEvent): ReadonlyArray<ToPage> => {
  switch (event._tag) {
    case "Said":
      return [{ _tag: "Said", text: event.text }]
    case "Joined":
      return [{ _tag: "Room", state: stateOf(chat, event.room) }]
    case "Left":
      return [{ _tag: "Gone", room: event.room }]
    case "Person": {
      const { changed, label, room } = event
      const isOwn = changed.key === chat.self
      const line = isOwn ? "" : `${label} ${whatOf(changed)}`
      const told: ToPage = { _tag: "Members", room, members: chat.members(room), line }
      return isOwn ? [told, { _tag: "Named", name: chat.name() }] : [told]
    }
  }
}

const followed = <E>(chat: Chat, message: FromPage | undefined, write: (message: ToPage) => Effect.Effect<void, E>) =>
  message === undefined
    ? Effect.void
    : Effect.catchTag(ask(chat, message), "ChatError", ({ message: why }) => write({ _tag: "Failed", message: why }))

const ask = (chat: Chat, message: FromPage): Effect.Effect<unknown, ChatError> => {
  switch (message._tag) {
    case "Hello":
      return Effect.void
    case "Say":
      return chat.say(message.room, message.text)
    case "Join":
      return chat.join(message.room)
    case "Leave":
      return chat.leave(message.room)
    case "Rename":
      return chat.rename(message.name)
  }
}
