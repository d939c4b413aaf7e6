/** Why a session of an overlay ended. Data, and closed: whose fault it was stands in the tag. */
import { type Offence, describeOffence } from "@satwire/message-relay"
import { type CloseReason, describeClose } from "@satwire/transport"

export type SessionEnd =
  /** The connection closed under it. */
  | { readonly _tag: "Closed"; readonly reason: CloseReason }
  /** What the peer did with messages. */
  | { readonly _tag: "Offence"; readonly offence: Offence }
  | { readonly _tag: keyof typeof SAYS }

const SAYS = {
  Left: "It was closed from here.",
  OtherProtocol: "The other end speaks another protocol.",
  OtherVersion: "The other end speaks another version of the protocol.",
  BadHello: "The first words of the other end are malformed.",
  BadProof: "The other end did not prove the key that it is named by.",
  Ourselves: "The other end is this node.",
  KnownAlready: "There is a session with that node already.",
  NoRoom: "There are as many sessions as there may be.",
  BadFrame: "The other end sent a frame that is empty, too long, of no known kind, or out of turn.",
  BadCompression: "The other end sent a message that does not inflate, or to more than a message may have.",
  HandshakeTimeout: "The other end did not introduce itself in time.",
  Silent: "The other end says nothing any more.",
  Behind: "The other end does not take what is sent to it."
} as const

/** One sentence for logs and people. */
export const describeEnd = (end: SessionEnd): string =>
  end._tag === "Closed"
    ? describeClose(end.reason)
    : end._tag === "Offence"
      ? describeOffence(end.offence)
      : SAYS[end._tag]
