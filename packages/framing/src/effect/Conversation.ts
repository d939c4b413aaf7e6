/**
 * The plain side of a stream of messages: bytes of a port through a framing to events that wait for their reader, and messages the other
 * way. Effects are only what somebody waits on: one for all events that came together, none for each.
 *
 * ```
 *   onBytes(chunk) ─▶ framing ─▶ waiting ─▶ take        the port is paused while much waits
 *   send(message)  ─▶ framing ─▶ port.write             the sender waits while much is unsent
 * ```
 */
import { type CloseReason, Destroyed } from "@satwire/transport"
import type { Message } from "@satwire/wire"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type { Framing, FramingEvent } from "../Framing.ts"
import { V2Framing, shouldRetryAsV1 } from "../V2Framing.ts"
import { type MessageStreamError, duplexClosed, framingFailed } from "./MessageStreamError.ts"
import type { Port, PortHandlers } from "./Port.ts"

/**
 * How many events may wait for their reader before no more is read from the other end. The chunk that is under way is finished first.
 *
 * @limit events of a message stream that wait for their reader
 */
export const EVENTS_WAITING = 1024
/**
 * How many bytes of messages may wait for their reader before no more is read from the other end.
 *
 * @limit bytes of a message stream's messages that wait for their reader
 */
export const EVENT_BYTES_WAITING = 4_000_000
/**
 * How many bytes the other end may be behind in taking what was sent before the next `send` waits. Core's default for `-maxsendbuffer`.
 *
 * @limit bytes of a message stream that are unsent before a sender waits
 */
export const UNSENT_BYTES = 1_000_000

/** What a reader is told of. Decoys say nothing, and a fault is how the stream fails. */
export type MessageStreamEvent = Exclude<FramingEvent, { readonly _tag: "Decoy" | "Fault" }>

type Some<A> = readonly [A, ...Array<A>]
type ReaderEnd<E> = Exit.Exit<never, E | MessageStreamError | Cause.Done>
type SenderEnd<E> = Exit.Exit<never, E | MessageStreamError>

export class Conversation<E> implements PortHandlers<E> {
  readonly #framing: Framing
  readonly #port: Port<E>
  /** Open while something waits for the reader, or never will again. */
  readonly #readable: Latch.Latch = Latch.makeUnsafe(false)
  /** Open while a sender need not wait. */
  readonly #writable: Latch.Latch = Latch.makeUnsafe(false)
  /** Done when nothing of the port is left. */
  readonly #gone: Deferred.Deferred<void> = Deferred.makeUnsafe()
  #waiting: Array<MessageStreamEvent> = []
  #waitingBytes = 0
  #receivedBytes = 0
  #readBytes = 0
  #isHeld = false
  #hasSent = false
  #readerEnd: ReaderEnd<E> | undefined = undefined
  #senderEnd: SenderEnd<E> | undefined = undefined

  constructor(framing: Framing, port: Port<E>) {
    this.#framing = framing
    this.#port = port
  }

  start(): void {
    this.#port.start(this)
    this.#flush()
  }

