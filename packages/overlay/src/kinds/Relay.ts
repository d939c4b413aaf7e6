/** A message for somebody whom the sender cannot reach itself: who gets it and is not meant hands it on, or does not. */
import * as Schema from "effect/Schema"
import { type Kind, kind } from "../Kind.ts"
import { bytesUpTo, textUpTo } from "./Fields.ts"

/**
 * @limit bytes of a message of an overlay that is carried for others
 */
export const MAX_RELAYED_BYTES = 1_000_000

export interface Relay {
  readonly to: string
  /** The kind of the message inside. */
  readonly type: string
  readonly body: Uint8Array
}

export const Relay: Kind<Relay> = kind(
  "relay",
  Schema.Struct({ to: textUpTo(128), type: textUpTo(64), body: bytesUpTo(MAX_RELAYED_BYTES) }),
  { maxBytes: MAX_RELAYED_BYTES + 512 }
)
