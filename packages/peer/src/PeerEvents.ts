/** What goes into a peer machine and what comes out. */
import type { Instant } from "@satwire/machine"
import type { Feature, Message, NetAddress, Version } from "@satwire/wire"
import type { ConnectionKind, Direction } from "./ConnectionKind.ts"
import type { DisconnectCost, PeerDisconnectReason } from "./DisconnectReason.ts"
import type { Subject } from "./Outgoing.ts"
import type { Reconciliation } from "./Reconciliation.ts"
import type { TrafficSnapshot } from "./Traffic.ts"

/**
 * `Send` and `Close` may also be handed in while the machine pushes an output: a reply then leaves in the order of the messages, and
 * nothing more comes out of a peer that was just found at fault.
 */
export type PeerInput =
  /** The byte stream is there. */
  | { readonly _tag: "Opened" }
  /** Bytes arrived. The chunk is read in place and belongs to the caller again afterwards. */
  | { readonly _tag: "Bytes"; readonly chunk: Uint8Array }
  /**
   * To the peer: a reply, or a request. Only once it is ready: before, nothing but the handshake is sent. After the end it goes nowhere.
   * They leave in order. A historic block waits for its share of what we upload (`HistoricAllowance`), and what is sent later behind it. Where
   * one reply is several messages, each says whether more of them come (`hasMore`): until the last nothing else leaves.
   */
  | { readonly _tag: "Send"; readonly message: Message; readonly isHistoric?: boolean; readonly hasMore?: boolean }
  /**
   * To the peer, which did not ask for it: it leaves in this turn, or, while the peer takes nothing, by its urgency later; where too much
   * waits the least urgent is dropped. Before the handshake is done it goes nowhere.
   */
  | { readonly _tag: "Announce"; readonly message: Message; readonly about: Exclude<Subject, "ping"> }
  /** To the peer, as it stands and whatever was agreed, at once: for tests. The command has at most 12 characters of ASCII. */
  | { readonly _tag: "SendRaw"; readonly command: string; readonly payload: Uint8Array }
  /**
   * The reply to the message that was just put out comes later (`true`), from a store or a check, or has been sent (`false`). Until then
   * nothing more of the peer is handled, so that replies leave in the order of its messages. It may be said several times over.
   */
  | { readonly _tag: "ReplyOwed"; readonly owed: boolean }
  /** The other end takes no more (`true`) or again (`false`) of what was written. */
  | { readonly _tag: "SendBlocked"; readonly blocked: boolean }
  /**
   * Whoever takes our messages wants no more (`held`) or again: until then nothing more is read from the peer, and it is not blamed for
   * what we do not hear.
   */
  | { readonly _tag: "Hold"; readonly held: boolean }
  /** Sends a ping now, unless one waits for its pong or the handshake is not done. */
  | { readonly _tag: "Ping" }
  /** Our side ends the connection. Nothing more comes out of this machine. */
  | { readonly _tag: "Close" }
  | { readonly _tag: "Timeout" }

export type PeerOutput =
  /**
   * They have said who they are, and nothing speaks against it: an address that answers. `seenAs` is where they see us. For a feeler that is
   * all.
   */
  | { readonly _tag: "Introduced"; readonly info: PeerInfo; readonly seenAs: NetAddress }
  /** The handshake is done. */
  | { readonly _tag: "Ready"; readonly info: PeerInfo }
  /** A message for the managers. */
  | { readonly _tag: "Received"; readonly message: Message }
  /** The answer to our ping. */
  | { readonly _tag: "Pong"; readonly roundTripMs: number }
  /** A frame or message was dropped and cost the peer nothing. */
  | { readonly _tag: "Dropped"; readonly command: string; readonly why: string }
  /** A message of ours was not sent, for what was negotiated or because the peer does not take the news that it has. */
  | { readonly _tag: "Unsent"; readonly command: Message["_tag"]; readonly why: string }
  /** The connection is to be closed. Nothing more comes out of this machine. */
  | { readonly _tag: "Disconnect"; readonly reason: PeerDisconnectReason; readonly cost: DisconnectCost }

/** What a handshake brought to light. */
export interface PeerInfo {
  readonly kind: ConnectionKind
  readonly direction: Direction
  readonly transport: "v1" | "v2"
  /** BIP-0324's session id, where there is one. */
  readonly sessionId: Uint8Array | undefined
  readonly protocolVersion: number
  /** The lower of both sides' protocol versions. */
  readonly commonVersion: number
  readonly services: bigint
  /** As it came: for people, pass it through `sanitizeUserAgent`. */
  readonly userAgent: string
  readonly startHeight: number
  /** It wants transactions announced (BIP-0037 §"Extensions to existing messages"). */
  readonly relay: boolean
  /** It announces transactions by wtxid (BIP-0339). */
  readonly wtxidRelay: boolean
  /** It understands `addrv2` (BIP-0155). */
  readonly addrV2: boolean
  /** Draft: both sides would reconcile sets of transactions (BIP-0330). */
  readonly reconciliation: Reconciliation | undefined
  /** What it understands besides, by names (BIP-0434); the first of a name counts. */
  readonly features: ReadonlyArray<Feature> | undefined
  /** Its clock minus ours when its `version` came. */
  readonly timeOffsetSeconds: number
}

/** What our side says of itself, looked up at each handshake. The interface lives here, with its consumer. */
export interface PeerIdentity {
  describe(): OwnDescription
  /** Whether these services are worth a connection that we opened of ourselves; any are, where this is missing. */
  wants?(services: bigint): boolean
  /** Whether a `version` of ours that has not been answered yet carried this nonce. */
  isOwnNonce(nonce: bigint): boolean
}

export interface OwnDescription extends Pick<
  Version,
  "protocolVersion" | "services" | "userAgent" | "startHeight" | "relay"
> {
  /** Draft: we would reconcile sets of transactions (BIP-0330). */
  readonly reconciles?: boolean
  /** What we understand besides (BIP-0434). */
  readonly features?: ReadonlyArray<Feature>
}

export interface PeerSnapshot extends TrafficSnapshot {
  readonly kind: ConnectionKind
  readonly direction: Direction
  readonly transport: "v1" | "v2" | "detecting"
  readonly state: "handshaking" | "ready" | "disconnecting"
  /** Bytes that were received and are still to be handled. */
  readonly receivedBytesWaiting: number
  /** What the handshake brought to light, once it is done. */
  readonly info: PeerInfo | undefined
  readonly openedAt: Instant
  readonly lastReceived: Instant | undefined
  /** When bytes last left and the other end was taking them. */
  readonly lastSent: Instant | undefined
  /** The last ping's round trip. */
  readonly pingMs: number | undefined
  /** The least round trip of any ping. */
  readonly minPingMs: number | undefined
  /** Since when a ping waits for its pong. */
  readonly pingSince: Instant | undefined
}
