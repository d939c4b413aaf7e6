/**
 * What a connection needs of a WebSocket, whoever implements it: the platform (`PlatformSocket`) or the `ws` library (`node/WsSocket`).
 * It takes and brings whole binary messages; their borders mean nothing, since a connection carries a stream of bytes.
 */
import type { CloseReason } from "@satwire/transport"

export interface MessageSocket {
  /** How many bytes that were sent lie here still. */
  readonly bufferedBytes: number
  /** Sends one message, whose memory is the socket's from here on. */
  send(bytes: Uint8Array): void
  /** Sends what is buffered, then says why it ends, and waits for the other end to say the same. */
  close(code: number, why: string): void
  /** Ends it without waiting for anything; what is buffered is lost where the platform can lose it. */
  drop(): void
  /** Reads nothing more until `release`: the other end is held back. Missing where the platform has no way to. */
  hold?(): void
  release?(): void
}

export interface MessageSocketEvents {
  /** A binary message came. Its memory is nobody else's. */
  onMessage(bytes: Uint8Array): void
  /** A text message came, which has no meaning here. */
  onText(): void
  /** Bytes left: `bufferedBytes` may be 0 now. */
  onSent(): void
  /** The last call: no handle is left that the platform shows. */
  onClosed(reason: CloseReason): void
}

/**
 * A longer write leaves in several messages, since a message is delivered only when all of it is there.
 *
 * @limit bytes of a WebSocket message that is sent
 */
export const MAX_SENT_MESSAGE_BYTES = 65_536

/**
 * A longer message ends the connection with code 1009. It is larger than what we send for the sake of other software.
 *
 * @limit bytes of a WebSocket message that is received, unless the listener or dialer says otherwise
 */
export const MAX_RECEIVED_MESSAGE_BYTES: number = 1024 * 1024
