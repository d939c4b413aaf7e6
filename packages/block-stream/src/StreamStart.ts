/** Where the reader of a block stream begins, and from when on that is known. */
import { WantedBlocks } from "@satwire/block-sync"
import type { HeaderTree } from "@satwire/header-sync"
import type { BlockPlace } from "./BlockStep.ts"

/** Behind the first header of the tree where nothing is given; what is given first counts. */
export interface StreamStart {
  /** Behind the block that was taken in last, in whichever chain that is. */
  readonly after?: BlockPlace | undefined
  /** With the block of this height of the best chain. */
  readonly from?: number | undefined
  /**
   * With the first block of the best chain that may have been mined since then, in seconds since 1970: by median time past, and with two hours
   * to spare.
   */
  readonly fromTime?: number | undefined
}

/**
 * The header that the reader has taken in last, so to speak; -1 while it cannot be told.
 *
 * @param isFound whether the best chain is known
 */
export const placeAtStart = (tree: HeaderTree, { after, from, fromTime }: StreamStart, isFound: boolean): number => {
  if (after !== undefined) {
    const header = tree.find(after.hash)
    return header >= 0 && tree.height(header) === after.height ? header : -1
  }
  if (from === undefined && fromTime === undefined) return 0
  if (!isFound) return -1
  const wanted = new WantedBlocks(from === undefined ? { fromTime } : { from })
  wanted.look(tree)
  const height = wanted.from - 1
  if (height <= tree.height(0)) return 0
  return height <= tree.height(tree.best) ? tree.ancestor(tree.best, height) : -1
}
