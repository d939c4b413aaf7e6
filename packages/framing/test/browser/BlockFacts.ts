/** What is computed of a block in a page and beside it, to be compared. */
import { equals, toHex } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import type { BlockView } from "@satwire/primitives"

export interface BlockFacts {
  readonly hash: string
  readonly transactions: number
  readonly weight: number
  readonly isMerkleRootRight: boolean
  readonly witnessMerkleRoot: string
  /** All of them, one after another. */
  readonly txids: string
  readonly wtxids: string
}

export const blockFacts = (block: BlockView, sha256: Sha256): BlockFacts => ({
  hash: toHex(block.hash(sha256)),
  transactions: block.transactionCount,
  weight: block.weight,
  isMerkleRootRight: equals(block.merkleRoot(sha256).root, block.header.merkleRoot),
  witnessMerkleRoot: toHex(block.witnessMerkleRoot(sha256).root),
  txids: toHex(block.txids(sha256)),
  wtxids: toHex(block.wtxids(sha256))
})
