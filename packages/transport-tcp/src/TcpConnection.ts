/**
 * A connection over a `net.Socket`. One object and one closure for each: the socket knows its connection, and the listeners
 * are shared functions.
 */
import type { Socket } from "node:net"
import {
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  Destroyed,
  type Direction,
  END_TIMEOUT_MS,
  Ended,
  type Endpoint,
  TimedOut
} from "@satwire/transport"
import { closeReasonOf } from "./SystemErrors.ts"
import { READ_BYTES, beginFullRead, holdForTurns, isTurnLong } from "./TurnReads.ts"
import { corkThisTurn, currentTurn } from "./TurnWrites.ts"

const connectionOf: unique symbol = Symbol("connection")

/**
 * What the ends of a connection are called where the socket does not know, as it leads to a proxy and not to the other end; or where asking
 * it would cost more, as it keeps what it answers.
 */
export interface Ends {
  /** Asked of the socket where not given. */
  readonly remote?: Endpoint | undefined
  readonly local: Endpoint
}

export interface TcpConnectionOptions {
  readonly direction: Direction
  /** The handle is gone. */
  readonly onClosed: (connection: TcpConnection) => void
  /** What it is called; the socket's own addresses where not given. */
  readonly ends?: Ends | undefined
  /** Whether whoever made the socket hands its bytes to `received`: for a read buffer that many sockets share. */
  readonly isRead?: boolean
}

interface OwnedSocket extends Socket {
  [connectionOf]?: TcpConnection
}

export class TcpConnection implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly direction: Direction
  readonly #socket: OwnedSocket
  readonly #onClosed: (connection: TcpConnection) => void
  readonly #isRead: boolean
  #handlers: ConnectionHandlers | undefined = undefined
  #reason: CloseReason | undefined = undefined
  #isClosed = false
  /** Whoever reads it wants nothing. */
  #isPaused = false
  /** Others have their turn first. */
  #isHeld = false
  /** A write left bytes with us, and nobody was told since that they are gone. */
  #isHeldBack = false
  #writtenInTurn = -1
  #endTimer: ReturnType<typeof setTimeout> | undefined = undefined

  /** Takes over a connected socket that does not read yet; `onClosed` follows when its handle is gone. */
  constructor(socket: Socket, { direction, onClosed, ends, isRead = false }: TcpConnectionOptions) {
    this.#socket = socket
    this.#socket[connectionOf] = this
    this.#onClosed = onClosed
    this.#isRead = isRead
    this.direction = direction
    this.remote = ends?.remote ?? endpointOf(socket.remoteAddress, socket.remotePort)
    this.local = ends?.local ?? shared(endpointOf(socket.localAddress, socket.localPort))
    socket.on("end", onEnd).on("error", onError).on("close", onClose)
  }

  get bufferedBytes(): number {
    return this.#isClosed || this.#socket.destroyed ? 0 : this.#socket.writableLength
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    if (this.#isClosed) {
      process.nextTick(() => this.#report())
      return
    }
    if (!this.#isRead) this.#socket.on("data", onData)
    this.resume()
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#handlers !== undefined && !this.#isHeld) this.#socket.resume()
  }

  write(bytes: Uint8Array): void {
    const socket = this.#socket
    if (!socket.writable || bytes.length === 0) return
    const turn = currentTurn()
    if (this.#writtenInTurn === turn) {
      if (socket.writableCorked === 0) corkThisTurn(socket)
    } else {
      this.#writtenInTurn = turn
    }
    // A closure for each write, as one that is kept costs every idle connection more than a write costs.
    socket.write(bytes, () => this.#drained())
    if (socket.writableLength > 0) this.#isHeldBack = true
  }

  end(): void {
    if (!this.#socket.writable) return
    this.#socket.end()
    this.#limitEnd()
  }

  destroy(): void {
    this.#drop(Destroyed)
  }

  /** Bytes arrived, in memory that may be reused after this call. */
  received(bytes: Uint8Array): void {
    const isFull = bytes.length >= READ_BYTES
    if (isFull) beginFullRead()
    this.#handlers?.onBytes(bytes)
    if (!isFull || this.#isHeld || !isTurnLong()) return
    this.#isHeld = true
    this.#socket.pause()
    holdForTurns(this)
  }

  /** Others had their turn. */
  readOn(): void {
    this.#isHeld = false
    if (!this.#isPaused && !this.#socket.destroyed) this.#socket.resume()
  }

  /** The other end has ended, and so the socket ends ours by itself. */
  otherEnded(): void {
    this.#limitEnd()
  }

  failed(error: unknown): void {
    this.#reason ??= closeReasonOf(error)
  }

  closed(): void {
    this.#isClosed = true
    this.#reason ??= Ended
    clearTimeout(this.#endTimer)
    this.#onClosed(this)
    this.#report()
  }

  #drained(): void {
    if (!this.#isHeldBack || this.#socket.writableLength > 0 || this.#socket.destroyed) return
    this.#isHeldBack = false
    this.#handlers?.onDrain()
  }

  #drop(reason: CloseReason): void {
    if (this.#socket.destroyed) return
    this.#reason = reason
    this.#socket.destroy()
  }

  #limitEnd(): void {
    this.#endTimer ??= setTimeout(() => this.#drop(TimedOut), END_TIMEOUT_MS)
  }

  #report(): void {
    const handlers = this.#handlers
    if (handlers === undefined) return
    this.#handlers = undefined
    handlers.onClose(this.#reason ?? Ended)
  }
}

function onData(this: OwnedSocket, bytes: Uint8Array): void {
  this[connectionOf]?.received(bytes)
}

function onEnd(this: OwnedSocket): void {
  this[connectionOf]?.otherEnded()
}

function onError(this: OwnedSocket, error: unknown): void {
  this[connectionOf]?.failed(error)
}

function onClose(this: OwnedSocket): void {
  this[connectionOf]?.closed()
}

/** The end of ours that was last seen: that of the next connection is mostly the same, and then one object serves all. */
let lastLocal: Endpoint = { host: "", port: 0 }

const shared = (local: Endpoint): Endpoint => {
  if (local.host !== lastLocal.host || local.port !== lastLocal.port) lastLocal = local
  return lastLocal
}

/** An IPv4 address that came through an IPv6 socket is an IPv4 address. */
export const endpointOf = (address: string | undefined, port: number | undefined): Endpoint => ({
  host: address?.startsWith("::ffff:") === true && address.includes(".") ? address.slice(7) : (address ?? "0.0.0.0"),
  port: port ?? 0
})
