/**
 * What a reader is told of the best chain: the way from the tip that it was told last to the one there is now, in steps of bounded size.
 *
 * ```
 *        fork
 *   ──────●──a──b──c        removed: a, b, c, the reader's tip before
 *          ╲
 *           ●──x──y──z──w   added: x, y, z, w, its tip afterwards
 * ```
 */
import type { HeaderTree } from "@satwire/header-sync"
import type { BlockHash } from "@satwire/primitives"

/**
 * How many headers one change removes at most, and how many it adds: a longer way is told in several changes.
 *
 * @limit headers that one change of a header stream removes, and that it adds
 */
export const MAX_CHANGE_HEADERS = 2000

/** Where a header stands. */
export interface HeaderPlace {
  readonly height: number
  readonly hash: BlockHash
}

/** Raw headers at heights that follow one another, the lowest first. */
export interface HeaderRun {
  /** The height of the first of them. */
  readonly firstHeight: number
  /** How many they are: {@link MAX_CHANGE_HEADERS} at most, and 0 where there are none. */
  readonly count: number
  /** 80 bytes each, one after another. They are the reader's. */
  readonly headers: Uint8Array
}

/**
 * One step of the best chain. Every change begins where the one before it ended: `removed` ends with the tip before, and `tip` is where
 * the chain ends afterwards.
 */
export interface TipChange {
  /** The last header that both chains share; the tip before, where nothing was removed. */
  readonly fork: HeaderPlace
  /** The headers above the fork that left the best chain. */
  readonly removed: HeaderRun
  /** The headers above the fork that joined it. */
  readonly added: HeaderRun
  readonly tip: HeaderPlace
  /** There is more to tell already: another change follows at once. */
  readonly hasMore: boolean
}

/** The next step on the way from header `from` to header `to`, which are two, and the header to which it leads. */
export const nextChange = (
  tree: HeaderTree,
  from: number,
  to: number
): { readonly change: TipChange; readonly at: number } => {
  const fork = tree.fork(from, to)
  const lowest = tree.height(from) - MAX_CHANGE_HEADERS
  // More leaves than one change holds: of what joins nothing is told before all of it has left.
  const base = tree.height(fork) < lowest ? tree.ancestor(from, lowest) : fork
  const top = Math.min(tree.height(to), tree.height(base) + MAX_CHANGE_HEADERS)
  const at = base === fork ? tree.ancestor(to, top) : base
  const change = {
    fork: placeOf(tree, base),
    removed: runAbove(tree, base, from),
    added: runAbove(tree, base, at),
    tip: placeOf(tree, at),
    hasMore: at !== to
  }
  return { change, at }
}

export const placeOf = (tree: HeaderTree, header: number): HeaderPlace => ({
  height: tree.height(header),
  hash: tree.hash(header)
})

const NOTHING = new Uint8Array(0)

/** The headers of the chain of `last` above its ancestor `base`. */
const runAbove = (tree: HeaderTree, base: number, last: number): HeaderRun => {
  const firstHeight = tree.height(base) + 1
  const count = tree.height(last) - tree.height(base)
  return { firstHeight, count, headers: count > 0 ? tree.rawChain(last, firstHeight, tree.height(last)) : NOTHING }
}
