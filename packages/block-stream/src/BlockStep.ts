/** What a reader of blocks is told: one block on, or one block back. */
import type { BlockHash, BlockView } from "@satwire/primitives"

/** Where a reader stands: the last block that it has taken in. */
export interface BlockPlace {
  readonly height: number
  readonly hash: BlockHash
}

export type BlockStep =
  /** The next block of the followed chain. */
  | ({ readonly _tag: "Connected"; readonly block: BlockView } & BlockPlace)
  /** The last block is followed no more; what came of it is to be taken back. Without its bytes where they are kept no more. */
  | ({ readonly _tag: "Disconnected"; readonly block: BlockView | undefined } & BlockPlace)
