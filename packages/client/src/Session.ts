/**
 * The plain side of a session: does what the machine asks for, keeps who waits for what, and ends once. It runs inside turns and makes
 * no effect of its own but those that others wait on.
 */
import { MAX_SEND_BUFFER_BYTES, type PeerInfo, whyNotPermitted } from "@satwire/peer"
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
import { type Answer, type Answers, type Request, type RequestFailed, requestFailed } from "./Request.ts"
import { MessageNotPermitted, type SessionEndReason, type SessionEnded, sessionEnded } from "./SessionError.ts"
import type { SessionInput, SessionMachine, SessionOutput } from "./SessionMachine.ts"

/** Where a session stands. */
export type SessionState = "connecting" | "handshaking" | "ready" | "disconnecting" | "disconnected"

/** Somebody who waits for an answer. */
interface Asker {
  readonly request: Request["_tag"]
  readonly resume: (answer: Exit.Exit<Answer, RequestFailed | SessionEnded>) => void
}

export class Session {
  readonly #connection: Connection
  readonly #ready: Deferred.Deferred<PeerInfo, SessionEnded> = Deferred.makeUnsafe()
  readonly #ended: Deferred.Deferred<never, SessionEnded> = Deferred.makeUnsafe()
  /** Done when no handle of the connection is left. */
  readonly #gone: Deferred.Deferred<void> = Deferred.makeUnsafe()
  /** Open while the connection takes what is written. */
  readonly #writable: Latch.Latch = Latch.makeUnsafe(true)
  readonly inbox: Inbox
  readonly #machine: SessionMachine
  readonly #onState: (state: SessionState) => void
  readonly #askers: Map<number, Asker> = new Map()
  #asked = 0
  #info: PeerInfo | undefined = undefined
  #submit: (input: SessionInput) => void = () => {}
  #between: (action: () => void) => void = (action) => action()
  /** What the next pong answers to. */
  #pong: Deferred.Deferred<number, SessionEnded> | undefined = undefined
  #blocked = false
  /** Somebody has sent something, beyond what the protocol says by itself. */
  #hasSent = false
  #over: Exit.Exit<never, SessionEnded> | undefined = undefined

  constructor(given: {
    readonly connection: Connection
    readonly queue: Queue.Queue<Message, SessionEnded>
    readonly machine: SessionMachine
    readonly onState: ((state: SessionState) => void) | undefined
  }) {
    const { connection, queue, machine, onState = () => {} } = given
    this.#connection = connection
    this.#machine = machine
    this.#onState = onState
    this.inbox = new Inbox(queue, (held) => this.#hold(held))
  }

  /** Begins the handshake. */
  start({ submit, between }: Pick<MachineService<SessionInput, SessionOutput>, "submit" | "between">): void {
    this.#submit = submit
    this.#between = between
    this.#tell("handshaking")
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
        this.#info = output.info
        this.#tell("ready")
        return this.#between(() => Deferred.doneUnsafe(this.#ready, Exit.succeed(output.info)))
      case "Received":
        return this.inbox.push(output.message)
      case "Pong":
        return this.#answered(output.roundTripMs)
      case "Answered":
        return this.#resume(output.id, () => Exit.succeed(output.answer))
      case "Failed":
        return this.#resume(output.id, ({ request }) => Exit.fail(requestFailed(this.#peer, request, output.fault)))
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

  send(message: Message): Effect.Effect<void, SessionEnded | MessageNotPermitted> {
    return Effect.suspend(() => {
      if (this.#over !== undefined) return this.#over
      const why = this.#info === undefined ? undefined : whyNotPermitted(this.#info, message)
      if (why !== undefined) return Effect.fail(new MessageNotPermitted(this.#peer, message._tag, why))
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

  /** Asks the peer and waits for the answer. Whoever waits no more leaves nothing behind. */
  ask<Name extends Request["_tag"]>(
    request: Extract<Request, { readonly _tag: Name }>,
    timeoutMs: number
  ): Effect.Effect<Answers[Name], RequestFailed | SessionEnded> {
    return Effect.callback((resume) => {
      if (this.#over !== undefined) return resume(this.#over)
      const id = ++this.#asked
      this.#hasSent = true
      // The machine answers a question with what answers its kind.
      this.#askers.set(id, { request: request._tag, resume: resume as unknown as Asker["resume"] })
      this.#submit({ _tag: "Ask", id, request, timeoutMs })
      return Effect.sync(() => {
        if (this.#askers.delete(id)) this.#submit({ _tag: "Cancel", id })
      })
    })
  }

  /** Ends the session for a reason; only the first counts. */
  end(reason: SessionEndReason): void {
    this.#finish(Cause.fail(sessionEnded(this.#peer, reason, this.#machine.shouldRetryAsV1)))
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
    this.#tell("disconnecting")
    this.#submit({ _tag: "Close" })
    const askers = [...this.#askers.values()]
    this.#askers.clear()
    this.#blocked = false
    this.#between(() => {
      Deferred.doneUnsafe(this.#ready, exit)
      Deferred.doneUnsafe(this.#ended, exit)
      if (this.#pong !== undefined) Deferred.doneUnsafe(this.#pong, exit)
      for (const { resume } of askers) resume(exit)
      this.inbox.end(cause)
      this.#writable.openUnsafe()
    })
  }

  /** The other end, as `host:port`. */
  get #peer(): string {
    return formatEndpoint(this.#connection.remote)
  }

  #tell(state: SessionState): void {
    this.#between(() => this.#onState(state))
  }

  #resume(id: number, exit: (asker: Asker) => Exit.Exit<Answer, RequestFailed>): void {
    const asker = this.#askers.get(id)
    if (asker === undefined) return
    this.#askers.delete(id)
    this.#between(() => asker.resume(exit(asker)))
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
    this.#tell("disconnected")
    Deferred.doneUnsafe(this.#gone, Exit.void)
  }
}
