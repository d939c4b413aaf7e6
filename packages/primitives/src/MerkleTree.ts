/**
 * The merkle root of a block's hashes, and the two ways in which a tree can be the tree of another list.
 *
 * Each level is hashed in one batch. A level of odd length repeats its last hash, so a list whose tail is doubled has the same root
 * (CVE-2012-2459): such a tree is called mutated, and a block with one says nothing about the block of the same hash.
 *
 * Source: Bitcoin Core 28.1 `consensus/merkle.cpp`.
 */
import type { Sha256 } from "@satwire/crypto"

export interface MerkleRoot {
  /** 32 bytes. All zeros for an empty list. */
  readonly root: Uint8Array
  /** Two neighbours on some level are equal: the list may be a doubled one. */
  readonly mutated: boolean
}

/** The root over `count` hashes that lie one after another in `hashes`, which is used up as working memory. */
export const merkleRootInPlace = (backend: Sha256, hashes: Uint8Array, count: number): MerkleRoot => {
  let mutated = false
  let level = count
  if (level === 0) return { root: new Uint8Array(32), mutated }
  let nodes = hashes
  while (level > 1) {
    for (let i = 0; i + 1 < level; i += 2) if (same(nodes, 32 * i, 32 * i + 32)) mutated = true
    if (level % 2 === 1) {
      if (nodes.length < 32 * (level + 1)) {
        const wider = new Uint8Array(32 * (level + 1))
        wider.set(nodes.subarray(0, 32 * level))
        nodes = wider
      }
      nodes.copyWithin(32 * level, 32 * (level - 1), 32 * level)
      level += 1
    }
    // Digest i is written to where pair i / 2 was read: never ahead of what is still to read.
    backend.sha256dMany(nodes, 0, 64, 64, level / 2, nodes, 0)
    level /= 2
  }
  return { root: nodes.slice(0, 32), mutated }
}

/** The root over a list of 32-byte hashes. */
export const merkleRoot = (backend: Sha256, hashes: ReadonlyArray<Uint8Array>): MerkleRoot => {
  const flat = new Uint8Array(32 * (hashes.length + 1))
  hashes.forEach((hash, i) => flat.set(hash, 32 * i))
  return merkleRootInPlace(backend, flat, hashes.length)
}

const same = (bytes: Uint8Array, a: number, b: number): boolean => {
  for (let i = 0; i < 32; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}
