/** A `WebSocket` of the `ws` library, which can be paused and cut off. */
import { type CloseReason, END_TIMEOUT_MS } from "@satwire/transport"
import { codeOf, wordsOf } from "@satwire/transport-tcp"
import type { WebSocket } from "ws"
import { closeReasonOf } from "../CloseCodes.ts"
import { MAX_RECEIVED_MESSAGE_BYTES, type MessageSocket, type MessageSocketEvents } from "../MessageSocket.ts"

/**
 * Each is an object that costs more than its bytes. A frame a kilobyte is the most that the largest message needs.
 *
 * @limit fragments of a WebSocket message that is received
 */
const MAX_FRAGMENTS = 1024

/**
 * Twice what the largest message needs in the smallest packets of the Internet (576 bytes).
 *
 * @limit pieces in which a frame of a WebSocket message comes from the socket
 */
const MAX_PIECES = 4096

/** What every socket of the library is set to, on both ends. */
export const WS_OPTIONS: {
  readonly perMessageDeflate: false
  readonly maxPayload: number
  readonly maxFragments: number
  readonly maxBufferedChunks: number
  readonly closeTimeout: number
} = {
  /** Encrypted bytes do not get smaller, and what is unpacked can be a thousand times as large. */
  perMessageDeflate: false,
  maxPayload: MAX_RECEIVED_MESSAGE_BYTES,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_PIECES,
  closeTimeout: END_TIMEOUT_MS
}

/** How long who broke the protocol has to take the code of the close. */
const FAULT_GRACE_MS = 1000

export class WsSocket implements MessageSocket {
  readonly #socket: WebSocket
  readonly #onSent: () => void

  /** Takes over an open socket. */
  constructor(socket: WebSocket, events: MessageSocketEvents) {
    this.#socket = socket
    this.#onSent = () => events.onSent()
    let failure: unknown = undefined
    let grace: ReturnType<typeof setTimeout> | undefined = undefined
    socket.on("message", (data, isBinary) => {
      // A buffer, unless `binaryType` says otherwise.
      if (isBinary) events.onMessage(data as Buffer)
      else events.onText()
    })
    socket.on("error", (error) => {
      failure = error
      grace ??= setTimeout(() => socket.terminate(), FAULT_GRACE_MS)
    })
    socket.on("close", (code, why) => {
      clearTimeout(grace)
      events.onClosed(failure === undefined ? closeReasonOf(code, why.toString()) : failed(failure))
    })
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#onSent)
  }

  close(code: number, why: string): void {
    this.#socket.close(code, why)
  }

  drop(): void {
    this.#socket.terminate()
  }

  hold(): void {
    this.#socket.pause()
  }

  release(): void {
    this.#socket.resume()
  }
}

/** The other end broke the protocol, or a bound: the library has closed with the fitting code. */
const failed = (error: unknown): CloseReason => ({ _tag: "Failed", code: codeOf(error), message: wordsOf(error) })
