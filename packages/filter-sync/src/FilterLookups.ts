/** What filter sync looks up of headers and of peers' chains. The interfaces live here, with their consumer; `header-sync` happens to satisfy them. */
import type { PeerId } from "@satwire/machine"
import type { BlockHash } from "@satwire/primitives"

/** A tree of headers, each named by a number from 0 (its base) on. */
export interface FilterHeaderLookup {
  /** The header of most work of those that are not invalid. */
  readonly best: number
  height(header: number): number
  hash(header: number): BlockHash
  /** The number of the header with this hash, or -1. */
  find(hash: Uint8Array): number
  ancestor(header: number, height: number): number
  /** The last header that both chains share. */
  fork(a: number, b: number): number
  /** Whether `before` is `header` or one of those before it. */
  isAncestor(before: number, header: number): boolean
}

export interface FilterPeerChains {
  /** The header of most work that we know the peer has, or -1. */
  bestOf(peer: PeerId): number
}

/** Which blocks are to be judged, by height. */
export interface JudgedRange {
  readonly from: number
  readonly to: number | undefined
}
