/**
 * Messages between the turn that received them and the one reader that takes them. It is bounded: when much waits, it asks for a halt,
 * and no more comes until about half of it was taken. Nothing is dropped.
 */
import { type Message, messageSize } from "@satwire/wire"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { SessionEnded } from "./SessionError.ts"

/**
 * How many messages may wait for their reader before no more is read from the peer. The turn that is under way is finished first.
 *
 * @limit messages of a session that wait for their reader
 */
export const MESSAGES_WAITING = 1024
/**
 * How many bytes of messages may wait for their reader before no more is read from the peer.
 *
 * @limit bytes of a session's messages that wait for their reader
 */
export const MESSAGE_BYTES_WAITING = 4_000_000

/** The most that a reader is handed at once. */
const MESSAGES_A_CHUNK = 256

export class Inbox {
  readonly #queue: Queue.Queue<Message, SessionEnded>
  readonly #hold: (held: boolean) => void
  #bytes = 0
  #held = false

  /** @param hold told with `true` when no more is wanted, and with `false` when there is room again */
  constructor(queue: Queue.Queue<Message, SessionEnded>, hold: (held: boolean) => void) {
    this.#queue = queue
    this.#hold = hold
  }

  push(message: Message): void {
    this.#bytes += messageSize(message)
    Queue.offerUnsafe(this.#queue, message)
    if (this.#held) return
    if (Queue.sizeUnsafe(this.#queue) < MESSAGES_WAITING && this.#bytes < MESSAGE_BYTES_WAITING) return
    this.#held = true
    this.#hold(true)
  }

  /** What waits is still handed out; then every take fails with `cause`. */
  end(cause: Cause.Cause<SessionEnded>): void {
    Queue.failCauseUnsafe(this.#queue, cause)
  }

  /** The next message. */
  readonly take: Effect.Effect<Message, SessionEnded> = Effect.suspend(() => {
    this.#makeRoom()
    return Effect.map(Queue.take(this.#queue), (message) => {
      this.#bytes -= messageSize(message)
      this.#makeRoom()
      return message
    })
  })

  /** The next messages, at least one. */
  readonly takeSome: Effect.Effect<readonly [Message, ...Array<Message>], SessionEnded> = Effect.suspend(() => {
    this.#makeRoom()
    return Effect.map(Queue.takeBetween(this.#queue, 1, MESSAGES_A_CHUNK), (messages) => {
      for (const message of messages) this.#bytes -= messageSize(message)
      this.#makeRoom()
      // It waits for one.
      return messages as [Message, ...Array<Message>]
    })
  })

  #makeRoom(): void {
    const waiting = Queue.sizeUnsafe(this.#queue)
    // A reader that is interrupted on its way out of the queue takes messages along that nobody counted.
    if (waiting === 0) this.#bytes = 0
    if (!this.#held || 2 * waiting > MESSAGES_WAITING || 2 * this.#bytes > MESSAGE_BYTES_WAITING) return
    this.#held = false
    this.#hold(false)
  }
}
