/**
 * The `WebSocket` that the platform has, a page's above all. What it cannot do:
 *
 * - It has no pause, so it reads whatever comes (`MAX_WAITING_BYTES`).
 * - It tells nobody that its buffer is empty, so that is looked at every few milliseconds while there is something in it.
 * - It cannot be cut off: after `drop` the platform sends what is buffered and closes in its own time.
 * - It closes with the codes 1000 and 3000 to 4999 only.
 */
import { closeReasonOf } from "./CloseCodes.ts"
import type { MessageSocket, MessageSocketEvents } from "./MessageSocket.ts"

/** As much of the `WebSocket` of the WHATWG standard as is needed: that of pages, Node, Deno, or any library's. */
export interface PlatformWebSocket {
  binaryType: string
  readonly bufferedAmount: number
  readonly readyState: number
  readonly protocol: string
  send(bytes: Uint8Array<ArrayBuffer>): void
  close(code?: number, why?: string): void
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
}

export interface PlatformCloseEvent {
  readonly code: number
  readonly reason: string
}

const OPEN = 1

/** How long until the buffer is looked at again. */
const LOOK_MS = 5

/** The code that a page may send in place of one of the protocol's own. */
const permitted = (code: number): number => (code === 1000 || code >= 3000 ? code : code + 3000)

export class PlatformSocket implements MessageSocket {
  readonly #socket: PlatformWebSocket
  readonly #events: MessageSocketEvents
  #looking: ReturnType<typeof setTimeout> | undefined = undefined

  /** Takes over an open socket whose `binaryType` is `arraybuffer`. */
  constructor(socket: PlatformWebSocket, events: MessageSocketEvents) {
    this.#socket = socket
    this.#events = events
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      if (data instanceof ArrayBuffer) events.onMessage(new Uint8Array(data))
      else events.onText()
    }
    socket.onclose = ({ code, reason }: PlatformCloseEvent) => this.#closed(code, reason)
    // A close follows, and says more.
    socket.onerror = null
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.readyState !== OPEN) return
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>)
    this.#looking ??= setTimeout(() => this.#look(), LOOK_MS)
  }

  close(code: number, why: string): void {
    this.#socket.close(permitted(code), why)
  }

  drop(): void {
    this.#socket.onmessage = null
    this.#socket.onclose = null
    this.#socket.close()
    queueMicrotask(() => this.#closed(0, ""))
  }

  #look(): void {
    this.#looking = undefined
    if (this.#socket.readyState !== OPEN) return
    if (this.#socket.bufferedAmount > 0) this.#looking = setTimeout(() => this.#look(), LOOK_MS)
    else this.#events.onSent()
  }

  #closed(code: number, why: string): void {
    clearTimeout(this.#looking)
    this.#events.onClosed(closeReasonOf(code, why))
  }
}
