/**
 * A socket whose first bytes are for somebody in between: a proxy, a bridge. When they have agreed, it becomes a connection to the end
 * that lies behind. What is said until then is the business of whoever opens it.
 *
 * ```
 *   opened ──onConnect──▶ handshake: write, onBytes ──become──▶ TcpConnection
 *      └──────────────────────┴──────────onLost──────▶ gone
 * ```
 */
import * as Net from "node:net"
import type { Connection, Direction, OpenConnections } from "@satwire/transport"
import type { SocketAddress } from "./SocketAddress.ts"
import { SOCKET_OPTIONS } from "./SocketOptions.ts"
import { codeOf, wordsOf } from "./SystemErrors.ts"
import { type Ends, TcpConnection } from "./TcpConnection.ts"

/** Why a socket is gone, in the platform's code and words. */
export interface SocketLoss {
  /** `EOF` where the other end closed it in order, `ECANCELED` where it was closed here. */
  readonly code: string
  readonly message: string
}

export interface HandshakeHandlers {
  onConnect(): void
  /** Bytes arrived, valid during this call only. */
  onBytes(bytes: Uint8Array): void
  /** The socket is gone, and so is its handle. Called once, unless it became a connection. */
  onLost(loss: SocketLoss): void
}

export interface Becoming {
  readonly direction: Direction
  readonly ends: Ends
  /** Among what it counts from now on, if not among the same. */
  readonly open?: OpenConnections
  /** The connection is closed, and its handle gone. */
  readonly onClosed?: () => void
}

export class HandshakeSocket {
  readonly #socket: Net.Socket
  readonly #open: OpenConnections
  readonly #handlers: HandshakeHandlers
  #error: unknown = undefined
  #hasEnded = false
  #isGone = false

  /** Begins to connect. It counts among `open` from now on, and so does the connection that it becomes. */
  constructor(to: SocketAddress, open: OpenConnections, handlers: HandshakeHandlers) {
    this.#open = open
    this.#handlers = handlers
    this.#socket = new Net.Socket(SOCKET_OPTIONS)
    this.#socket.on("connect", this.#onConnect).on("data", this.#onData)
    this.#socket.on("end", this.#onEnd).on("error", this.#onError).on("close", this.#onClose)
    open.add(this)
    try {
      this.#socket.connect("path" in to ? { path: to.path } : { host: to.host, port: to.port })
    } catch (thrown) {
      // A port or a path that cannot be.
      this.#socket.destroy(thrown instanceof Error ? thrown : undefined)
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  /**
   * No more `onBytes` until {@link resume}, to be called in `onBytes`: `unread`, the rest of its bytes, comes first then. The other end
   * may close meanwhile, and nothing that it said before is lost.
   */
  pause(unread: Uint8Array): void {
    this.#socket.pause()
    // Copied, since it is part of a read buffer.
    if (unread.length > 0) this.#socket.unshift(new Uint8Array(unread))
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Closes now. `onLost` follows. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Hands the socket over to a connection, with what is unread. To be called once; a socket that is gone gives a closed connection. */
  become({ direction, ends, open = this.#open, onClosed }: Becoming): Connection {
    const socket = this.#socket
    socket.pause()
    socket.off("connect", this.#onConnect).off("data", this.#onData)
    socket.off("end", this.#onEnd).off("error", this.#onError).off("close", this.#onClose)
    const connection = new TcpConnection(socket, {
      direction,
      ends,
      onClosed(closed) {
        open.remove(closed)
        onClosed?.()
      }
    })
    open.add(connection)
    this.#open.remove(this)
    if (this.#error !== undefined) connection.failed(this.#error)
    if (this.#isGone) connection.closed()
    else if (this.#hasEnded) connection.otherEnded()
    return connection
  }

  readonly #onConnect = (): void => this.#handlers.onConnect()
  readonly #onData = (bytes: Uint8Array): void => this.#handlers.onBytes(bytes)
  readonly #onEnd = (): void => {
    this.#hasEnded = true
  }
  readonly #onError = (error: unknown): void => {
    this.#error = error
  }
  readonly #onClose = (): void => {
    this.#isGone = true
    this.#open.remove(this)
    this.#handlers.onLost(this.#loss())
  }

  #loss(): SocketLoss {
    if (this.#error !== undefined) return { code: codeOf(this.#error), message: wordsOf(this.#error) }
    return this.#hasEnded
      ? { code: "EOF", message: "it closed the connection" }
      : { code: "ECANCELED", message: "closed from here" }
  }
}
