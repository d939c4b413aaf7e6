/** What block sync looks up of headers and of peers' chains. The interfaces live here, with their consumer; `header-sync` happens to satisfy them. */
import type { ChainView } from "@satwire/consensus"
import type { PeerId } from "@satwire/machine"
import type { BlockHash, ChainParams } from "@satwire/primitives"

/** A tree of headers, each named by a number from 0 (its base) on. */
export interface HeaderLookup extends ChainView {
  readonly params: ChainParams
  /** How many there are. */
  readonly size: number
  /** The header of most work of those that are not invalid. */
  readonly best: number
  /** The number of the header with this hash, or -1. */
  find(hash: Uint8Array, offset?: number): number
  hash(header: number): BlockHash
  chainWork(header: number): bigint
  /** Negative, zero or positive as the chain of `a` has less, as much or more work than that of `b`. */
  compareWork(a: number, b: number): number
  /** The last header that both chains share. */
  fork(a: number, b: number): number
  /** Whether `before` is `header` or one of those before it. */
  isAncestor(before: number, header: number): boolean
  /** Whether neither it nor one before it was said to be invalid. */
  isValid(header: number): boolean
}

/** The last header of the chain that ends with `tip` which the locator names, or the first of the tree. */
export type Locate = (tip: number, locator: ReadonlyArray<Uint8Array>) => number

export interface PeerChains {
  /** The header of most work that we know the peer has, or -1. */
  bestOf(peer: PeerId): number
}
