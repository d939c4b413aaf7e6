/**
 * A connection over a WebSocket. What comes while it is paused, or before it is started, waits here; where the socket cannot hold the
 * other end back, as no page can, what waits is bounded, and beyond the bound the connection closes with `Overrun`.
 *
 * ```
 *   onMessage ─▶ started, not paused ─▶ onBytes
 *            └─▶ waiting ─▶ start, resume ─▶ onBytes … and then an end that came meanwhile
 * ```
 */
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
  TimedOut
} from "@satwire/transport"
import { NORMAL, POLICY_VIOLATION, UNSUPPORTED_DATA, sendable } from "./CloseCodes.ts"
import { MAX_SENT_MESSAGE_BYTES, type MessageSocket, type MessageSocketEvents } from "./MessageSocket.ts"

/**
 * Four of the largest messages of Bitcoin's protocol.
 *
 * @limit bytes that wait in a paused WebSocket connection that cannot hold the other end back
 */
export const MAX_WAITING_BYTES: number = 16 * 1024 * 1024

/** What a waiting message costs beside its bytes, so that millions of small ones are bounded as well. */
const MESSAGE_COST = 256

export interface WebSocketEnds {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly direction: Direction
}

/** A connection that can say why it ends. */
export interface WebSocketEnd extends Connection {
  /** As `end`, with a code that the protocol leaves to applications, 4000 to 4999, and at most 123 characters of ASCII. */
  endWith(code: number, why: string): void
}

export class WebSocketConnection implements WebSocketEnd, MessageSocketEvents {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly direction: Direction
  readonly #socket: MessageSocket
  readonly #onClosed: (connection: WebSocketConnection) => void
  #handlers: ConnectionHandlers | undefined = undefined
  #isPaused = false
  #waiting: Array<Uint8Array> = []
  #waitingCost = 0
  /** Nothing more is sent, and nothing that comes is handed on. */
  #isEnding = false
  /** Why it closes, where that was decided here. */
  #reason: CloseReason | undefined = undefined
  /** Why the socket closed. An orderly end is not told before the bytes that came before it. */
  #socketClosed: CloseReason | undefined = undefined
  #isClosed = false
  /** With which code it ends, which the other end says back. */
  #ownCode: number | undefined = undefined
  #isHeldBack = false
  #endTimer: ReturnType<typeof setTimeout> | undefined = undefined

  /**
   * Takes over an open socket.
   *
   * @param connect gives the socket, which is to tell its events to the connection
   * @param onClosed told when it is closed for good
   */
  constructor(
    ends: WebSocketEnds,
    connect: (events: MessageSocketEvents) => MessageSocket,
    onClosed: (connection: WebSocketConnection) => void
  ) {
    this.remote = ends.remote
    this.local = ends.local
    this.direction = ends.direction
    this.#onClosed = onClosed
    this.#socket = connect(this)
    this.#socket.hold?.()
  }

  get bufferedBytes(): number {
    return this.#isClosed || this.#reason !== undefined ? 0 : this.#socket.bufferedBytes
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    queueMicrotask(() => this.#proceed())
  }

  pause(): void {
    if (this.#isEnding) return
    this.#isPaused = true
    this.#socket.hold?.()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    queueMicrotask(() => this.#proceed())
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnding || this.#socketClosed !== undefined) return
    for (let at = 0; at < bytes.length; at += MAX_SENT_MESSAGE_BYTES) {
      this.#socket.send(bytes.subarray(at, at + MAX_SENT_MESSAGE_BYTES))
    }
    if (this.#socket.bufferedBytes > 0) this.#isHeldBack = true
  }

  end(): void {
    this.#shut(NORMAL, "")
  }

  endWith(code: number, why: string): void {
    this.#shut(code, why)
  }

  destroy(): void {
    this.#drop(Destroyed)
  }

  onMessage(bytes: Uint8Array): void {
    if (this.#isEnding || bytes.length === 0) return
    if (this.#waiting.length === 0 && this.#mayDeliver) {
      this.#handlers?.onBytes(bytes)
      return
    }
    this.#waiting.push(bytes)
    this.#waitingCost += bytes.length + MESSAGE_COST
    if (this.#waitingCost <= MAX_WAITING_BYTES) return
    this.#reason = Overrun
    this.#shut(POLICY_VIOLATION, "more came than may wait")
  }

  onText(): void {
    if (this.#isEnding) return
    this.#reason = { _tag: "Failed", code: String(UNSUPPORTED_DATA), message: "the other end sent text and not bytes" }
    this.#shut(UNSUPPORTED_DATA, "bytes are expected, not text")
  }

  onSent(): void {
    if (!this.#isHeldBack || this.#isEnding || this.#socket.bufferedBytes > 0) return
    this.#isHeldBack = false
    this.#handlers?.onDrain()
  }

  onClosed(reason: CloseReason): void {
    clearTimeout(this.#endTimer)
    const isOwnCode = reason._tag === "Failed" && reason.code === String(this.#ownCode)
    this.#socketClosed ??= this.#reason ?? (isOwnCode ? Ended : reason)
    if (this.#socketClosed._tag !== "Ended") this.#forget()
    this.#proceed()
  }

  get #mayDeliver(): boolean {
    return this.#handlers !== undefined && !this.#isPaused
  }

  /** Hands over what waits, as long as nobody pauses; then lets more come, or tells of the end. */
  #proceed(): void {
    let next = 0
    // A handler may end the connection, and then nothing waits any more.
    while (next < this.#waiting.length && this.#mayDeliver) {
      const bytes = this.#waiting[next++] as Uint8Array
      this.#waitingCost -= bytes.length + MESSAGE_COST
      this.#handlers?.onBytes(bytes)
    }
    this.#waiting.splice(0, next)
    if (this.#waiting.length > 0 || this.#isPaused) return
    if (this.#socketClosed !== undefined) this.#finish()
    else if (this.#handlers !== undefined) this.#socket.release?.()
  }

  #forget(): void {
    this.#isEnding = true
    this.#isPaused = false
    this.#waiting = []
    this.#waitingCost = 0
  }

  #shut(code: number, why: string): void {
    if (this.#isEnding) return
    this.#forget()
    if (this.#socketClosed !== undefined) return queueMicrotask(() => this.#proceed())
    this.#socket.release?.()
    this.#ownCode = code
    this.#socket.close(code, sendable(why))
    this.#endTimer = setTimeout(() => this.#drop(TimedOut), END_TIMEOUT_MS)
  }

  #drop(reason: CloseReason): void {
    if (this.#isClosed || this.#reason === Destroyed) return
    this.#reason ??= reason
    this.#forget()
    if (this.#socketClosed === undefined) return this.#socket.drop()
    this.#socketClosed = this.#reason
    queueMicrotask(() => this.#proceed())
  }

  /** Counted no more, and told once, to whoever starts it later as well. */
  #finish(): void {
    if (!this.#isClosed) this.#onClosed(this)
    this.#isClosed = true
    const handlers = this.#handlers
    this.#handlers = undefined
    handlers?.onClose(this.#socketClosed ?? Ended)
  }
}
