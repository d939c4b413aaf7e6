/**
 * Which blocks are wanted: a range of heights, of which the first may be known by the time when it was mined alone, and of those all, or the ones
 * that somebody judges worth it.
 */
import { medianTimePast } from "@satwire/consensus"
import type { HeaderLookup } from "./ChainLookups.ts"

/** What clocks of miners may be wrong by (Core's `TIMESTAMP_WINDOW`). */
const TIMESTAMP_WINDOW_S: number = 2 * 60 * 60

export interface WantedRange {
  /** The height of the first one; the first there is where neither this nor a time is given. */
  readonly from?: number | undefined
  /** When something began, in seconds since 1970: those from two hours before it on are wanted, by median time past. */
  readonly fromTime?: number | undefined
  /** The height of the last one, where there is one. */
  readonly to?: number | undefined
  /** Only those of which `BlockJudged` says that they match are fetched; the others count as here once it says that they do not. */
  readonly isFiltered?: boolean | undefined
}

export class WantedBlocks {
  readonly to: number | undefined
  /** Whether each is judged before it is fetched. */
  readonly isFiltered: boolean
  readonly #since: number | undefined
  #from: number

  constructor({ from = 0, fromTime, isFiltered = false, to }: WantedRange) {
    this.to = to
    this.isFiltered = isFiltered
    this.#from = from
    this.#since = fromTime === undefined ? undefined : fromTime - TIMESTAMP_WINDOW_S
  }

  /** The height of the first block that is wanted. */
  get from(): number {
    return this.#from
  }

  /** Looks from which height on the best chain is late enough. Gives whether that is another one than before. */
  look(headers: HeaderLookup): boolean {
    if (this.#since === undefined) return false
    const from = firstSince(headers, this.#since)
    if (from === this.#from) return false
    this.#from = from
    return true
  }
}

/** The height of the first header of the best chain whose median time past is not before `time`; above the tip where there is none. */
const firstSince = (headers: HeaderLookup, time: number): number => {
  const { best } = headers
  // Median time past only grows along a chain.
  let [low, high] = [headers.height(0), headers.height(best) + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const median = medianTimePast(headers, headers.ancestor(best, middle))
    if (median !== undefined && median >= time) high = middle
    else low = middle + 1
  }
  return low
}
