/**
 * Whether a transaction spends one output twice (CVE-2018-17144).
 *
 * Specification: what a transaction of n inputs costs is of the order n log n, whatever outpoints it names. Rationale: nobody has looked
 * yet whether they exist, so who makes a block chooses all of their 36 bytes.
 *
 * ```
 *   up to 32    each beside each, by one word mixed of each outpoint
 *   more        the words sorted as numbers; outpoints that share a word, which is chance or malice, sorted by all their bytes
 * ```
 */
import { OUTPOINT_SIZE } from "@satwire/primitives"

/** Up to so many are compared each with each. Sorting wins from some sixty on (measured), but pairs of words that all agree cost more. */
const PAIRWISE = 32
/** A word and a number below this are one exact number. No block has room for as many inputs. */
const NUMBERS = 0x10_0000

export class Outpoints {
  #words: Int32Array = new Int32Array(PAIRWISE)
  #places: Uint32Array = new Uint32Array(PAIRWISE)
  #count = 0

  /** Begins anew, for `count` outpoints at most. */
  begin(count: number): void {
    this.#count = 0
    if (count <= this.#words.length) return
    this.#words = new Int32Array(2 * count)
    this.#places = new Uint32Array(2 * count)
  }

  /** Takes in the outpoint at `at`. */
  add(b: Uint8Array, at: number): void {
    const count = this.#count++
    this.#words[count] = wordAt(b, at) ^ Math.imul(wordAt(b, at + 32), 0x9e3779b1)
    this.#places[count] = at
  }

  /** Whether two of them are one. */
  hasTwins(b: Uint8Array): boolean {
    return this.#count <= PAIRWISE ? this.#hasTwinsPairwise(b) : this.#hasTwinsSorted(b)
  }

  #hasTwinsPairwise(b: Uint8Array): boolean {
    const words = this.#words
    const places = this.#places
    for (let i = 1; i < this.#count; i++) {
      const word = words[i] as number
      for (let k = 0; k < i; k++) {
        if (words[k] === word && compare(b, places[k] as number, places[i] as number) === 0) return true
      }
    }
    return false
  }

  #hasTwinsSorted(b: Uint8Array): boolean {
    const count = this.#count
    const sorted = new Float64Array(count)
    for (let i = 0; i < count; i++) sorted[i] = (this.#words[i] as number) * NUMBERS + i
    sorted.sort()
    for (let from = 0, to = 1; from < count; from = to++) {
      const word = Math.floor((sorted[from] as number) / NUMBERS)
      while (to < count && Math.floor((sorted[to] as number) / NUMBERS) === word) to++
      if (to - from > 1 && this.#hasTwinsAmong(b, sorted.subarray(from, to), word)) return true
    }
    return false
  }

  /** Whether two are one among those that share `word`. */
  #hasTwinsAmong(b: Uint8Array, sharers: Float64Array, word: number): boolean {
    const places = Uint32Array.from(sharers, (number) => this.#places[number - word * NUMBERS] as number)
    places.sort((x, y) => compare(b, x, y))
    for (let i = 1; i < places.length; i++) {
      if (compare(b, places[i - 1] as number, places[i] as number) === 0) return true
    }
    return false
  }
}

const wordAt = (b: Uint8Array, at: number): number =>
  (b[at] as number) | ((b[at + 1] as number) << 8) | ((b[at + 2] as number) << 16) | ((b[at + 3] as number) << 24)

const compare = (b: Uint8Array, x: number, y: number): number => {
  for (let i = OUTPOINT_SIZE - 1; i >= 0; i--) {
    const difference = (b[x + i] as number) - (b[y + i] as number)
    if (difference !== 0) return difference
  }
  return 0
}
