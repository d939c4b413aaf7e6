/**
 * A stream of another protocol as Effects, for overlays: bytes both ways, each direction with an end of its own. Nothing waits here but what
 * one message brought: a stream is paused while nobody reads, and a writer waits while too much of his is not taken.
 *
 * ```
 *   read ─▶ (resume) one message (pause) ─▶ its bytes      write ─▶ send ─▶ wait while more than 256 KiB wait
 * ```
 */
import type { Connection as PeerLink, Stream as EngineStream } from "@libp2p/interface"
import { HeldReads, piecesOf } from "@satwire/libp2p-wires"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type * as Scope from "effect/Scope"
import { MAX_WAITING_BYTES } from "./StreamConnection.ts"

/**
 * @limit bytes that wait in a stream of libp2p before its writer does
 */
export const MAX_UNSENT_BYTES: number = 256 * 1024

/** How long the other end may take to end its side after the scope of a stream has closed. */
const FAREWELL_MS = 10_000
/** How long a closing scope waits for what was written to leave. */
const LAST_WORDS_MS = 1000

export type StreamFailure =
  /** The other end dropped it, or the connection below is gone. */
  | "Reset"
  /** It was closed from here. */
  | "Closed"
  /** Nobody read, nothing could hold the other end back, and more came than may wait. */
  | "Overrun"

interface StreamErrorFields {
  readonly reason: StreamFailure
  readonly protocol: string
  readonly peerId: string
  readonly message: string
}

const StreamErrorBase: new (
  fields: StreamErrorFields
) => Cause.YieldableError & { readonly _tag: "StreamError" } & StreamErrorFields = Data.TaggedError("StreamError")

/** A stream is no more: one of the ways in which streams end, and nobody's fault in itself. */
export class StreamError extends StreamErrorBase {}

export interface ByteStream {
  readonly protocol: string
  readonly peerId: string
  /** The other end's multiaddr. */
  readonly address: string
  readonly direction: "inbound" | "outbound"
  /** Whether a relay is between that bounds it in time and bytes. */
  readonly isLimited: boolean
  /** The next bytes, as many as are there; done when the other end says that no more follow. One reader at a time. */
  readonly read: Effect.Effect<Uint8Array, StreamError | Cause.Done>
  /** The same as a stream. */
  readonly bytes: Stream.Stream<Uint8Array, StreamError>
  /** Sends bytes, which belong to the stream from here on, and waits while more than {@link MAX_UNSENT_BYTES} are not taken. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StreamError>
  /** Says that no more follows; what the other end has to say still comes. */
  readonly endWriting: Effect.Effect<void, StreamError>
  /** Closes it now; the other end learns of it as a reset. */
  readonly reset: Effect.Effect<void>
}

class Wrapped implements ByteStream {
  readonly protocol: string
  readonly peerId: string
  readonly address: string
  readonly direction: "inbound" | "outbound"
  readonly isLimited: boolean
  readonly #stream: EngineStream
  readonly #reads: HeldReads
  #waiting: Array<Uint8Array> = []
  #hasOtherEnded = false
  #failure: StreamFailure | undefined = undefined
  /** Nobody reads any more; what comes is let go, so that the other end can finish. */
  #isLeft = false
  readonly #looking: Set<() => void> = new Set()

