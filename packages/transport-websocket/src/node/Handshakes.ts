/**
 * Sockets on their way to a WebSocket. Each has a few seconds, and only so many may be on their way at once: when there are more, the
 * oldest goes, since an honest one is there for a moment only.
 */
import type { Socket } from "node:net"

/**
 * How long from the TCP connection to an open WebSocket, TLS and HTTP included.
 *
 * @limit milliseconds of a WebSocket's opening handshake
 */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/**
 * How many connections may be on their way to a WebSocket.
 *
 * @limit WebSocket handshakes under way at a listener
 */
export const MAX_HANDSHAKES = 1024

interface Handshake {
  readonly socket: Socket
  readonly timer: ReturnType<typeof setTimeout>
}

export class Handshakes {
  readonly #timeoutMs: number
  /** By the other end, since the socket of TLS is another one than that of TCP below it. In the order in which they came. */
  readonly #underWay: Map<string, Handshake> = new Map()

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** A TCP connection came. */
  begin(socket: Socket): void {
    const key = keyOf(socket)
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs)
    this.#underWay.set(key, { socket, timer })
    socket.once("close", () => this.#end(key))
    // What fails here is nobody's business; a WebSocket that stands has listeners of its own.
    socket.on("error", () => undefined)
    if (this.#underWay.size <= MAX_HANDSHAKES) return
    for (const [oldest, { socket }] of this.#underWay) {
      this.#end(oldest)
      socket.destroy()
      break
    }
  }

  /** It is a WebSocket now. */
  finish(socket: Socket): void {
    this.#end(keyOf(socket))
  }

  closeAll(): void {
    for (const { socket } of this.#underWay.values()) socket.destroy()
  }

  #end(key: string): void {
    clearTimeout(this.#underWay.get(key)?.timer)
    this.#underWay.delete(key)
  }
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`
