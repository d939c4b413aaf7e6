/** How a session with a peer ends, and whose doing it was. */
import { type PeerDisconnectReason, describePeerDisconnect } from "@satwire/peer"
import { type CloseReason, describeClose } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

export type SessionEndReason =
  /** The peer broke the protocol, or took too long. */
  | { readonly _tag: "PeerFault"; readonly reason: PeerDisconnectReason }
  /** The connection closed: the peer left, or the network failed. */
  | { readonly _tag: "ConnectionClosed"; readonly reason: CloseReason }
  /** This side closed it. */
  | { readonly _tag: "ClosedHere" }

interface SessionEndedFields {
  readonly reason: SessionEndReason
  /** Whose doing it was. */
  readonly by: "peer" | "network" | "us"
  /** It ended before anything was understood of a v2 handshake: the other end may know v1 alone (BIP-0324). */
  readonly mayBeV1: boolean
  /** The other end, as `host:port`. */
  readonly peer: string
  /** One sentence. */
  readonly message: string
}

const SessionEndedBase: new (
  fields: SessionEndedFields
) => Cause.YieldableError & { readonly _tag: "SessionEnded" } & SessionEndedFields = Data.TaggedError("SessionEnded")

/** The session is over. Everything that was waiting on it fails with this. */
export class SessionEnded extends SessionEndedBase {}

/** The error for an end of the session with `peer`. */
export const sessionEnded = (peer: string, reason: SessionEndReason, mayBeV1 = false): SessionEnded => {
  const hint = mayBeV1 ? " (it may know v1 alone)" : ""
  const ended = (by: SessionEnded["by"], what: string): SessionEnded =>
    new SessionEnded({ peer, reason, by, mayBeV1, message: `${peer}: ${what}${hint}` })
  switch (reason._tag) {
    case "PeerFault":
      return ended("peer", describePeerDisconnect(reason.reason))
    case "ConnectionClosed": {
      const by = reason.reason._tag === "Ended" ? "peer" : reason.reason._tag === "Destroyed" ? "us" : "network"
      return ended(by, describeClose(reason.reason))
    }
    case "ClosedHere":
      return ended("us", "the session was closed here")
  }
}

interface MessageNotPermittedFields {
  /** The message's command. */
  readonly command: string
  /** What the peer does not speak or offer, in half a sentence. */
  readonly why: string
  /** One sentence. */
  readonly message: string
}

const MessageNotPermittedBase: new (
  fields: MessageNotPermittedFields
) => Cause.YieldableError & { readonly _tag: "MessageNotPermitted" } & MessageNotPermittedFields =
  Data.TaggedError("MessageNotPermitted")

/** A message was not sent, because the peer would not understand it or would have to refuse it. The session goes on. */
export class MessageNotPermitted extends MessageNotPermittedBase {
  constructor(peer: string, command: string, why: string) {
    super({ command, why, message: `"${command}" cannot be sent to ${peer}: ${why}` })
  }
}
