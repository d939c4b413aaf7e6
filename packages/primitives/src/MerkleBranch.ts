/**
 * The proof that a transaction is in a block: the hashes beside its way from leaf to root. Pools hand such branches to miners for the
 * coinbase; light wallets ask servers for them.
 *
 * ```
 *        root                 branch of leaf 2:  3, 01
 *      /      \
 *    01        23
 *   /  \      /  \
 *  0    1    2    3
 * ```
 *
 * A branch alone does not say how deep the tree is, and 64 bytes that are two hashes may also be a transaction (CVE-2017-12842). Who takes
 * a branch from a stranger must know the number of transactions, or see a branch of the coinbase that is as long.
 *
 * Source: Bitcoin Core 28.1 `consensus/merkle.cpp`, `merkleblock.cpp`.
 */
import type { Sha256 } from "@satwire/crypto"
import type { MerkleRoot } from "./MerkleTree.ts"

/** The branch of leaf `index` of a list of 32-byte hashes that lie one after another, from the leaf's neighbour up. */
export const merkleBranch = (backend: Sha256, hashes: Uint8Array, index: number): Uint8Array => {
  let count = hashes.length / 32
  if (!(index >= 0 && index < count)) throw new RangeError(`no leaf ${index} of ${count}`)
  const branch: Array<Uint8Array> = []
  const level = new Uint8Array(32 * (count + 1))
  level.set(hashes)
  let at = index
  while (count > 1) {
    if (count % 2 === 1) {
      level.copyWithin(32 * count, 32 * (count - 1), 32 * count)
      count += 1
    }
    const beside = at ^ 1
    branch.push(level.slice(32 * beside, 32 * beside + 32))
    backend.sha256dMany(level, 0, 64, 64, count / 2, level, 0)
    at >>>= 1
    count /= 2
  }
  const flat = new Uint8Array(32 * branch.length)
  branch.forEach((hash, i) => flat.set(hash, 32 * i))
  return flat
}

/**
 * The root that a branch leads to from `leaf`, the one of number `index`. `mutated` where the leaf's side is a copy that only a doubled list
 * has (CVE-2012-2459): a right-hand hash that is the same as its left.
 */
export const rootOfBranch = (backend: Sha256, leaf: Uint8Array, index: number, branch: Uint8Array): MerkleRoot => {
  const pair = new Uint8Array(64)
  const root = leaf.slice()
  let mutated = false
  for (let at = 0, side = index; at < branch.length; at += 32, side = Math.floor(side / 2)) {
    const beside = branch.subarray(at, at + 32)
    const isRight = side % 2 === 1
    pair.set(isRight ? beside : root)
    pair.set(isRight ? root : beside, 32)
    if (isRight && same(pair)) mutated = true
    backend.sha256d(pair, 0, 64, root, 0)
  }
  return { root, mutated }
}

const same = (pair: Uint8Array): boolean => {
  for (let i = 0; i < 32; i++) if (pair[i] !== pair[32 + i]) return false
  return true
}
