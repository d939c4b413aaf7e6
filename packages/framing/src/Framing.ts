/**
 * The contract of a transport protocol: bytes of one connection to messages and back. `peer` holds one of these and cannot tell on
 * which it stands (v1 in the clear, v2 encrypted as in BIP-0324).
 *
 * ```
 *   receive(chunk) ─▶ ┌─────────┐ ─▶ next()        one event at a time, until it is undefined
 *   send(message)  ─▶ │ Framing │ ─▶ takeOutput()  everything to write, in one buffer
 *                     └─────────┘
 * ```
 *
 * Pulling events one by one lets the caller stop within a chunk when its turn's work is used up. `release` must then be called before
 * the chunk's owner takes it back.
 */
import type { DecodeError } from "@satwire/bytes"
import type { Message } from "@satwire/wire"
import type { Sendable } from "./RawMessage.ts"

/** Why a byte stream cannot go on. The connection is to be closed. */
export type FramingFault =
  /** The first four bytes of a frame are not the network's (Core 28.1 `V1Transport::readHeader`). */
  | { readonly _tag: "WrongMagic"; readonly magic: number }
  /** A frame announces more than `MAX_PROTOCOL_MESSAGE_LENGTH`. */
  | { readonly _tag: "Oversized"; readonly command: string; readonly sizeBytes: number }
  /** v2 only: who answers speaks v1. Who dialled may try again in v1 (Core 28.1 `V2Transport::ShouldReconnectV1`). */
  | { readonly _tag: "PeerIsV1" }
  /** v2 only: 4,095 bytes of garbage and their terminator have come, and it is not there. */
  | { readonly _tag: "MissingTerminator" }
  /** v2 only: a packet announces contents of more than `MAX_CONTENTS_SIZE`. */
  | { readonly _tag: "OversizedPacket"; readonly sizeBytes: number }
  /** v2 only: a packet is not what the peer sealed next. It was damaged, forged, left out or sent twice. */
  | { readonly _tag: "BadPacket"; readonly sizeBytes: number }
  /** v2 only: with this packet the handshake would exceed `MAX_HANDSHAKE_BYTES`. */
  | { readonly _tag: "HandshakeTooLong"; readonly sizeBytes: number }
  /** v2 only: so many bytes of decoys since the last message are over `MAX_DECOY_BYTES`. */
  | { readonly _tag: "DecoyFlood"; readonly sizeBytes: number }

export type FramingEvent =
  /** A message whose checksum and payload are good. `sizeBytes` counts the whole frame. */
  | { readonly _tag: "Message"; readonly message: Message; readonly sizeBytes: number }
  /** A command that the table does not have. Its payload was verified and skipped. */
  | { readonly _tag: "Unknown"; readonly command: string; readonly sizeBytes: number }
  /** A known command whose payload does not decode; its codec's row says what that costs. */
  | {
      readonly _tag: "Undecodable"
      readonly command: Message["_tag"]
      readonly error: DecodeError
      readonly sizeBytes: number
    }
  /** A frame that is dropped for its checksum or for a command that is no printable name. */
  | {
      readonly _tag: "Dropped"
      readonly why: "checksum" | "command"
      readonly command: string
      readonly sizeBytes: number
    }
  /** v2 only: a packet that says nothing, so that its length and time say nothing either. */
  | { readonly _tag: "Decoy"; readonly sizeBytes: number }
  /** The last event there is: whatever follows is ignored. */
  | { readonly _tag: "Fault"; readonly fault: FramingFault }

export interface Framing {
  /** Which protocol it speaks, as `getpeerinfo` names it: a message has come only where it is known. */
  readonly transport: "v1" | "v2" | "detecting"
  /** BIP-0324's session id, once the other side has proved that it has the same. */
  readonly sessionId: Uint8Array | undefined
  /** v2 only: we dialled, our key has left, and not a byte has come. Whoever knows v2 answers a key at once. */
  readonly isUnanswered: boolean
  /** What it came to be, where it had to find out first: from then on that one alone is asked, and this one is not needed. */
  readonly settled: Framing | undefined
  /** Takes a chunk in. It is read in place by `next` and belongs to the caller again after `release`. */
  receive(chunk: Uint8Array): void
  /** The next event, or `undefined` when more bytes are needed. */
  next(): FramingEvent | undefined
  /** Copies what is left of the last chunk, if anything, so that the caller may reuse it. */
  release(): void
  /** Bytes that are held for events still to come. What is skipped is not among them. */
  readonly bufferedBytes: number
  /** Appends a message to what is to be written. Gives how many bytes it takes on the wire, as v1 has it where that is not known yet. */
  send(message: Sendable): number
  /** What was sent since the last call, in one exact buffer whose ownership moves to the caller; `undefined` if nothing was. */
  takeOutput(): Uint8Array | undefined
}
