/**
 * Keys and their values under one root: each entry is a leaf, in ascending order of the keys, so that a run of neighbours proves both what is
 * between them and what is not. A leaf is the key with its length before it, then the value.
 *
 * Absence is proven by the two entries between which the key would be. That holds as far as whoever made the root kept the order, which is
 * what is asked of everybody who makes one here; a root that comes from elsewhere is as good as its maker.
 */
import { type Reader, decode, encode, equals, varBytesLength } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import * as Result from "effect/Result"
import { MerkleTree } from "./MerkleTree.ts"
import { MAX_RANGE_BYTES, MAX_RANGE_LEAVES, ProofError, type ProvenRange, verifyRange } from "./RangeProof.ts"

/**
 * Bytes of a key.
 *
 * @limit bytes of a key of state
 */
export const MAX_KEY_BYTES = 1024

/**
 * Bytes of a value, so that three entries and their proof fit in what is sent at once.
 *
 * @limit bytes of a value of state
 */
export const MAX_VALUE_BYTES = 1_000_000

export interface StateEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Why there is no tree of some entries: one of ours is too long, or there are two of one key. */
export class StateError {
  readonly _tag = "StateError" as const
  readonly reason: "key too long" | "value too long" | "key twice"
  readonly key: Uint8Array

  constructor(reason: StateError["reason"], key: Uint8Array) {
    this.reason = reason
    this.key = key
  }
}

/** Which of two keys comes first: byte by byte, a beginning before what goes on. */
export const compareKeys = (a: Uint8Array, b: Uint8Array): number => {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export const encodeEntry = (entry: StateEntry): Uint8Array =>
  encode(varBytesLength(entry.key) + entry.value.length, (writer) => {
    writer.varBytes(entry.key)
    writer.raw(entry.value)
  })

const readEntry = (reader: Reader): StateEntry => {
  const key = reader.varBytes(MAX_KEY_BYTES, "key of state")
  if (reader.left > MAX_VALUE_BYTES) reader.overLimit("value of state")
  return { key, value: reader.view(reader.left, "value of state") }
}

/** The entries of a range, in ascending order of their keys or not at all. They are views of its leaves. */
export const entriesOf = (range: ProvenRange): Result.Result<ReadonlyArray<StateEntry>, ProofError> => {
  const entries: Array<StateEntry> = []
  for (const leaf of range.leaves) {
    const read = decode(leaf, readEntry)
    if (Result.isFailure(read)) return Result.fail(new ProofError("order", `no entry: ${read.failure.toString()}`))
    const before = entries.at(-1)
    if (before !== undefined && compareKeys(before.key, read.success.value.key) >= 0) {
      return Result.fail(new ProofError("order", "the keys do not ascend"))
    }
    entries.push(read.success.value)
  }
  return Result.succeed(entries)
}

/** State of which every part can be proven. It keeps the entries. */
export class StateTree {
  readonly #entries: ReadonlyArray<StateEntry>
  readonly #tree: MerkleTree

  private constructor(sha256: Sha256, entries: ReadonlyArray<StateEntry>) {
    this.#entries = entries
    this.#tree = new MerkleTree(sha256, leavesOf(entries))
  }

  /** @param entries in any order, each key once; they are kept, and must not change */
  static make(sha256: Sha256, entries: Iterable<StateEntry>): Result.Result<StateTree, StateError> {
    const sorted = [...entries].sort((a, b) => compareKeys(a.key, b.key))
    for (const [i, { key, value }] of sorted.entries()) {
      if (key.length > MAX_KEY_BYTES) return Result.fail(new StateError("key too long", key))
      if (value.length > MAX_VALUE_BYTES) return Result.fail(new StateError("value too long", key))
      const before = sorted[i - 1]
      if (before !== undefined && equals(before.key, key)) return Result.fail(new StateError("key twice", key))
    }
    return Result.succeed(new StateTree(sha256, sorted))
  }

  get root(): Uint8Array {
    return this.#tree.root
  }

  get count(): number {
    return this.#entries.length
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const entry = this.#entries[this.#placeOf(key)]
    return entry !== undefined && equals(entry.key, key) ? entry.value : undefined
  }

  /** What proves the value of `key`, or that there is none. */
  proveKey(key: Uint8Array): ProvenRange {
    const at = this.#placeOf(key)
    const entry = this.#entries[at]
    if (entry !== undefined && equals(entry.key, key)) return this.#range(at, at + 1)
    return this.#range(Math.max(0, at - 1), Math.min(this.count, at + 1))
  }

  /**
   * The entries from `start` on, as many as fit into `maxBytes` with what proves them, at least one and at most `maxEntries`. The end of the
   * state is where `start + leaves` is the count. A start behind the end is a `RangeError`.
   */
  chunk(start: number, maxBytes: number = MAX_RANGE_BYTES, maxEntries: number = MAX_RANGE_LEAVES): ProvenRange {
    // The proof of a range grows with its length by one sibling a level at most.
    let left = Math.min(maxBytes, MAX_RANGE_BYTES) - PROOF_BYTES
    let end = start
    while (end < this.count && end - start < Math.min(maxEntries, MAX_RANGE_LEAVES)) {
      const { key, value } = this.#entries[end] as StateEntry
      left -= LENGTH_BYTES + varBytesLength(key) + value.length
      if (left < 0 && end > start) break
      end++
    }
    return this.#range(start, end)
  }

  #range(start: number, end: number): ProvenRange {
    return { proof: this.#tree.prove(start, end), leaves: this.#entries.slice(start, end).map(encodeEntry) }
  }

  /** The place of the first entry that is not before `key`. */
  #placeOf(key: Uint8Array): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys((this.#entries[middle] as StateEntry).key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The most that a proof takes beside its leaves: two numbers, two counts, the siblings. */
const PROOF_BYTES = 8 + 2 * 5 + 60 * 32
/** The length before a leaf. */
const LENGTH_BYTES = 5

function* leavesOf(entries: ReadonlyArray<StateEntry>): Iterable<Uint8Array> {
  for (const entry of entries) yield encodeEntry(entry)
}

/** The value of `key` in the state of `root`, or `undefined` where it is proven that there is none. Any range will do that settles it. */
export const verifyKey = (
  sha256: Sha256,
  root: Uint8Array,
  key: Uint8Array,
  range: ProvenRange
): Result.Result<Uint8Array | undefined, ProofError> => {
  const verified = verifyRange(sha256, root, range)
  if (Result.isFailure(verified)) return Result.fail(verified.failure)
  const read = entriesOf(range)
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const entries = read.success
  const at = entries.findIndex((entry) => compareKeys(entry.key, key) >= 0)
  const found = entries[at]
  if (found !== undefined && equals(found.key, key)) return Result.succeed(found.value)
  const { count, start } = range.proof
  const before = at > 0 || (at === -1 && entries.length > 0) || start === 0
  const behind = at !== -1 || start + entries.length === count
  return before && behind
    ? Result.succeed(undefined)
    : Result.fail(new ProofError("gap", "the proof leaves open whether there is this key"))
}
