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
export const sessionEnded = (peer: string, reason: SessionEndReason): SessionEnded => {
  switch (reason._tag) {
    case "PeerFault":
      return new SessionEnded({
        peer,
        reason,
        by: "peer",
        message: `${peer}: ${describePeerDisconnect(reason.reason)}`
      })
    case "ConnectionClosed": {
      const by = reason.reason._tag === "Ended" ? "peer" : reason.reason._tag === "Destroyed" ? "us" : "network"
      return new SessionEnded({ peer, reason, by, message: `${peer}: ${describeClose(reason.reason)}` })
    }
    case "ClosedHere":
      return new SessionEnded({ peer, reason, by: "us", message: `${peer}: the session was closed here` })
  }
}
