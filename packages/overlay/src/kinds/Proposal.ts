/** What a validator proposes to vote for. */
import * as Schema from "effect/Schema"
import { type Kind, kind } from "../Kind.ts"
import { MAX_BLOCK_BYTES } from "./Block.ts"
import { Count, Hash, Key, Signature, bytesUpTo } from "./Fields.ts"

export interface Proposal {
  readonly height: number
  readonly round: number
  /** The round in which a majority was seen for it before, or `null`. */
  readonly validRound: number | null
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
  readonly proposer: Uint8Array
  readonly signature: Uint8Array
}

export const Proposal: Kind<Proposal> = kind(
  "proposal",
  Schema.Struct({
    height: Count,
    round: Count,
    validRound: Schema.NullOr(Count),
    hash: Hash,
    bytes: bytesUpTo(MAX_BLOCK_BYTES),
    proposer: Key,
    signature: Signature
  }),
  { maxBytes: MAX_BLOCK_BYTES + 1024, signed: "required" }
)
