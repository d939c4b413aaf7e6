/**
 * One open byte stream to one other end: what the runtime holds for each peer, whatever carries the bytes.
 *
 * It is plain calls and no Effect, because a fiber for each connection costs four times the memory of the socket. Effect owns its
 * lifetime: the `Dialer` or `Listener` that made it destroys it when their layer's scope closes.
 *
 * ```
 *             start(handlers)            onBytes* onDrain*              onClose(reason)
 *   made ──────────────────▶ delivering ───────────────────▶ … ───────────────────────▶ closed
 *                              │  ▲                                      nothing is called after it
 *                      pause() ▼  │ resume()
 *                             paused
 * ```
 *
 * Every handler is called from the event loop, never from inside a call on the connection: `write` in `onBytes` is safe, and so is
 * `destroy`.
 */
import type { Endpoint } from "./Endpoint.ts"

/** Who dialled: `inbound` where the other end did. */
export type Direction = "inbound" | "outbound"

export interface Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly direction: Direction
  /** How many written bytes neither the kernel nor the other end has taken yet. */
  readonly bufferedBytes: number
  /** Begins delivery; once. What arrived before waits. If the connection is closed already, `onClose` follows in a later turn. */
  start(handlers: ConnectionHandlers): void
  /**
   * No `onBytes`, and no orderly end, until `resume`. The other end is slowed down when the buffers between are full; where a transport
   * has no way to do that, what waits is bounded, and the connection closes with `Overrun` beyond it.
   */
  pause(): void
  resume(): void
  /**
   * Sends all of `bytes`, whose memory now belongs to the connection: change nothing in it afterwards. Meant to be called once a
   * turn; several calls of one turn are joined where that is cheaper. After `end`, `destroy` or the close it does nothing.
   */
  write(bytes: Uint8Array): void
  /**
   * Sends what is buffered, then tells the other end that no more follows, which closes both ends (`Ended`). What the other end had
   * still to say may be lost. Who does not close its own end within {@link END_TIMEOUT_MS} is cut off (`TimedOut`).
   */
  end(): void
  /** Closes now; what is buffered is lost. `onClose` follows in a later turn. */
  destroy(): void
}

export interface ConnectionHandlers {
  /** Bytes arrived. They are valid during this call only, since the read buffer is reused: what is kept is copied. */
  onBytes(bytes: Uint8Array): void
  /** `bufferedBytes` is 0 again, after a `write` had left it above 0. */
  onDrain(): void
  /** The connection is closed, both ways. Called exactly once, and last. */
  onClose(reason: CloseReason): void
}

/** Why a connection closed. */
export type CloseReason =
  /** One end ended it, and everything sent before was delivered. */
  | { readonly _tag: "Ended" }
  /** The other end dropped it (a TCP reset, a killed process); bytes under way may be lost. */
  | { readonly _tag: "Reset" }
  /** `destroy` was called here, or the scope of the transport closed. */
  | { readonly _tag: "Destroyed" }
  /** The other end no longer answers at all, or did not close its end after `end`. */
  | { readonly _tag: "TimedOut" }
  /** This end was paused, nothing could hold the other end back, and more came than may wait. */
  | { readonly _tag: "Overrun" }
  /** Anything else, with the platform's own code and words. */
  | { readonly _tag: "Failed"; readonly code: string; readonly message: string }

export const Ended: CloseReason = { _tag: "Ended" }
export const Reset: CloseReason = { _tag: "Reset" }
export const Destroyed: CloseReason = { _tag: "Destroyed" }
export const TimedOut: CloseReason = { _tag: "TimedOut" }
export const Overrun: CloseReason = { _tag: "Overrun" }

/**
 * How long the other end may take to close its side after ours has ended.
 *
 * @limit milliseconds to take the rest and close after an end
 */
export const END_TIMEOUT_MS = 10_000

/** One sentence for logs and people. */
export const describeClose = (reason: CloseReason): string =>
  reason._tag === "Failed" ? `The connection failed: ${reason.message} (${reason.code}).` : SENTENCES[reason._tag]

const SENTENCES: Record<Exclude<CloseReason["_tag"], "Failed">, string> = {
  Ended: "The connection was closed.",
  Reset: "The other end dropped the connection.",
  Destroyed: "The connection was closed from here.",
  TimedOut: "The other end stopped answering.",
  Overrun: "More came than could wait for this end to go on reading."
}
