/**
 * What compact blocks look up of headers, of blocks that are fetched and of what peers have. The interfaces live here, with their consumer; siblings
 * happen to satisfy them. Whatever is looked up holds between two inputs, and what an output brings about is seen at once or with the next input.
 */
import type { PeerId } from "@satwire/machine"
import type { BlockHash } from "@satwire/primitives"

/** A tree of headers, each named by a number. */
export interface HeaderLookup {
  /** The header of most work of those that are not invalid. */
  readonly best: number
  /** The number of the header with this hash, or -1. */
  find(hash: Uint8Array): number
  hash(header: number): BlockHash
  height(header: number): number
  /** The number of the parent, or -1. */
  parent(header: number): number
  /** Negative, zero or positive as the chain of `a` has less, as much or more work than that of `b`. */
  compareWork(a: number, b: number): number
}

/** The blocks of a node: who is asked for which is kept in one place, and that is not here. */
export interface BlockRequests {
  /** The end of the followed chain of whole blocks. */
  readonly tip: number
  /** Whether the block is kept, was kept once, or has come and is being looked at: nobody need send it. */
  isHere(header: number): boolean
  /** Who was asked for the block and has not sent it, in the order in which they were. */
  askedOf(header: number): ReadonlyArray<PeerId>
}

/** Whether we know that a peer has a header, of what it said or of what we told it (Core `PeerHasHeader`). */
export type PeerHasHeader = (peer: PeerId, header: number) => boolean
