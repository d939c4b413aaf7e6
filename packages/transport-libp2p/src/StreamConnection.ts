/**
 * A connection over a libp2p stream. The stream is paused until it is started, and while it is paused its muxer opens no window, so that the
 * other end is held back; where a muxer cannot do that (WebRTC's), what waits is bounded, and the connection closes with `Overrun` beyond it.
 *
 * ```
 *   write ─▶ pending ─▶ (end of the turn) one send ─▶ the stream's queue ─▶ muxer, Noise, socket
 *   message ─▶ started, not paused ─▶ onBytes
 *          └─▶ waiting ─▶ resume ─▶ onBytes … and then the end of the other side, which ends ours
 * ```
 */
import type { Stream, StreamCloseEvent, StreamMessageEvent } from "@libp2p/interface"
import { HeldReads, piecesOf } from "@satwire/libp2p-wires"
import {
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  Destroyed,
  type Direction,
  END_TIMEOUT_MS,
  Ended,
  type Endpoint,
  Overrun,
  Reset,
  TimedOut
} from "@satwire/transport"
import { Uint8ArrayList } from "uint8arraylist"

/**
 * More than the largest window that a stream is given here, so that it is reached only where a muxer has no windows.
 *
 * @limit bytes that wait in a paused stream of libp2p
 */
export const MAX_WAITING_BYTES: number = 16 * 1024 * 1024

/** Where a muxer takes any size, it is given this much at once, so that what it has not sent yet is counted here. */
const SEND_BYTES = 65_536

export interface StreamEnds {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly direction: Direction
}

type SizedStream = Stream & { maxMessageSize?: number }