  constructor(stream: EngineStream, link: PeerLink) {
    this.#stream = stream
    this.protocol = stream.protocol
    this.peerId = link.remotePeer.toString()
    this.address = link.remoteAddr.toString()
    this.direction = stream.direction
    this.isLimited = link.limits !== undefined
    stream.maxReadBufferLength = MAX_WAITING_BYTES
    this.#reads = new HeldReads(stream)
    this.#reads.pause()
    if (stream.remoteWriteStatus === "closed") this.#hasOtherEnded = true
    if (stream.status === "aborted" || stream.status === "reset") this.#failure = "Reset"
    stream.addEventListener("message", ({ data }) => {
      if (this.#isLeft) return
      for (const bytes of piecesOf(data)) this.#waiting.push(bytes)
      this.#reads.pause()
      // What came with it is read with it, however many frames it was.
      queueMicrotask(() => this.#changed())
    })
    stream.addEventListener("remoteCloseWrite", () => {
      this.#hasOtherEnded = true
      this.#changed()
    })
    stream.addEventListener("close", ({ error, local }) => {
      if (error?.name === "StreamBufferError") this.#failure ??= "Overrun"
      else if (error !== undefined || !this.#hasOtherEnded) this.#failure ??= local === true ? "Closed" : "Reset"
      this.#changed()
    })
    for (const event of ["idle", "drain"] as const) {
      stream.addEventListener(event, () => queueMicrotask(() => this.#changed()))
    }
  }

  readonly read: Effect.Effect<Uint8Array, StreamError | Cause.Done> = Effect.suspend(
    () =>
      this.#next() ??
      this.#when(
        () => this.#next(),
        () => this.#reads.resume()
      )
  )

  readonly bytes: Stream.Stream<Uint8Array, StreamError> = Stream.fromPull(
    Effect.succeed(Effect.map(this.read, (bytes): readonly [Uint8Array] => [bytes]))
  )

  readonly write = (bytes: Uint8Array): Effect.Effect<void, StreamError> =>
    Effect.suspend(() => {
      if (this.#failure !== undefined) return Effect.fail(this.#error(this.#failure))
      try {
        this.#stream.send(bytes)
      } catch {
        return Effect.fail(this.#error(this.#failure ?? "Closed"))
      }
      return this.#isSaturated ? this.#taken : Effect.void
    })

  readonly endWriting: Effect.Effect<void, StreamError> = Effect.suspend(() => {
    if (this.#failure !== undefined) return Effect.fail(this.#error(this.#failure))
    return Effect.tryPromise({
      try: (signal) => this.#stream.close({ signal }),
      catch: () => this.#error(this.#failure ?? "Reset")
    })
  })

  readonly reset: Effect.Effect<void> = Effect.sync(() => this.#abort())

  /** When its scope closes: what was written leaves, unless whoever had it failed. */
  leave(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    if (Exit.isFailure(exit)) return this.reset
    return Effect.suspend(() => {
      if (this.#stream.status === "closed" || this.#failure !== undefined) return Effect.void
      return this.endWriting.pipe(
        Effect.timeout(LAST_WORDS_MS),
        Effect.match({ onFailure: () => this.#abort(), onSuccess: () => this.#linger() })
      )
    })
  }

  /** Lets the other end finish, and reads it no more. */
  #linger(): void {
    if (this.#stream.status === "closed") return
    this.#isLeft = true
    this.#waiting = []
    this.#reads.resume()
    const timer = setTimeout(() => this.#abort(), FAREWELL_MS)
    this.#stream.addEventListener("close", () => clearTimeout(timer))
  }

  #abort(): void {
    this.#failure ??= "Closed"
    this.#waiting = []
    this.#stream.abort(new Error("reset"))
  }

  #changed(): void {
    for (const look of this.#looking) look()
  }

  #next(): Effect.Effect<Uint8Array, StreamError | Cause.Done> | undefined {
    const bytes = this.#waiting.shift()
    if (bytes !== undefined) return Effect.succeed(bytes)
    if (this.#failure !== undefined) return Effect.fail(this.#error(this.#failure))
    return this.#hasOtherEnded && this.#stream.readBufferLength === 0 ? Cause.done() : undefined
  }

  /** Waits until there is an answer, after `begin`. */
  #when<A, E>(answer: () => Effect.Effect<A, E> | undefined, begin?: () => void): Effect.Effect<A, E> {
    return Effect.callback((resume) => {
      const look = (): void => {
        const now = answer()
        if (now === undefined) return
        this.#looking.delete(look)
        resume(now)
      }
      this.#looking.add(look)
      // What a stream holds comes within this call, and whoever took it looks no more.
      begin?.()
      if (this.#looking.has(look)) look()
      return Effect.sync(() => this.#looking.delete(look))
    })
  }

  get #isSaturated(): boolean {
    return this.#stream.writeBufferLength > MAX_UNSENT_BYTES
  }

  readonly #taken: Effect.Effect<void, StreamError> = this.#when(() => {
    if (this.#failure !== undefined) return Effect.fail(this.#error(this.#failure))
    return this.#isSaturated ? undefined : Effect.void
  })

  #error(reason: StreamFailure): StreamError {
    const { protocol, peerId } = this
    return new StreamError({ reason, protocol, peerId, message: `${protocol} with ${peerId}: ${SENTENCES[reason]}` })
  }
}

const SENTENCES: Record<StreamFailure, string> = {
  Reset: "the other end dropped the stream.",
  Closed: "the stream was closed from here.",
  Overrun: "more came than may wait for its reader."
}

/** A negotiated stream that lives as long as the scope. */
export const scopedStream = (stream: EngineStream, link: PeerLink): Effect.Effect<ByteStream, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Wrapped(stream, link)),
    (wrapped, exit) => wrapped.leave(exit)
  )
