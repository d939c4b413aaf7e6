/**
 * Which transaction of the pool spends an outpoint.
 *
 * Specification: lookups are keyed by SipHash over all 36 bytes. Rationale: as long as nobody looks whether the outputs exist, whoever sends
 * transactions chooses these bytes freely; and of one that exists the indices are neighbours.
 */
import type { Random } from "@satwire/machine"
import { HashMix, MixTable, OUTPOINT_SIZE } from "@satwire/primitives"
import { widened } from "./Column.ts"
import type { TransactionBytes } from "./TransactionBytes.ts"

const FIRST_PLACES = 64

export class SpentOutpoints {
  readonly #bytes: TransactionBytes
  readonly #mix: HashMix
  /** Mix to place. */
  readonly #table: MixTable = new MixTable()
  /** Of each place: whose input it is, and where in its transaction the outpoint lies. Of a free one: the next free place, or -1. */
  #spenders: Int32Array<ArrayBuffer> = new Int32Array(FIRST_PLACES)
  #offsets: Int32Array<ArrayBuffer> = new Int32Array(FIRST_PLACES)
  #places = 0
  #free = -1

  constructor(bytes: TransactionBytes, random: Random) {
    this.#bytes = bytes
    this.#mix = new HashMix(random, "chosen")
  }

  /** How many outpoints are spent. */
  get size(): number {
    return this.#table.size
  }

  /** Who spends the outpoint at `at` of `b`, or -1. */
  spender(b: Uint8Array, at: number): number {
    const place = this.#placeOf(this.#mixOf(b, at), b, at)
    return place < 0 ? -1 : (this.#spenders[place] as number)
  }

  /** Takes note of an input of `id`, whose outpoint lies `offset` into its transaction. */
  add(id: number, offset: number): void {
    const place = this.#take()
    this.#spenders[place] = id
    this.#offsets[place] = offset
    this.#table.add(this.#mixOf(this.#bytes.memory(id), this.#bytes.start(id) + offset), place)
  }

  /** Forgets an input that was noted. */
  delete(id: number, offset: number): void {
    const b = this.#bytes.memory(id)
    const at = this.#bytes.start(id) + offset
    const mix = this.#mixOf(b, at)
    const place = this.#placeOf(mix, b, at)
    this.#table.delete(mix, place)
    this.#spenders[place] = this.#free
    this.#free = place
  }

  #mixOf(b: Uint8Array, at: number): number {
    return this.#mix.of(b, at, at + OUTPOINT_SIZE)
  }

  #placeOf(mix: number, b: Uint8Array, at: number): number {
    for (let place = this.#table.first(mix); place >= 0; place = this.#table.next(mix)) {
      const spender = this.#spenders[place] as number
      const noted = this.#bytes.start(spender) + (this.#offsets[place] as number)
      if (isSame(this.#bytes.memory(spender), noted, b, at)) return place
    }
    return -1
  }

  #take(): number {
    const place = this.#free
    if (place >= 0) {
      this.#free = this.#spenders[place] as number
      return place
    }
    if (this.#places === this.#spenders.length) {
      this.#spenders = widened(new Int32Array(2 * this.#places), this.#spenders)
      this.#offsets = widened(new Int32Array(2 * this.#places), this.#offsets)
    }
    return this.#places++
  }
}

const isSame = (a: Uint8Array, at: number, b: Uint8Array, bAt: number): boolean => {
  for (let i = 0; i < OUTPOINT_SIZE; i++) if (a[at + i] !== b[bAt + i]) return false
  return true
}
