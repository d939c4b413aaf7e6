/**
 * Remembers the last elements that it was given, at a few bits each: which transactions a peer knows, which were rejected, which addresses
 * are discouraged. It never forgets the last `elements`, and has forgotten nearly all but the last one and a half times as many.
 *
 * ```
 *  generation 3 │ generation 1 │ generation 2 ◂ filling     each holds half of `elements`;
 *   oldest, wiped when 2 is full                            a bit is marked by the generation that set it last
 * ```
 *
 * Specification: every element is hashed under a tweak of its own filter, from the seeded generator. Rationale: a peer that knew it could
 * make elements which the filter takes for known.
 *
 * It takes no memory before its first element: a node has several for each peer, and most of them say little.
 *
 * Source: Bitcoin Core 28.1 `common/bloom.cpp`, `CRollingBloomFilter`.
 */
import type { Random } from "@satwire/machine"
import { murmur3 } from "./Murmur3.ts"

const SEED_STEP = 0xfba4c795
const MAX_HASH_FUNCTIONS = 50
const TWO_32 = 0x1_0000_0000
const NOTHING = new Uint32Array(0)

export class RollingBloomFilter {
  /** How many of the last elements it surely has. */
  readonly elements: number
  readonly #random: Random
  readonly #hashFunctions: number
  readonly #entriesPerGeneration: number
  /** Words of 64 positions. */
  readonly #words: number
  /**
   * For each position two bits, which generation set it: 0 for none. Four words of 32 bits for 64 positions, the low bits of the first and
   * second half, then the high bits.
   */
  #marks: Uint32Array = NOTHING
  #tweak = 0
  #generation = 1
  #entriesThisGeneration = 0

  /** @param falsePositiveRate how often it may say "yes" for nothing, in 0 .. 1 */
  constructor(elements: number, falsePositiveRate: number, random: Random) {
    const log = Math.log(falsePositiveRate)
    this.elements = elements
    this.#random = random
    this.#hashFunctions = Math.max(1, Math.min(Math.round(log / Math.log(0.5)), MAX_HASH_FUNCTIONS))
    this.#entriesPerGeneration = Math.floor((elements + 1) / 2)
    const most = 3 * this.#entriesPerGeneration
    const bits = Math.ceil((-this.#hashFunctions * most) / Math.log(1 - Math.exp(log / this.#hashFunctions)))
    this.#words = Math.ceil(bits / 64)
  }

  /** Bytes of memory that it takes now. */
  get sizeBytes(): number {
    return this.#marks.byteLength
  }

  insert(element: Uint8Array): void {
    if (this.#marks.length === 0) this.#begin()
    if (this.#entriesThisGeneration === this.#entriesPerGeneration) this.#nextGeneration()
    this.#entriesThisGeneration += 1
    const marks = this.#marks
    const low = this.#generation & 1
    const high = this.#generation >>> 1
    for (let n = 0; n < this.#hashFunctions; n++) {
      const hash = murmur3((Math.imul(n, SEED_STEP) + this.#tweak) | 0, element)
      const at = this.#wordOf(hash)
      const mask = 1 << (hash & 31)
      marks[at] = ((marks[at] as number) & ~mask) | (-low & mask)
      marks[at + 2] = ((marks[at + 2] as number) & ~mask) | (-high & mask)
    }
  }

  /** Whether the element may be one of the last. */
  contains(element: Uint8Array): boolean {
    const marks = this.#marks
    if (marks.length === 0) return false
    for (let n = 0; n < this.#hashFunctions; n++) {
      const hash = murmur3((Math.imul(n, SEED_STEP) + this.#tweak) | 0, element)
      const at = this.#wordOf(hash)
      if ((((marks[at] as number) | (marks[at + 2] as number)) & (1 << (hash & 31))) === 0) return false
    }
    return true
  }

  /** Forgets everything, and gives its memory back. */
  reset(): void {
    this.#marks = NOTHING
    this.#generation = 1
    this.#entriesThisGeneration = 0
  }

  #begin(): void {
    this.#marks = new Uint32Array(4 * this.#words)
    this.#tweak = this.#random.u32()
  }

  /** The word of a hash's position: its upper bits choose among the words, its lowest among the bits of one. */
  #wordOf(hash: number): number {
    // Below 2^53 for any filter that fits into memory: exact.
    const word = Math.floor((hash * this.#words) / TWO_32)
    return 4 * word + ((hash >>> 5) & 1)
  }

  /** Wipes the oldest generation, which is marked as the one that begins. */
  #nextGeneration(): void {
    this.#entriesThisGeneration = 0
    this.#generation = this.#generation === 3 ? 1 : this.#generation + 1
    const low = -(this.#generation & 1)
    const high = -(this.#generation >>> 1)
    const marks = this.#marks
    for (let at = 0; at < marks.length; at += 4) {
      for (let half = at; half < at + 2; half++) {
        const kept = ((marks[half] as number) ^ low) | ((marks[half + 2] as number) ^ high)
        marks[half] = (marks[half] as number) & kept
        marks[half + 2] = (marks[half + 2] as number) & kept
      }
    }
  }
}
