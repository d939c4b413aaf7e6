/**
 * A binary Merkle tree over a list of byte strings, of which any run of neighbours can be proven.
 *
 * ```
 *                root = H(02 | count | top)
 *                         │
 *               ┌── top ──┴──┐             a node  = H(01 | left | right)
 *            ┌──┴──┐         │             a leaf  = H(00 | bytes)
 *          l0 l1  l2 l3      l4            the last of an odd level goes up as it is
 * ```
 *
 * Specification: leaves, nodes and the root are hashed under prefixes of their own, an odd node is never paired with itself, and the root
 * commits to the number of leaves. Rationale: a node cannot pass for a leaf (RFC 6962 §2.1), no two lists have one root (in Bitcoin's tree
 * they do: CVE-2012-2459), and "this is the last leaf" can be proven. It is not Bitcoin's tree: that is `@satwire/primitives`.
 */
import type { Sha256 } from "@satwire/crypto"
import type { RangeProof } from "./RangeProof.ts"

export const HASH_BYTES = 32

/**
 * Leaves of one tree, so that their numbers are whole numbers of 31 bits.
 *
 * @limit leaves of a tree of state
 */
export const MAX_LEAVES = 0x40000000

const LEAF = 0
const NODE = 1
const ROOT = 2

/** How the three kinds of hashes are made. It keeps scratch memory, so one is made for many hashes. */
export class TreeHasher {
  readonly #sha256: Sha256
  #leaf: Uint8Array = new Uint8Array(1024)
  readonly #pair: Uint8Array = new Uint8Array(1 + 2 * HASH_BYTES)

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
    this.#leaf[0] = LEAF
    this.#pair[0] = NODE
  }

  leaf(bytes: Uint8Array, out: Uint8Array, outOffset: number): void {
    if (this.#leaf.length < 1 + bytes.length) {
      this.#leaf = new Uint8Array(1 + bytes.length)
      this.#leaf[0] = LEAF
    }
    this.#leaf.set(bytes, 1)
    this.#sha256.sha256(this.#leaf, 0, 1 + bytes.length, out, outOffset)
  }

  /** Two neighbours that lie side by side at `at`. `out` may be the same memory. */
  pair(level: Uint8Array, at: number, out: Uint8Array, outOffset: number): void {
    this.#pair.set(level.subarray(at, at + 2 * HASH_BYTES), 1)
    this.#sha256.sha256(this.#pair, 0, this.#pair.length, out, outOffset)
  }

  /** @param top the hash above all leaves; anything where there is none */
  root(count: number, top: Uint8Array): Uint8Array {
    const input = new Uint8Array(1 + 8 + HASH_BYTES)
    input[0] = ROOT
    new DataView(input.buffer).setUint32(1, count, true)
    if (count > 0) input.set(top.subarray(0, HASH_BYTES), 9)
    const root = new Uint8Array(HASH_BYTES)
    this.#sha256.sha256(input, 0, input.length, root, 0)
    return root
  }
}

/** The tree itself: 64 bytes of memory a leaf, none of the leaves. */
export class MerkleTree {
  readonly count: number
  /** 32 bytes that stand for the whole list. */
  readonly root: Uint8Array
  /** The hashes of each level, side by side, the leaves first. */
  readonly #levels: ReadonlyArray<Uint8Array>

  /** Takes its leaves one after another and keeps only their hashes. More than `MAX_LEAVES` are a `RangeError`. */
  constructor(sha256: Sha256, leaves: Iterable<Uint8Array>) {
    const hasher = new TreeHasher(sha256)
    let level = new Uint8Array(64 * HASH_BYTES)
    let count = 0
    for (const leaf of leaves) {
      if (count === MAX_LEAVES) throw new RangeError(`a tree of state has at most ${MAX_LEAVES} leaves`)
      if ((count + 1) * HASH_BYTES > level.length) {
        const wider = new Uint8Array(2 * level.length)
        wider.set(level)
        level = wider
      }
      hasher.leaf(leaf, level, count * HASH_BYTES)
      count++
    }
    const levels = [level.slice(0, count * HASH_BYTES)]
    for (let below = levels[0] as Uint8Array; below.length > HASH_BYTES;) {
      below = levelAbove(hasher, below)
      levels.push(below as Uint8Array<ArrayBuffer>)
    }
    this.count = count
    this.#levels = levels
    this.root = hasher.root(count, levels.at(-1) as Uint8Array)
  }

  /**
   * What proves the leaves `[start, end)` to whoever knows the root. A range outside the tree, or an empty one of a tree that is not empty,
   * is our own fault and a `RangeError`.
   */
  prove(start: number, end: number): RangeProof {
    if (!(start >= 0 && (start < end || this.count === 0) && end <= this.count)) {
      throw new RangeError(`leaves ${start} to ${end} of a tree of ${this.count}`)
    }
    const siblings: Array<Uint8Array> = []
    let from = start
    let to = end
    for (const level of this.#levels) {
      const width = level.length / HASH_BYTES
      if (width <= 1) break
      if (from % 2 === 1) siblings.push(hashAt(level, from - 1))
      if (to % 2 === 1 && to < width) siblings.push(hashAt(level, to))
      from >>>= 1
      to = (to + 1) >>> 1
    }
    return { count: this.count, start, siblings }
  }
}

const hashAt = (level: Uint8Array, index: number): Uint8Array =>
  level.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)

const levelAbove = (hasher: TreeHasher, below: Uint8Array): Uint8Array => {
  const width = below.length / HASH_BYTES
  const above = new Uint8Array(((width + 1) >>> 1) * HASH_BYTES)
  for (let i = 0; i + 1 < width; i += 2) hasher.pair(below, i * HASH_BYTES, above, (i / 2) * HASH_BYTES)
  if (width % 2 === 1) above.set(hashAt(below, width - 1), above.length - HASH_BYTES)
  return above
}
