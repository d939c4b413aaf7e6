/** What a peer of a relay can do wrong. Data, and closed. */
import type { EnvelopeError } from "@satwire/envelope"
import type { UnixSeconds } from "@satwire/machine"

export type Offence =
  /** No envelope, or one of a version that is not known. */
  | { readonly _tag: "Invalid"; readonly error: EnvelopeError }
  | { readonly _tag: "Oversized"; readonly error: EnvelopeError }
  /** The same message from the same peer again. */
  | { readonly _tag: "Replayed"; readonly id: Uint8Array }
  | { readonly _tag: "Expired"; readonly expires: UnixSeconds }
  | { readonly _tag: "ExpiresTooLate"; readonly expires: UnixSeconds }
  | { readonly _tag: "TooManyHops"; readonly hops: number }
  /** A message in our own name. */
  | { readonly _tag: "Looping" }
  /** A signature that is not its origin's over this message. */
  | { readonly _tag: "Forged"; readonly id: Uint8Array }
  /** No signature, where all must have one. */
  | { readonly _tag: "Unsigned"; readonly id: Uint8Array }
  | { readonly _tag: "Flooding" }

/** What honest nodes do as well, where a clock is late or a table is full, is forgiven a few times; all else ends the session. */
const IS_FORGIVEN: Record<Offence["_tag"], boolean> = {
  Invalid: false,
  Oversized: false,
  Replayed: true,
  Expired: true,
  ExpiresTooLate: true,
  TooManyHops: false,
  Looping: true,
  Forged: false,
  Unsigned: false,
  Flooding: false
}

export const endsSession = (offence: Offence): boolean => !IS_FORGIVEN[offence._tag]

/** One sentence for logs and people. */
export const describeOffence = (offence: Offence): string => {
  switch (offence._tag) {
    case "Invalid":
    case "Oversized":
      return `It sent what is no envelope that is taken here: ${offence.error.toString()}.`
    case "Expired":
    case "ExpiresTooLate":
      return `It passed on a message whose expiry, ${offence.expires}, is past or too far ahead.`
    case "TooManyHops":
      return `It passed on a message after ${offence.hops} hops.`
    case "Replayed":
      return "It sent a message twice."
    case "Looping":
      return "It sent us a message in our own name."
    case "Forged":
      return "It passed on a message whose signature is not valid."
    case "Unsigned":
      return "It passed on a message without a signature, where all must have one."
    case "Flooding":
      return "It sent more than is taken of one peer."
  }
}
