/** What is looked through for the transactions of a block. The interface lives here, with its consumer; a mempool happens to satisfy it. */
import type { TransactionView } from "@satwire/primitives"

/** Transactions in slots from 0 on, without a gap. Which is in which slot may change between two calls into this package, never within one. */
export interface TransactionPool {
  readonly count: number
  /** The wtxid of each slot, 32 bytes each, one after another; what follows the last is not looked at. */
  readonly wtxids: Uint8Array
  /** The txids in the same way, where they are at hand: without them those of transactions with witnesses are hashed again. */
  readonly txids?: Uint8Array | undefined
  /** The transaction in a slot. Its bytes are never written to again, because it is kept until its block is whole. */
  transaction(slot: number): TransactionView
}
