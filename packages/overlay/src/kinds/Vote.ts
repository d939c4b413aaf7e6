/** A validator's vote in a round of consensus. */
import * as Schema from "effect/Schema"
import { type Kind, kind } from "../Kind.ts"
import { Count, Hash, Key, Signature } from "./Fields.ts"

export interface Vote {
  readonly height: number
  readonly round: number
  readonly step: "prevote" | "precommit"
  /** The block that is voted for; `null` is a vote for none. */
  readonly block: Uint8Array | null
  readonly validator: Uint8Array
  /** The validator's own, over what the engine defines; the envelope has the one of whoever sent it. */
  readonly signature: Uint8Array
}

export const Vote: Kind<Vote> = kind(
  "vote",
  Schema.Struct({
    height: Count,
    round: Count,
    step: Schema.Literals(["prevote", "precommit"]),
    block: Schema.NullOr(Hash),
    validator: Key,
    signature: Signature
  }),
  { maxBytes: 1024, signed: "required" }
)
