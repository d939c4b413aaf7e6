/**
 * The plain side of a session: does what the machine asks for, keeps who waits for what, and ends once. It runs inside turns and makes
 * no effect of its own but those that others wait on.
 */
import { MAX_SEND_BUFFER_BYTES, type PeerInfo, type PeerInput } from "@satwire/peer"
import type { MachineFailed, MachineService } from "@satwire/runtime"
import { type CloseReason, type Connection, formatEndpoint } from "@satwire/transport"
import type { Message } from "@satwire/wire"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type * as Queue from "effect/Queue"
import { Inbox } from "./Inbox.ts"
import { type SessionEndReason, type SessionEnded, sessionEnded } from "./SessionError.ts"
import type { SessionOutput } from "./SessionMachine.ts"

export class Session {
  readonly #connection: Connection
  readonly #ready: Deferred.Deferred<PeerInfo, SessionEnded> = Deferred.makeUnsafe()
  readonly #ended: Deferred.Deferred<never, SessionEnded> = Deferred.makeUnsafe()
  /** Done when no handle of the connection is left. */
  readonly #gone: Deferred.Deferred<void> = Deferred.makeUnsafe()
  /** Open while the connection takes what is written. */
  readonly #writable: Latch.Latch = Latch.makeUnsafe(true)
  readonly inbox: Inbox
  #submit: (input: PeerInput) => void = () => {}
  #between: (action: () => void) => void = (action) => action()
  /** What the next pong answers to. */
  #pong: Deferred.Deferred<number, SessionEnded> | undefined = undefined
  #blocked = false
  /** Somebody has sent something, beyond what the protocol says by itself. */
  #hasSent = false
  #over: Exit.Exit<never, SessionEnded> | undefined = undefined

  constructor(connection: Connection, queue: Queue.Queue<Message, SessionEnded>) {
    this.#connection = connection
    this.inbox = new Inbox(queue, (held) => this.#hold(held))
  }

  /** Begins the handshake. */
  start({ submit, between }: Pick<MachineService<PeerInput, SessionOutput>, "submit" | "between">): void {
    this.#submit = submit
    this.#between = between
    submit({ _tag: "Opened" })
    this.#connection.start({
      onBytes: (chunk) => submit({ _tag: "Bytes", chunk }),
      onDrain: () => this.#block(false),
      onClose: (reason) => this.#closed(reason)
    })
  }

  /** Does what the machine asks for. */
  perform(output: SessionOutput): void {
    if (this.#over !== undefined) return
    switch (output._tag) {
      case "Ready":
        return this.#between(() => Deferred.doneUnsafe(this.#ready, Exit.succeed(output.info)))
      case "Received":
        return this.inbox.push(output.message)
      case "Pong":
        return this.#answered(output.roundTripMs)
      case "Introduced":
      case "Dropped":
      case "Unsent":
        return
      case "Disconnect":
        this.end({ _tag: "PeerFault", reason: output.reason })
        return this.#connection.destroy()
      case "Write":
        this.#connection.write(output.bytes)
        if (this.#connection.bufferedBytes > MAX_SEND_BUFFER_BYTES) this.#block(true)
        return
      case "Pause":
        return output.paused ? this.#connection.pause() : this.#connection.resume()
    }
  }

  /** What the handshake brought to light. */
  get ready(): Effect.Effect<PeerInfo, SessionEnded> {
    return Deferred.await(this.#ready)
  }

  get ended(): Effect.Effect<never, SessionEnded> {
    return Deferred.await(this.#ended)
  }

  send(message: Message): Effect.Effect<void, SessionEnded> {
    return Effect.suspend(() => {
      if (this.#over !== undefined) return this.#over
      if (this.#blocked) return Effect.andThen(this.#writable.await, this.send(message))
      this.#hasSent = true
      this.#submit({ _tag: "Send", message })
      return Effect.void
    })
  }

  readonly ping: Effect.Effect<number, SessionEnded> = Effect.suspend(() => {
    if (this.#over !== undefined) return this.#over
    this.#pong ??= Deferred.makeUnsafe()
    const pong = this.#pong
    this.#submit({ _tag: "Ping" })
    return Deferred.await(pong)
  })

  /** Ends the session for a reason; only the first counts. */
  end(reason: SessionEndReason): void {
    this.#finish(Cause.fail(sessionEnded(formatEndpoint(this.#connection.remote), reason)))
  }

  /** The machine broke: a bug of ours is no way for a session to end, so whoever waits dies of it. */
  crash(failure: MachineFailed): void {
    this.#finish(Cause.die(failure))
    this.#connection.destroy()
  }

  get hasSent(): boolean {
    return this.#hasSent
  }

  /** Closes the connection now, and waits until it is gone. */
  readonly destroy: Effect.Effect<void> = Effect.suspend(() => {
    this.#connection.destroy()
    return Deferred.await(this.#gone)
  })

  /** Closes the connection when what was sent has left, or after `graceMs`, and waits until it is gone. */
  close(graceMs: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#connection.end()
      // A paused connection does not notice the other end's.
      this.#connection.resume()
      const gone = Effect.interruptible(Deferred.await(this.#gone))
      return Effect.timeoutOrElse(gone, { duration: graceMs, orElse: () => this.destroy })
    })
  }

  /** Everybody who waits learns it. */
  #finish(cause: Cause.Cause<SessionEnded>): void {
    if (this.#over !== undefined) return
    const exit = Exit.failCause(cause)
    this.#over = exit
    this.#submit({ _tag: "Close" })
    this.#blocked = false
    this.#between(() => {
      Deferred.doneUnsafe(this.#ready, exit)
      Deferred.doneUnsafe(this.#ended, exit)
      if (this.#pong !== undefined) Deferred.doneUnsafe(this.#pong, exit)
      this.inbox.end(cause)
      this.#writable.openUnsafe()
    })
  }

  #answered(roundTripMs: number): void {
    const pong = this.#pong
    this.#pong = undefined
    if (pong !== undefined) this.#between(() => Deferred.doneUnsafe(pong, Exit.succeed(roundTripMs)))
  }

  #hold(held: boolean): void {
    this.#submit({ _tag: "Hold", held })
    // The pong to a ping that was out is not heard for what it was while the peer was held: ask again.
    if (!held && this.#pong !== undefined) this.#submit({ _tag: "Ping" })
  }

  #block(blocked: boolean): void {
    if (this.#blocked === blocked || this.#over !== undefined) return
    this.#blocked = blocked
    this.#submit({ _tag: "SendBlocked", blocked })
    if (blocked) this.#writable.closeUnsafe()
    else this.#between(() => !this.#blocked && this.#writable.openUnsafe())
  }

  #closed(reason: CloseReason): void {
    this.end({ _tag: "ConnectionClosed", reason })
    Deferred.doneUnsafe(this.#gone, Exit.void)
  }
}