export class StreamConnection implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly direction: Direction
  readonly #stream: Stream
  readonly #reads: HeldReads
  readonly #onClosed: (connection: StreamConnection) => void
  #handlers: ConnectionHandlers | undefined = undefined
  #isPaused = false
  /** Written in this turn. */
  #pending: Array<Uint8Array> = []
  #pendingBytes = 0
  /** Handed to the stream since it last was empty. */
  #handedBytes = 0
  #isHeldBack = false
  /** What came with what a handler paused at. */
  #waiting: Array<Uint8Array> = []
  #isEnded = false
  /** The other end said that no more follows, and all of it has left the stream. */
  #isOtherEnded = false
  /** The other end said so, wherever its bytes are. */
  #hasOtherEnded = false
  #reason: CloseReason | undefined = undefined
  #isStreamClosed = false
  #isClosed = false
  #endTimer: ReturnType<typeof setTimeout> | undefined = undefined

  /** Takes over a negotiated stream; `onClosed` follows when it is closed for good. */
  constructor(stream: Stream, ends: StreamEnds, onClosed: (connection: StreamConnection) => void) {
    this.#stream = stream
    this.#reads = new HeldReads(stream)
    this.#onClosed = onClosed
    this.remote = ends.remote
    this.local = ends.local
    this.direction = ends.direction
    stream.maxReadBufferLength = MAX_WAITING_BYTES
    const sized: SizedStream = stream
    sized.maxMessageSize ??= SEND_BYTES
    stream.addEventListener("close", (event) => this.#streamClosed(event))
    stream.addEventListener("remoteCloseWrite", () => (this.#hasOtherEnded = true))
    stream.addEventListener("end", () => this.#otherEnded())
    // The stream goes on with what it holds in a microtask of its own, so only the next one can see what is left.
    const look = (): void => queueMicrotask(() => this.#drained())
    stream.addEventListener("idle", look)
    stream.addEventListener("drain", look)
    if (stream.status === "open" || stream.status === "closing") {
      this.#reads.pause()
      if (stream.remoteWriteStatus === "closed") this.#hasOtherEnded = true
      if (stream.readableEnded) this.#isOtherEnded = true
    } else {
      this.#isStreamClosed = true
      this.#reason = Reset
      queueMicrotask(() => this.#finish())
    }
  }

  get bufferedBytes(): number {
    if (this.#isClosed || this.#reason !== undefined || this.#isStreamClosed) return 0
    const { writeBufferLength, writableNeedsDrain } = this.#stream
    const handed = writeBufferLength > 0 || !writableNeedsDrain ? writeBufferLength : this.#handedBytes
    return this.#pendingBytes + handed
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    this.#stream.addEventListener("message", (event) => this.#received(event))
    queueMicrotask(() => this.#proceed())
  }

  pause(): void {
    this.#isPaused = true
    this.#reads.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    queueMicrotask(() => this.#proceed())
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnded || this.#reason !== undefined || this.#isStreamClosed || bytes.length === 0) return
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    this.#isHeldBack = true
    if (this.#pending.length === 1) queueMicrotask(() => this.#flush())
  }

  end(): void {
    if (this.#isEnded || this.#reason !== undefined) return
    this.#isEnded = true
    this.#endTimer = setTimeout(() => this.#drop(TimedOut), END_TIMEOUT_MS)
    queueMicrotask(() => {
      this.#flush()
      // What goes wrong closes the stream, and that is told by it.
      if (!this.#isStreamClosed) this.#stream.close().catch(() => undefined)
    })
  }

  destroy(): void {
    this.#drop(Destroyed)
  }

  #flush(): void {
    const [bytes, ...more] = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (bytes === undefined || this.#reason !== undefined || this.#isStreamClosed) return
    let sent: Uint8Array | Uint8ArrayList = bytes
    if (more.length > 0) {
      sent = new Uint8ArrayList(bytes)
      sent.appendAll(more)
    }
    this.#handedBytes = sent.byteLength + (this.#stream.writableNeedsDrain ? this.#handedBytes : 0)
    try {
      this.#stream.send(sent)
    } catch {
      // The other end went meanwhile, which the stream tells by its close.
      return
    }
    this.#drained()
  }

  #drained(): void {
    if (!this.#isHeldBack || this.#isClosed || this.#reason !== undefined || this.#isStreamClosed) return
    if (this.bufferedBytes > 0) return
    this.#isHeldBack = false
    this.#handlers?.onDrain()
  }

  get #mayDeliver(): boolean {
    return this.#handlers !== undefined && !this.#isPaused && this.#reason === undefined && !this.#isClosed
  }

  #received({ data }: StreamMessageEvent): void {
    if (this.#reason !== undefined) return
    for (const bytes of piecesOf(data)) this.#waiting.push(bytes)
    this.#deliver()
  }

  #deliver(): void {
    let next = 0
    while (next < this.#waiting.length && this.#mayDeliver) this.#handlers?.onBytes(this.#waiting[next++] as Uint8Array)
    this.#waiting.splice(0, next)
  }

  /** Hands over what waits, as long as nobody pauses; then lets more come, or goes on with the end. */
  #proceed(): void {
    if (this.#isClosed || this.#reason !== undefined) return this.#finish()
    this.#deliver()
    if (this.#waiting.length > 0 || !this.#mayDeliver) return
    this.#reads.resume()
    this.#wind()
  }

  #otherEnded(): void {
    this.#isOtherEnded = true
    // Dispatched from inside a delivery, too.
    queueMicrotask(() => this.#wind())
  }

  /** The end of the other side, in its turn after what it sent: it ends ours. */
  #wind(): void {
    if (this.#isPaused || this.#waiting.length > 0 || !this.#isOtherEnded || this.#reason !== undefined) return
    this.end()
    if (this.#isStreamClosed) this.#finish()
  }

  #streamClosed({ error, local }: StreamCloseEvent): void {
    if (this.#isStreamClosed) return
    this.#isStreamClosed = true
    if (error !== undefined) this.#reason ??= reasonOf(error, local === true)
    else if (!this.#hasOtherEnded) this.#reason ??= Reset
    // Orderly: what came before is handed over first, and the stream says when it has none left.
    if (this.#reason === undefined && this.#stream.readBufferLength === 0) this.#isOtherEnded = true
    queueMicrotask(() => (this.#reason === undefined ? this.#wind() : this.#finish()))
  }

  #drop(reason: CloseReason): void {
    if (this.#isClosed || this.#reason !== undefined) return
    this.#reason = reason
    this.#waiting = []
    if (this.#isStreamClosed) return queueMicrotask(() => this.#finish())
    this.#stream.abort(new Error(reason._tag))
  }

  /** Counted no more, and told once, to whoever starts it later as well. */
  #finish(): void {
    if (!this.#isStreamClosed) return
    if (!this.#isClosed) {
      this.#isClosed = true
      clearTimeout(this.#endTimer)
      this.#pending = []
      this.#pendingBytes = 0
      this.#waiting = []
      this.#reason ??= Ended
      this.#onClosed(this)
    }
    const handlers = this.#handlers
    this.#handlers = undefined
    handlers?.onClose(this.#reason ?? Ended)
  }
}

const reasonOf = (error: Error, isLocal: boolean): CloseReason => {
  if (!isLocal) return Reset
  if (error.name === "StreamBufferError") return Overrun
  return error.name === "TimeoutError" ? TimedOut : Reset
}
