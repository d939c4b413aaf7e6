/**
 * A block locator: hashes of a chain from its tip back to the root, eleven steps of one and then steps that double, so that the other
 * side finds nearly where the chains part in few hashes.
 *
 * Source: Bitcoin Core 28.1 `chain.cpp` (`LocatorEntries`), `validation.cpp` (`FindForkInGlobalIndex`).
 */
import type { BlockHash } from "@satwire/primitives"
import type { HeaderTree } from "./HeaderTree.ts"

/** The locator of the chain that ends with `tip`: 31 hashes at height a million, 42 for the longest chain that a tree can hold. */
export const locator = (tree: HeaderTree, tip: number): ReadonlyArray<BlockHash> => {
  const hashes: Array<BlockHash> = []
  const root = tree.height(0)
  let step = 1
  for (let at = tip; ;) {
    hashes.push(tree.hash(at))
    const height = tree.height(at)
    if (height === root) return hashes
    at = tree.ancestor(at, Math.max(height - step, root))
    if (hashes.length > 10) step *= 2
  }
}

/**
 * The header of the chain of `tip` from which on the sender of a locator is to be told: the first of its hashes that is on this chain,
 * or the root.
 *
 * Specification: hashes that we know but that are not on this chain count as unknown. Rationale: the answer would begin at another header
 * for who has seen a stale one, and so tell a prober which of many connections lead to the same node (as in Core).
 */
export const locate = (tree: HeaderTree, tip: number, hashes: ReadonlyArray<Uint8Array>): number => {
  const tipHeight = tree.height(tip)
  for (const hash of hashes) {
    const header = tree.find(hash)
    if (header < 0) continue
    if (tree.ancestor(tip, tree.height(header)) === header) return header
    // Beyond our tip, and so past all that we have.
    if (tree.ancestor(header, tipHeight) === tip) return tip
  }
  return 0
}
