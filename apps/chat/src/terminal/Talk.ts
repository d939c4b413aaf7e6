/** The conversation of one person with the chat: lines in, lines out, wherever they come from and go to. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Chat, ChatError } from "../chat/Chat.ts"
import { type Command, HELP, parseCommand } from "./Command.ts"
import { lineOf, memberLine } from "./Lines.ts"

export interface TalkOptions {
  readonly chat: Chat
  /** The room to begin with. */
  readonly room: string
  readonly print: (line: string) => Effect.Effect<void>
  /** Told of the room that texts go to, for a prompt. */
  readonly onRoom: (room: string | undefined) => void
}

export interface Talk {
  /** Follows one line; whether the person stays. */
  readonly follow: (line: string) => Effect.Effect<boolean>
}

/** Joins the first room, and prints what happens until the scope closes. */
export const makeTalk = (options: TalkOptions): Effect.Effect<Talk, ChatError, Scope.Scope> =>
  Effect.gen(function* () {
    const { chat, print } = options
    yield* Effect.forkScoped(
      Stream.runForEach(chat.events, (event) =>
        // Of ourselves we know.
        event._tag === "Person" && event.changed.key === chat.self
          ? Effect.void
          : Effect.flatMap(Clock.currentTimeMillis, (now) => print(lineOf(event, now)))
      ),
      { startImmediately: true }
    )
    const talking = new Talking(options)
    yield* talking.join(options.room)
    return talking
  })

class Talking implements Talk {
  readonly #options: TalkOptions
  #room: string | undefined

  constructor(options: TalkOptions) {
    this.#options = options
  }

  readonly follow = (line: string): Effect.Effect<boolean> => {
    const command = parseCommand(line)
    if (command._tag === "Quit") return Effect.succeed(false)
    return this.#run(command).pipe(
      Effect.catch(({ message }) => this.#options.print(`! ${message}`)),
      Effect.as(true)
    )
  }

  join(text: string): Effect.Effect<void, ChatError> {
    return Effect.map(this.#options.chat.join(text), (room) => this.#go(room))
  }

  #go(room: string | undefined): void {
    this.#room = room
    this.#options.onRoom(room)
  }

  #run(command: Exclude<Command, { readonly _tag: "Quit" }>): Effect.Effect<void, ChatError> {
    const { chat, print } = this.#options
    const room = "what" in command && command.what !== "" ? command.what : (this.#room ?? "")
    switch (command._tag) {
      case "Say":
        return this.#room === undefined ? print("! you are in no room: /join one") : chat.say(this.#room, command.text)
      case "Join":
        return this.join(command.what)
      case "Leave":
        return Effect.map(chat.leave(room), (left) => {
          if (left === this.#room) this.#go(chat.rooms().at(-1))
        })
      case "Nothing":
        return Effect.void
      case "Name":
        return Effect.flatMap(chat.rename(command.what), (name) => print(`* you are ${name}`))
      case "Rooms":
        return this.#printAll(chat.rooms().map((each) => `  #${each}  ${chat.members(each).length} here`))
      case "Who": {
        const members = chat.members(room.replace(/^#/, "").toLowerCase())
        return members.length === 0
          ? print("! you are not in that room")
          : this.#printAll(members.map((member) => memberLine(member, chat.self)))
      }
      case "Help":
        return this.#printAll(HELP)
      case "Unknown":
        return print(`! there is no /${command.what.slice(0, 20)}: see /help`)
    }
  }

  #printAll(lines: ReadonlyArray<string>): Effect.Effect<void> {
    return Effect.forEach(lines, this.#options.print, { discard: true })
  }
}
