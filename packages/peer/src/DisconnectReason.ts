/**
 * Why a peer machine ends its connection: a closed union that prints as one sentence. The peer's fault is data, never an exception.
 */
import type { DecodeError } from "@satwire/bytes"
import { type FramingFault, MAX_CONTENTS_SIZE, MAX_DECOY_BYTES, MAX_HANDSHAKE_BYTES } from "@satwire/framing"
import { FEATURE_VERSION, MAX_PROTOCOL_MESSAGE_LENGTH, MIN_PEER_PROTO_VERSION, serviceNames } from "@satwire/wire"
import type { ConnectionKind } from "./ConnectionKind.ts"
import type { FaultCost } from "./Faults.ts"

export type PeerDisconnectReason =
  /** The byte stream is not the protocol of this network. */
  | FramingFault
  /** A payload broke its format or limit in a way that Core does not forgive. */
  | { readonly _tag: "BadPayload"; readonly command: string; readonly error: DecodeError }
  /** Its `version` is older than Core speaks to. */
  | { readonly _tag: "ObsoleteVersion"; readonly protocolVersion: number }
  /** It does not offer what we dialled it for. */
  | { readonly _tag: "LacksServices"; readonly services: bigint }
  /** It wants no transactions, and we dialled to hand it one. */
  | { readonly _tag: "RefusesTransactions" }
  /** Nobody's fault: we dialled to learn whether it answers, and it did. */
  | { readonly _tag: "FeelerDone" }
  /** We dialled our own listening socket. */
  | { readonly _tag: "SelfConnection" }
  /** A message that may only come before `verack`. */
  | { readonly _tag: "AfterVerack"; readonly command: string }
  /** A `feature` where both do not speak version 70017. */
  | { readonly _tag: "EarlyFeature"; readonly commonVersion: number }
  /** Its `sendtxrcncl` is not what BIP-0330 allows. */
  | { readonly _tag: "BadReconciliation"; readonly why: string }
  /** Nothing at all, or no complete handshake, within `DEFAULT_PEER_CONNECT_TIMEOUT`. */
  | { readonly _tag: "HandshakeTimeout"; readonly heard: boolean }
  /** We dialled in v2 and not a byte came back: it may know v1 alone. */
  | { readonly _tag: "NoAnswerInV2" }
  /** A ping without its pong for `TIMEOUT_INTERVAL`. */
  | { readonly _tag: "PingTimeout" }
  /** A connection that is for one thing took too long for it. */
  | { readonly _tag: "LivedTooLong"; readonly kind: ConnectionKind; readonly limitMs: number }
  /** No byte received, or none sent, for `TIMEOUT_INTERVAL`. */
  | { readonly _tag: "Inactive"; readonly side: "receive" | "send" }

/** Whether the address is to be discouraged as well (Core's `Misbehaving`), or only the connection ended. */
export type DisconnectCost = Exclude<FaultCost, "ignore">

type Sentences = {
  readonly [Tag in PeerDisconnectReason["_tag"]]: (reason: Extract<PeerDisconnectReason, { _tag: Tag }>) => string
}

const SENTENCES: Sentences = {
  WrongMagic: ({ magic }) => `a frame began with ${hex(magic)}, which is not this network's magic`,
  Oversized: ({ command, sizeBytes }) =>
    `"${command}" announced ${sizeBytes} bytes, over MAX_PROTOCOL_MESSAGE_LENGTH (${MAX_PROTOCOL_MESSAGE_LENGTH})`,
  PeerIsV1: () => "it answered in v1 where v2 was spoken (BIP-0324)",
  MissingTerminator: () =>
    "the garbage terminator did not come within MAX_GARBAGE_LEN (4095) bytes of garbage (BIP-0324)",
  OversizedPacket: ({ sizeBytes }) =>
    `a packet announced ${sizeBytes} bytes, over MAX_CONTENTS_SIZE (${MAX_CONTENTS_SIZE})`,
  BadPacket: ({ sizeBytes }) => `a packet of ${sizeBytes} bytes was not what the peer sealed next (BIP-0324)`,
  HandshakeTooLong: ({ sizeBytes }) =>
    `a packet of ${sizeBytes} bytes exceeded MAX_HANDSHAKE_BYTES (${MAX_HANDSHAKE_BYTES})`,
  DecoyFlood: ({ sizeBytes }) =>
    `${sizeBytes} bytes of decoys without a message exceeded MAX_DECOY_BYTES (${MAX_DECOY_BYTES})`,
  BadPayload: ({ command, error }) => `"${command}" was ${error.toString()}`,
  ObsoleteVersion: ({ protocolVersion }) =>
    `protocol version ${protocolVersion} is below MIN_PEER_PROTO_VERSION (${MIN_PEER_PROTO_VERSION})`,
  LacksServices: ({ services }) =>
    `its services (${serviceNames(services).join(", ") || "none"}) are not those that we dialled it for`,
  RefusesTransactions: () => "it wants no transactions, and we had one for it (BIP-0037)",
  FeelerDone: () => "it was a feeler, and it answered",
  SelfConnection: () => "the version nonce was our own: connected to ourselves",
  AfterVerack: ({ command }) =>
    `"${command}" came after verack, where it may only stand before (BIP-0155, BIP-0330, BIP-0339, BIP-0434)`,
  EarlyFeature: ({ commonVersion }) =>
    `"feature" came at version ${commonVersion}, below FEATURE_VERSION (${FEATURE_VERSION}, BIP-0434)`,
  BadReconciliation: ({ why }) => `"sendtxrcncl" is refused: ${why} (BIP-0330)`,
  HandshakeTimeout: ({ heard }) =>
    heard
      ? "the version handshake was not done within DEFAULT_PEER_CONNECT_TIMEOUT (60 s, or what -peertimeout says)"
      : "nothing was received within DEFAULT_PEER_CONNECT_TIMEOUT (60 s, or what -peertimeout says)",
  NoAnswerInV2: () => "it did not answer our key within V2_ANSWER_TIMEOUT (10 s): it may know v1 alone (BIP-0324)",
  PingTimeout: () => "a ping was not answered within TIMEOUT_INTERVAL (20 min)",
  LivedTooLong: ({ kind, limitMs }) => `a connection of kind ${kind} is open for ${limitMs / 60_000} min at most`,
  Inactive: ({ side }) =>
    side === "receive"
      ? "nothing was received for TIMEOUT_INTERVAL (20 min)"
      : "nothing could be sent for TIMEOUT_INTERVAL (20 min)"
}

/** One sentence for a log or a person. */
export const describePeerDisconnect = (reason: PeerDisconnectReason): string =>
  (SENTENCES[reason._tag] as (reason: PeerDisconnectReason) => string)(reason)

/** The four bytes in the order in which they came. */
const hex = (magic: number): string => {
  let bytes = ""
  for (let i = 0; i < 4; i++) bytes += ((magic >>> (8 * i)) & 0xff).toString(16).padStart(2, "0")
  return bytes
}
