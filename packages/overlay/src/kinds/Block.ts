/** A block of the application's own chain: what it is, is the chain's matter. */
import * as Schema from "effect/Schema"
import { type Kind, kind } from "../Kind.ts"
import { Count, Hash, bytesUpTo } from "./Fields.ts"

/**
 * @limit bytes of a block of an overlay
 */
export const MAX_BLOCK_BYTES = 3_900_000

export interface Block {
  readonly hash: Uint8Array
  readonly height: number
  readonly bytes: Uint8Array
}

export const Block: Kind<Block> = kind(
  "block",
  Schema.Struct({ hash: Hash, height: Count, bytes: bytesUpTo(MAX_BLOCK_BYTES) }),
  { maxBytes: MAX_BLOCK_BYTES + 256 }
)
