/**
 * What a conversation holds of a duplex: the part of a `Connection` that it needs, so that a connection is one as it stands, and a pair of
 * a stream and a write becomes one by two fibers.
 *
 * ```
 *   readable ─▶ reader fiber ─▶ onBytes          waits while paused
 *   write()  ─▶ pending ─▶ writer fiber ─▶ write  one after another, so that no write cuts into another
 * ```
 */
import { type CloseReason, type Connection, type ConnectionHandlers, Destroyed, Ended } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Any two-way stream of bytes, in terms of Effect. */
export interface ByteDuplex<out E = never> {
  /** What the other end says. A chunk is read, or copied, before the next one is pulled. */
  readonly readable: Stream.Stream<Uint8Array, E>
  /** Says something to the other end; done when more may follow. Called for one piece at a time, whose memory is the duplex's. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, E>
}

export interface PortHandlers<in E> extends ConnectionHandlers {
  /** The last call, instead of `onClose`, where the duplex failed in its own way. */
  onFailure(cause: Cause.Cause<E>): void
}

export interface Port<out E> extends Pick<
  Connection,
  "bufferedBytes" | "pause" | "resume" | "write" | "end" | "destroy"
> {
  start(handlers: PortHandlers<E>): void
}

/** Runs the two fibers for as long as the scope is open; they begin at `start`. */
export const streamPort = <E>(duplex: ByteDuplex<E>): Effect.Effect<Port<E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const port = new StreamPort<E>()
    const started = Effect.andThen(port.started.await, port.reading(duplex.readable))
    yield* Effect.forkScoped(started)
    yield* Effect.forkScoped(port.writing(duplex.write))
    return port
  })

class StreamPort<E> implements Port<E> {
  readonly started: Latch.Latch = Latch.makeUnsafe(false)
  /** Open while the reader may go on. */
  readonly #flowing: Latch.Latch = Latch.makeUnsafe(true)
  #isFlowing = true
  /** Open while something is to be written. */
  readonly #work: Latch.Latch = Latch.makeUnsafe(false)
  #handlers: PortHandlers<E> | undefined = undefined
  #pending: Array<Uint8Array> = []
  #buffered = 0
  #isEnding = false
  #isClosed = false

  get bufferedBytes(): number {
    return this.#buffered
  }

  start(handlers: PortHandlers<E>): void {
    this.#handlers = handlers
    this.started.openUnsafe()
  }

  pause(): void {
    this.#isFlowing = false
    this.#flowing.closeUnsafe()
  }

  resume(): void {
    this.#isFlowing = true
    this.#flowing.openUnsafe()
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnding || this.#isClosed) return
    this.#pending.push(bytes)
    this.#buffered += bytes.length
    this.#work.openUnsafe()
  }

  end(): void {
    this.#isEnding = true
    if (this.#buffered === 0) this.#close(Ended)
  }

  destroy(): void {
    this.#close(Destroyed)
  }

  /** Hands on what is read: one effect for an array of chunks, as long as nobody pauses. */
  reading(readable: Stream.Stream<Uint8Array, E>): Effect.Effect<void> {
    const handOn = (chunks: ReadonlyArray<Uint8Array>, from: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        let at = from
        while (at < chunks.length && this.#isFlowing) this.#handlers?.onBytes(chunks[at++] as Uint8Array)
        if (at === chunks.length) return this.#flowing.await
        return Effect.andThen(this.#flowing.await, handOn(chunks, at))
      })
    return Stream.runForEachArray(readable, (chunks) => handOn(chunks, 0)).pipe(
      Effect.matchCause({
        onSuccess: () => this.#close(Ended),
        onFailure: (cause) => this.#fail(cause)
      })
    )
  }

  /** Writes what there is, piece by piece, and waits for more. */
  writing(write: ByteDuplex<E>["write"]): Effect.Effect<void> {
    const drain = Effect.gen({ self: this }, function* () {
      yield* this.#work.await
      this.#work.closeUnsafe()
      const pieces = this.#pending
      this.#pending = []
      for (const piece of pieces) {
        yield* write(piece)
        this.#written(piece.length)
      }
    })
    return Effect.matchCause(Effect.forever(drain, { disableYield: true }), {
      onSuccess: () => {},
      onFailure: (cause) => this.#fail(cause)
    })
  }

  #written(length: number): void {
    this.#buffered -= length
    if (this.#buffered > 0 || this.#isClosed) return
    if (this.#isEnding) this.#close(Ended)
    else this.#handlers?.onDrain()
  }

  #close(reason: CloseReason): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handlers?.onClose(reason)
  }

  #fail(cause: Cause.Cause<E>): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handlers?.onFailure(cause)
  }
}
