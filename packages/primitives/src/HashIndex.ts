/**
 * A set of 32-byte hashes that numbers its members 0, 1, 2, … in the order of arrival. The hashes lie one after another in flat
 * memory, so the number of a hash is at once its place in every other column about it.
 *
 * ```
 *   slots   … │ mix  number + 1 │ 0  0 │ mix  number + 1 │ …     probed from the low bits of the mix on
 *   hashes    │ hash of 0 │ hash of 1 │ hash of 2 │ …            looked at only where the whole mix agrees
 * ```
 *
 * Specification: no peer can make lookups slow. Rationale: a peer that knew which hashes meet in a slot could send thousands of them.
 *
 * - `computed`: hashes that we computed (headers, transactions). The mix takes their first eight bytes and a secret salt. Hashes that
 *   meet under every salt agree in nearly all of these 64 bits, and each costs its finder about 2^60 trials.
 * - `chosen`: names that a peer may choose freely (announced ids). The mix is SipHash-2-4 under a secret key.
 *
 * ADR 0003 has the figures beside other tables.
 */
import { WordColumn, bytesOfWords, wireWord } from "@satwire/bytes"
import type { Random } from "@satwire/machine"
import { HashMix, type HashOrigin } from "./HashMix.ts"
import { place } from "./MixTable.ts"

const FIRST_SLOTS = 128
/** Words of a hash. */
const HASH_WORDS = 8
/** How many words of the slots before are looked at for each hash that is added. */
const MOVED_WORDS = 4
const EMPTY = new Int32Array(0)

export class HashIndex {
  readonly #hashes: WordColumn = new WordColumn(HASH_WORDS)
  /** Pairs of a mix and a number + 1, of which 0 marks a free slot; at most three quarters are taken. */
  #slots: Int32Array = new Int32Array(2 * FIRST_SLOTS)
  /** Those before they were doubled, until all that is taken there stands in the new ones too; and how many words were looked at. */
  #before: Int32Array = EMPTY
  #moved = 0
  readonly #mix: HashMix
  #size = 0

  constructor(random: Random, origin: HashOrigin = "computed") {
    this.#mix = new HashMix(random, origin)
  }

  /** How many hashes it holds. */
  get size(): number {
    return this.#size
  }

  /** The memory that it has taken, in bytes. */
  get bytes(): number {
    return this.#hashes.bytes + this.#slots.byteLength + this.#before.byteLength
  }

  /** The number of the hash at `offset` of `bytes`, or -1 when it is not a member. */
  find(bytes: Uint8Array, offset: number = 0): number {
    const mix = this.#mix.of(bytes, offset, offset + 32)
    const number = this.#findIn(this.#slots, mix, bytes, offset)
    return number < 0 && this.#before.length > 0 ? this.#findIn(this.#before, mix, bytes, offset) : number
  }

  #findIn(slots: Int32Array, mix: number, bytes: Uint8Array, offset: number): number {
    const mask = slots.length - 2
    for (let slot = (mix << 1) & mask; ; slot = (slot + 2) & mask) {
      const number = (slots[slot + 1] as number) - 1
      if (number < 0 || (slots[slot] === mix && this.#is(number, bytes, offset))) return number
    }
  }

  /** Takes in the hash at `offset` of `bytes`, which must not be a member yet, and gives its number. */
  add(bytes: Uint8Array, offset: number = 0): number {
    for (let i = 0; i < 32; i++) addedBytes[i] = bytes[offset + i] as number
    this.addMany(added, 0, 1)
    return this.#size - 1
  }

  /**
   * Takes in `count` hashes, eight words each in the order of their bytes, one after another from `at` on, of which none may be a member
   * yet.
   */
  addMany(words: Int32Array, at: number, count: number): void {
    const size = this.#size + count
    this.#hashes.reserve(size)
    while (8 * size > 3 * this.#slots.length) this.#double()
    this.#move(MOVED_WORDS * count)
    for (let done = 0; done < count; done += TOGETHER) {
      this.#addSome(words, at + HASH_WORDS * done, Math.min(TOGETHER, count - done))
    }
  }

  /**
   * Each goes to another place of a large table. So all places are looked at first, without asking what is there: the processor waits for
   * many of them at once and not for one after another.
   */
  #addSome(words: Int32Array, at: number, count: number): void {
    const hashes = this.#hashes
    const slots = this.#slots
    const mask = slots.length - 2
    let seen = 0
    for (let i = 0; i < count; i++) {
      const mix = this.#mixWords(words, at + HASH_WORDS * i)
      mixes[i] = mix
      seen ^= slots[(mix << 1) & mask] as number
    }
    mixes[TOGETHER] = seen
    for (let i = 0; i < count; i++) {
      const number = this.#size++
      const chunk = hashes.chunk(number)
      const row = hashes.at(number)
      const from = at + HASH_WORDS * i
      for (let word = 0; word < HASH_WORDS; word++) chunk[row + word] = words[from + word] as number
      place(slots, mixes[i] as number, number)
    }
  }

  /** A copy of the hash with this number. */
  at(number: number): Uint8Array {
    return bytesOfWords(this.#hashes.chunk(number), this.#hashes.at(number), HASH_WORDS)
  }

  /** Copies the hash with this number to eight words from `at` on, as its bytes lie. */
  copyTo(number: number, into: Int32Array, at: number): void {
    const chunk = this.#hashes.chunk(number)
    const row = this.#hashes.at(number)
    for (let i = 0; i < HASH_WORDS; i++) into[at + i] = chunk[row + i] as number
  }

  #is(number: number, bytes: Uint8Array, offset: number): boolean {
    const chunk = this.#hashes.chunk(number)
    const row = this.#hashes.at(number)
    for (let i = 0; i < HASH_WORDS; i++) {
      if (wireWord(chunk[row + i] as number) !== word(bytes, offset + 4 * i)) return false
    }
    return true
  }

  /**
   * Doubles the slots. What is taken moves as more is added, some with each: a table of half a million would else hold up everybody (measured:
   * 16 ms). There is time: the new ones are full only after as many were added as there are, and each moves two slots.
   */
  #double(): void {
    this.#move(Infinity)
    this.#before = this.#slots
    this.#slots = new Int32Array(2 * this.#before.length)
  }

  /** Moves what is taken of so many words. The mixes are at hand: no hash is looked at. */
  #move(words: number): void {
    const before = this.#before
    const slots = this.#slots
    const end = Math.min(before.length, this.#moved + words)
    for (let slot = this.#moved; slot < end; slot += 2) {
      const taken = before[slot + 1] as number
      if (taken !== 0) place(slots, before[slot] as number, taken - 1)
    }
    this.#moved = end
    if (end < before.length) return
    this.#before = EMPTY
    this.#moved = 0
  }

  #mixWords(words: Int32Array, at: number): number {
    const mix = this.#mix
    if (mix.isKeyed) return mix.of(bytesOfWords(words, at, HASH_WORDS), 0, 32)
    return mix.ofWords(wireWord(words[at] as number), wireWord(words[at + 1] as number))
  }
}

/** How many places of the table are waited for at once. */
const TOGETHER = 256
/** Reused: the mixes of so many, and a word that stands for having looked. */
const mixes = new Int32Array(TOGETHER + 1)

/** Reused: a hash that is taken in. */
const added = new Int32Array(HASH_WORDS)
const addedBytes = new Uint8Array(added.buffer)

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)