  onBytes(chunk: Uint8Array): void {
    if (this.#senderEnd !== undefined) return
    const framing = this.#framing
    this.#receivedBytes += chunk.length
    framing.receive(chunk)
    for (let event = framing.next(); event !== undefined; event = framing.next()) {
      if (event._tag === "Fault") {
        this.#finish(Cause.fail(framingFailed(event.fault, this.#retryAsV1)))
        return this.#port.destroy()
      }
      this.#readBytes += event.sizeBytes
      if (event._tag === "Decoy") continue
      this.#waiting.push(event)
      if (event._tag === "Message") this.#waitingBytes += event.sizeBytes
    }
    framing.release()
    this.#flush()
    if (!this.#isHeld && (this.#waiting.length >= EVENTS_WAITING || this.#waitingBytes >= EVENT_BYTES_WAITING)) {
      this.#isHeld = true
      this.#port.pause()
    }
    // Whoever waits runs on inside these calls (measured), so they come last.
    this.#unblock()
    if (this.#waiting.length > 0) this.#readable.openUnsafe()
  }

  onDrain(): void {
    this.#unblock()
  }

  onClose(reason: CloseReason): void {
    const failure = Cause.fail(duplexClosed(reason, this.#retryAsV1))
    // An end where one may be is how a conversation ends well; there is nobody left to send to all the same.
    this.#finish(reason._tag === "Ended" && this.#isBetweenMessages ? Cause.fail(Cause.Done()) : failure, failure)
    Deferred.doneUnsafe(this.#gone, Exit.void)
  }

  onFailure(cause: Cause.Cause<E>): void {
    this.#finish(cause)
    Deferred.doneUnsafe(this.#gone, Exit.void)
  }

  /** All events that wait, at least one; done when the other end is. */
  readonly take: Effect.Effect<Some<MessageStreamEvent>, E | MessageStreamError | Cause.Done> = Effect.suspend(() => {
    const events = this.#waiting
    if (events.length > 0) {
      this.#waiting = []
      this.#makeRoom()
      return Effect.succeed(events as unknown as Some<MessageStreamEvent>)
    }
    if (this.#readerEnd !== undefined) return this.#readerEnd
    this.#readable.closeUnsafe()
    return Effect.andThen(this.#readable.await, this.take)
  })

  /** The messages among the events that wait, at least one. What else came with them is passed over. */
  readonly takeMessages: Effect.Effect<Some<Message>, E | MessageStreamError | Cause.Done> = Effect.flatMap(
    Effect.suspend(() => this.take),
    (events) => {
      const messages: Array<Message> = []
      for (const event of events) if (event._tag === "Message") messages.push(event.message)
      return messages.length > 0 ? Effect.succeed(messages as unknown as Some<Message>) : this.takeMessages
    }
  )

  /** Sends messages in one write, when it is known how, and the other end is not too far behind. */
  send(messages: ReadonlyArray<Message>): Effect.Effect<void, E | MessageStreamError> {
    return Effect.suspend(() => {
      if (this.#senderEnd !== undefined) return this.#senderEnd
      if (this.#isBlocked) {
        this.#writable.closeUnsafe()
        return Effect.andThen(this.#writable.await, this.send(messages))
      }
      this.#hasSent = true
      for (const message of messages) this.#framing.send(message)
      this.#flush()
      return Effect.void
    })
  }

  /** Closes the port and waits until it is gone: at once, or when what was sent has left, within `graceMs`. */
  close(graceMs: number): Effect.Effect<void> {
    const destroy = Effect.suspend(() => {
      this.#port.destroy()
      return Deferred.await(this.#gone)
    })
    return Effect.suspend(() => {
      this.#finish(Cause.fail(duplexClosed(Destroyed, false)))
      if (graceMs === 0 || !this.#hasSent) return destroy
      this.#port.end()
      // A paused connection does not notice the other end's.
      this.#port.resume()
      const gone = Effect.interruptible(Deferred.await(this.#gone))
      return Effect.timeoutOrElse(gone, { duration: graceMs, orElse: () => destroy })
    })
  }

  get #retryAsV1(): boolean {
    return this.#framing instanceof V2Framing && shouldRetryAsV1(this.#framing.attempt)
  }

  /** Whether the other end, should it end now, has said what it began to say. In v1 every byte is of a frame that was an event. */
  get #isBetweenMessages(): boolean {
    const { transport, bufferedBytes } = this.#framing
    if (bufferedBytes > 0 || transport === "detecting") return false
    return transport === "v2" || this.#receivedBytes === this.#readBytes
  }

  get #isBlocked(): boolean {
    return this.#framing.transport === "detecting" || this.#port.bufferedBytes > UNSENT_BYTES
  }

  #unblock(): void {
    if (!this.#isBlocked) this.#writable.openUnsafe()
  }

  #flush(): void {
    const bytes = this.#framing.takeOutput()
    if (bytes !== undefined) this.#port.write(bytes)
  }

  #makeRoom(): void {
    this.#waitingBytes = 0
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#port.resume()
  }

  /** Everybody who waits learns it; what came before is still read. */
  #finish(
    reader: Cause.Cause<E | MessageStreamError | Cause.Done>,
    sender?: Cause.Cause<E | MessageStreamError>
  ): void {
    if (this.#senderEnd !== undefined) return
    this.#readerEnd = Exit.failCause(reader)
    this.#senderEnd = Exit.failCause(sender ?? (reader as Cause.Cause<E | MessageStreamError>))
    this.#readable.openUnsafe()
    this.#writable.openUnsafe()
  }
}
