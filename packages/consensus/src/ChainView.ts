/**
 * The read-only look at a tree of headers that the rules need. A header is named by a small number that its owner gave it;
 * `header-sync`'s tree happens to satisfy this, and so does a list in a test.
 */
export interface ChainView {
  height(header: number): number
  /** Signed, as consensus compares it. */
  version(header: number): number
  /** Seconds since 1970, as the miner claimed; -1 where it is not known, which is only so for a base known by its hash alone. */
  time(header: number): number
  bits(header: number): number
  /** The header's parent, or -1 where it is not known: before genesis, and before the base of a tree that starts in mid-chain. */
  parent(header: number): number
  /** The ancestor at `height` (the header itself included), or -1 where it is not known. */
  ancestor(header: number, height: number): number
  /** Time and bits of the first header of the retarget period in which `header` lies. Always known, also from a base in mid-chain. */
  periodFirst(header: number): PeriodFirst
}

export interface PeriodFirst {
  readonly time: number
  readonly bits: number
}
