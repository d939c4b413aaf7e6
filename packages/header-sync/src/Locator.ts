/**
 * A block locator: hashes of a chain from its tip back to the root, ten steps of one and then steps that double, so that the other
 * side finds the fork in few hashes.
 *
 * Source: Bitcoin Core 28.1 `chain.cpp` (`LocatorEntries`).
 */
import type { BlockHash } from "@satwire/primitives"
import type { HeaderTree } from "./HeaderTree.ts"

/** The locator of the chain that ends with `tip`. At most 32 hashes for any chain there can be. */
export const locator = (tree: HeaderTree, tip: number): ReadonlyArray<BlockHash> => {
  const hashes: Array<BlockHash> = []
  const root = tree.height(0)
  let step = 1
  for (let at = tip; ;) {
    hashes.push(tree.hash(at))
    const height = tree.height(at)
    if (height === root) return hashes
    if (hashes.length > 10) step *= 2
    at = tree.ancestor(at, Math.max(height - step, root))
  }
}

/** Where the chain of `tip` and the chain behind a locator part: the first of its hashes that is on the chain, or the root. */
export const locate = (tree: HeaderTree, tip: number, hashes: ReadonlyArray<Uint8Array>): number => {
  for (const hash of hashes) {
    const header = tree.find(hash)
    if (header < 0) continue
    const height = tree.height(header)
    if (tree.ancestor(tip, height) === header) return header
    // The chain of the other side runs through a header that is not on ours: they part where ours leaves it.
    return tree.fork(tip, header)
  }
  return 0
}
