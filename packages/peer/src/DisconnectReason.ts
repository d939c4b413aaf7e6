/**
 * Why a peer machine ends its connection: a closed union that prints as one sentence. The peer's fault is data, never an exception.
 */
import type { DecodeError } from "@satwire/bytes"
import { type FramingFault, MAX_CONTENTS_SIZE, MAX_DECOY_BYTES, MAX_HANDSHAKE_BYTES } from "@satwire/framing"
import { MAX_PROTOCOL_MESSAGE_LENGTH, MIN_PEER_PROTO_VERSION } from "@satwire/wire"

export type PeerDisconnectReason =
  /** The byte stream is not the protocol of this network. */
  | FramingFault
  /** A payload broke its format or limit in a way that Core does not forgive. */
  | { readonly _tag: "BadPayload"; readonly command: string; readonly error: DecodeError }
  /** Its `version` is older than Core speaks to. */
  | { readonly _tag: "ObsoleteVersion"; readonly protocolVersion: number }
  /** We dialled our own listening socket. */
  | { readonly _tag: "SelfConnection" }
  /** A message that may only come before `verack`. */
  | { readonly _tag: "AfterVerack"; readonly command: string }
  /** Nothing at all, or no complete handshake, within `DEFAULT_PEER_CONNECT_TIMEOUT`. */
  | { readonly _tag: "HandshakeTimeout"; readonly heard: boolean }
  /** A ping without its pong for `TIMEOUT_INTERVAL`. */
  | { readonly _tag: "PingTimeout" }
  /** No byte received, or none sent, for `TIMEOUT_INTERVAL`. */
  | { readonly _tag: "Inactive"; readonly side: "receive" | "send" }

/** Whether the address is to be discouraged as well (Core's `Misbehaving`), or only the connection ended. */
export type DisconnectCost = "disconnect" | "discourage"

/** One sentence for a log or a person. */
export const describePeerDisconnect = (reason: PeerDisconnectReason): string => {
  switch (reason._tag) {
    case "WrongMagic":
      return `a frame began with ${hex(reason.magic)}, which is not this network's magic`
    case "Oversized":
      return `"${reason.command}" announced ${reason.sizeBytes} bytes, over MAX_PROTOCOL_MESSAGE_LENGTH (${MAX_PROTOCOL_MESSAGE_LENGTH})`
    case "PeerIsV1":
      return "it answered in v1 where v2 was spoken (BIP-0324)"
    case "MissingTerminator":
      return "the garbage terminator did not come within MAX_GARBAGE_LEN (4095) bytes of garbage (BIP-0324)"
    case "OversizedPacket":
      return `a packet announced ${reason.sizeBytes} bytes, over MAX_CONTENTS_SIZE (${MAX_CONTENTS_SIZE})`
    case "BadPacket":
      return `a packet of ${reason.sizeBytes} bytes was not what the peer sealed next (BIP-0324)`
    case "HandshakeTooLong":
      return `a packet of ${reason.sizeBytes} bytes exceeded MAX_HANDSHAKE_BYTES (${MAX_HANDSHAKE_BYTES})`
    case "DecoyFlood":
      return `${reason.sizeBytes} bytes of decoys without a message exceeded MAX_DECOY_BYTES (${MAX_DECOY_BYTES})`
    case "BadPayload":
      return `"${reason.command}" was ${reason.error.toString()}`
    case "ObsoleteVersion":
      return `protocol version ${reason.protocolVersion} is below MIN_PEER_PROTO_VERSION (${MIN_PEER_PROTO_VERSION})`
    case "SelfConnection":
      return "the version nonce was our own: connected to ourselves"
    case "AfterVerack":
      return `"${reason.command}" came after verack, where it may only stand before (BIP-0155, BIP-0339, BIP-0434)`
    case "HandshakeTimeout":
      return reason.heard
        ? "the version handshake was not done within DEFAULT_PEER_CONNECT_TIMEOUT (60 s)"
        : "nothing was received within DEFAULT_PEER_CONNECT_TIMEOUT (60 s)"
    case "PingTimeout":
      return "a ping was not answered within TIMEOUT_INTERVAL (20 min)"
    case "Inactive":
      return reason.side === "receive"
        ? "nothing was received for TIMEOUT_INTERVAL (20 min)"
        : "nothing could be sent for TIMEOUT_INTERVAL (20 min)"
  }
}

/** The four bytes in the order in which they came. */
const hex = (magic: number): string => {
  let bytes = ""
  for (let i = 0; i < 4; i++) bytes += ((magic >>> (8 * i)) & 0xff).toString(16).padStart(2, "0")
  return bytes
}
