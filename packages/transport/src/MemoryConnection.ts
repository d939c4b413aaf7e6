/**
 * One end of a connection inside the process. Everything that it calls, it calls from the network's pump; what a caller does to it
 * only queues. Bytes are handed over in one scratch buffer that the next delivery overwrites, as a socket's are: who keeps a view
 * is found out.
 */
import {
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  Destroyed,
  type Direction,
  END_TIMEOUT_MS,
  Ended,
  Reset,
  TimedOut
} from "./Connection.ts"
import type { Endpoint } from "./Endpoint.ts"

/** What an end needs of the network that carries it. */
export interface Carrier {
  /** Where bytes lie while they are handed over. */
  readonly scratch: Uint8Array
  /** How many bytes the next delivery may carry. */
  readonly chunkBytes: () => number
  /** Runs `action` in the pump's next round. */
  readonly soon: (action: () => void) => void
  /** Runs `action` when what leaves now has crossed the network; in order. */
  readonly later: (action: () => void) => void
  /** Runs `action` after `ms`; the result gives it up. */
  readonly timer: (ms: number, action: () => void) => () => void
}

/** How many deliveries one end may have in a round of the pump, so that a long transfer in small chunks starves nobody. */
const DELIVERIES_A_ROUND = 64

export class MemoryConnection implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly direction: Direction
  readonly #carrier: Carrier
  readonly #onClosed: (end: MemoryConnection) => void
  /** The other end; set by {@link join}, since each needs the other. */
  #other: MemoryConnection = this
  #handlers: ConnectionHandlers | undefined = undefined
  #paused = false
  /** Whether our own end has ended. */
  #ended = false
  #otherEnded = false
  #closed: CloseReason | undefined = undefined
  #reported = false
  #buffered = 0
  #giveUpEnding: (() => void) | undefined = undefined
  /** What has crossed the network and waits: bytes, and `undefined` for the end. */
  readonly #inbox: Array<Uint8Array | undefined> = []
  #headOffset = 0

  constructor(
    carrier: Carrier,
    direction: Direction,
    local: Endpoint,
    remote: Endpoint,
    onClosed: (end: MemoryConnection) => void
  ) {
    this.#carrier = carrier
    this.#onClosed = onClosed
    this.direction = direction
    this.local = local
    this.remote = remote
  }

  /** Makes two ends one connection. */
  static join(a: MemoryConnection, b: MemoryConnection): void {
    a.#other = b
    b.#other = a
  }

  get bufferedBytes(): number {
    return this.#buffered
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    this.#carrier.soon(() => this.#run())
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#carrier.soon(() => this.#run())
  }

  write(bytes: Uint8Array): void {
    if (this.#ended || this.#closed !== undefined || bytes.length === 0) return
    this.#buffered += bytes.length
    const other = this.#other
    this.#carrier.later(() => other.#arrive(bytes))
  }

  end(): void {
    if (this.#ended || this.#closed !== undefined) return
    this.#ended = true
    const other = this.#other
    this.#carrier.later(() => other.#arrive(undefined))
    this.#giveUpEnding = this.#carrier.timer(END_TIMEOUT_MS, () => this.#drop(TimedOut))
  }

  destroy(): void {
    this.#drop(Destroyed)
  }

  /** The network lost the connection: both ends learn it now. */
  cut(): void {
    this.#close(Reset)
    this.#other.#close(Reset)
  }

  #arrive(piece: Uint8Array | undefined): void {
    if (this.#closed !== undefined) return
    this.#inbox.push(piece)
    this.#run()
  }

  /** In the pump: reports the close, or hands over what waits. */
  #run(): void {
    if (this.#closed !== undefined) {
      if (this.#reported || this.#handlers === undefined) return
      this.#reported = true
      this.#handlers.onClose(this.#closed)
      return
    }
    for (let delivered = 0; this.#mayDeliver(); delivered++) {
      if (delivered === DELIVERIES_A_ROUND) return this.#carrier.soon(() => this.#run())
      const head = this.#inbox[0]
      if (head === undefined) {
        this.#inbox.length = 0
        this.#otherEnded = true
        this.end()
        this.#finish()
      } else {
        this.#deliver(head)
      }
    }
  }

  #mayDeliver(): boolean {
    return this.#inbox.length > 0 && !this.#paused && this.#handlers !== undefined && this.#closed === undefined
  }

  #deliver(head: Uint8Array): void {
    const { scratch } = this.#carrier
    const length = Math.min(head.length - this.#headOffset, this.#carrier.chunkBytes(), scratch.length)
    scratch.set(head.subarray(this.#headOffset, this.#headOffset + length))
    this.#headOffset += length
    if (this.#headOffset === head.length) {
      this.#inbox.shift()
      this.#headOffset = 0
    }
    this.#handlers?.onBytes(scratch.subarray(0, length))
    this.#other.#taken(length)
  }

  #taken(length: number): void {
    if (this.#closed !== undefined) return
    this.#buffered -= length
    if (this.#buffered > 0) return
    this.#handlers?.onDrain()
    this.#finish()
  }

  /** Both ends have ended and nothing is under way. */
  #finish(): void {
    if (this.#ended && this.#otherEnded && this.#buffered === 0) this.#close(Ended)
  }

  #drop(reason: CloseReason): void {
    if (this.#closed !== undefined) return
    this.#close(reason)
    const other = this.#other
    this.#carrier.later(() => other.#close(Reset))
  }

  #close(reason: CloseReason): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#buffered = 0
    this.#inbox.length = 0
    this.#giveUpEnding?.()
    this.#onClosed(this)
    this.#carrier.soon(() => this.#run())
  }
}
