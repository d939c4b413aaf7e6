/**
 * The proof that a run of leaves is part of a tree, at which place, and what it is on the wire:
 *
 * ```
 *   u32 leaves of the tree | u32 place of the first | n | n × (length | leaf) | m | m × 32 bytes
 * ```
 *
 * The siblings are those that the run lacks, level by level from the leaves up, the left one before the right one. How many there are follows
 * from the place, so a proof has one form.
 */
import {
  type DecodeResult,
  Reader,
  compactSizeLength,
  decodeFrom,
  encode,
  equals,
  varBytesLength
} from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import * as Result from "effect/Result"
import { HASH_BYTES, MAX_LEAVES, TreeHasher } from "./MerkleTree.ts"

/** Two for each level of the deepest tree. */
const MAX_SIBLINGS = 60

/**
 * Leaves that are proven at once.
 *
 * @limit leaves of a proven range of state
 */
export const MAX_RANGE_LEAVES = 65_536

/**
 * Bytes of a range with its proof, as it is sent.
 *
 * @limit bytes of a proven range of state
 */
export const MAX_RANGE_BYTES = 4_000_000

export interface RangeProof {
  /** How many leaves the whole tree has; the root commits to it. */
  readonly count: number
  /** The place of the first proven leaf, from 0. */
  readonly start: number
  readonly siblings: ReadonlyArray<Uint8Array>
}

/** Leaves that lie side by side, and their proof. */
export interface ProvenRange {
  readonly proof: RangeProof
  readonly leaves: ReadonlyArray<Uint8Array>
}

/**
 * What is wrong with a proof. `shape`: it names leaves outside the tree, none, or too few or too many siblings. `root`: it is well formed and
 * proves something else. `order`: its entries are not in ascending order of their keys, or are no entries. `gap`: it leaves open whether there
 * is the key.
 */
export class ProofError {
  readonly _tag = "ProofError" as const
  readonly reason: "shape" | "root" | "order" | "gap"
  /** One sentence for a person. */
  readonly message: string

  constructor(reason: ProofError["reason"], message: string) {
    this.reason = reason
    this.message = message
  }
}

const shape = (message: string) => Result.fail(new ProofError("shape", message))

/** Whether the leaves are part of the tree of `root`, where the proof says. It costs a hash a leaf and one more a sibling. */
export const verifyRange = (sha256: Sha256, root: Uint8Array, range: ProvenRange): Result.Result<void, ProofError> => {
  const { proof, leaves } = range
  const { count, siblings, start } = proof
  const whole = Number.isInteger(count) && count >= 0 && count <= MAX_LEAVES && Number.isInteger(start) && start >= 0
  if (!whole || start + leaves.length > count) {
    return shape(`${leaves.length} leaves at ${start} of a tree of ${count}`)
  }
  if (leaves.length === 0 && count > 0) return shape("a proof of no leaves")
  const hasher = new TreeHasher(sha256)
  // A level of the run with room for a sibling on each side; the run begins at the second place.
  const level = new Uint8Array((leaves.length + 2) * HASH_BYTES)
  for (const [i, leaf] of leaves.entries()) hasher.leaf(leaf, level, (i + 1) * HASH_BYTES)
  let used = 0
  const place = (at: number): boolean => {
    const sibling = siblings[used++]
    if (sibling?.length !== HASH_BYTES) return false
    level.set(sibling, at)
    return true
  }
  let from = start
  let length = leaves.length
  for (let width = count; width > 1; width = (width + 1) >>> 1) {
    let first = HASH_BYTES
    if (from % 2 === 1) {
      if (!place(0)) return shape("a sibling is missing")
      first = 0
      from--
      length++
    }
    if ((from + length) % 2 === 1 && from + length < width) {
      if (!place(first + length * HASH_BYTES)) return shape("a sibling is missing")
      length++
    }
    const pairs = length >>> 1
    for (let i = 0; i < pairs; i++) hasher.pair(level, first + 2 * i * HASH_BYTES, level, (i + 1) * HASH_BYTES)
    // The last of an odd level goes up as it is.
    if (length % 2 === 1) {
      const last = first + (length - 1) * HASH_BYTES
      level.copyWithin((pairs + 1) * HASH_BYTES, last, last + HASH_BYTES)
    }
    from >>>= 1
    length = (length + 1) >>> 1
  }
  if (used !== siblings.length) return shape("there are more siblings than the place has")
  return equals(hasher.root(count, level.subarray(HASH_BYTES)), root)
    ? Result.void
    : Result.fail(new ProofError("root", "the proof leads to another root"))
}

/** What a range takes on the wire. */
export const rangeBytes = (range: ProvenRange): number => {
  const { leaves, proof } = range
  let size = 8 + compactSizeLength(leaves.length) + compactSizeLength(proof.siblings.length)
  for (const leaf of leaves) size += varBytesLength(leaf)
  return size + proof.siblings.length * HASH_BYTES
}

export const encodeRange = (range: ProvenRange): Uint8Array =>
  encode(rangeBytes(range), (writer) => {
    writer.u32(range.proof.count)
    writer.u32(range.proof.start)
    writer.compactSize(range.leaves.length)
    for (const leaf of range.leaves) writer.varBytes(leaf)
    writer.compactSize(range.proof.siblings.length)
    for (const sibling of range.proof.siblings) writer.raw(sibling)
  })

const readRange = (reader: Reader): ProvenRange => {
  if (reader.left > MAX_RANGE_BYTES) reader.overLimit("a proven range")
  const count = reader.u32("leaves of the tree")
  if (count > MAX_LEAVES) reader.overLimit("leaves of the tree", 0)
  const start = reader.u32("place of the range")
  const leaves: Array<Uint8Array> = []
  for (let left = reader.count(MAX_RANGE_LEAVES, 1, "leaves"); left > 0; left--) {
    leaves.push(reader.varBytes(MAX_RANGE_BYTES, "leaf"))
  }
  const siblings: Array<Uint8Array> = []
  for (let left = reader.count(MAX_SIBLINGS, HASH_BYTES, "siblings"); left > 0; left--) {
    siblings.push(reader.view(HASH_BYTES, "sibling"))
  }
  if (reader.left > 0) reader.malformed("bytes after a proven range")
  return { proof: { count, start, siblings }, leaves }
}

/** Reads a range of at most `MAX_RANGE_BYTES`; nothing is verified yet. Its leaves are views into `bytes`. */
export const decodeRange = (bytes: Uint8Array): DecodeResult<ProvenRange> =>
  decodeFrom(new Reader(bytes), { decode: readRange })
