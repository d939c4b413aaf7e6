/**
 * A set of 32-byte hashes that numbers its members 0, 1, 2, … in the order of arrival. The hashes lie one after another in flat
 * memory, so the number of a hash is at once its place in every other column about it.
 *
 * For hashes that were **computed here** (headers, transactions). Probing mixes two words of the hash with a secret salt, so that
 * hashes which meet in a slot cannot be found without it. What a peer merely *names* needs a stronger mixer; see ADR 0003.
 */
import type { Random } from "@satwire/machine"

const FIRST_CAPACITY = 64

export class HashIndex {
  /** The members' hashes. Replaced when it grows: read it anew after each `add`. */
  hashes: Uint8Array = new Uint8Array(32 * FIRST_CAPACITY)
  #slots: Int32Array = new Int32Array(2 * FIRST_CAPACITY)
  readonly #saltA: number
  readonly #saltB: number
  #size = 0

  constructor(random: Random) {
    this.#saltA = random.u32() | 0
    this.#saltB = random.u32() | 0
  }

  /** How many hashes it holds. */
  get size(): number {
    return this.#size
  }

  /** The number of the hash at `offset` of `bytes`, or -1 when it is not a member. */
  find(bytes: Uint8Array, offset: number = 0): number {
    const mask = this.#slots.length - 1
    for (let slot = this.#mix(bytes, offset) & mask; ; slot = (slot + 1) & mask) {
      const member = (this.#slots[slot] as number) - 1
      if (member < 0 || same(this.hashes, 32 * member, bytes, offset)) return member
    }
  }

  /** Takes in the hash at `offset` of `bytes`, which must not be a member yet, and gives its number. */
  add(bytes: Uint8Array, offset: number = 0): number {
    const number = this.#size
    if (32 * (number + 1) > this.hashes.length) this.#grow()
    this.hashes.set(bytes.subarray(offset, offset + 32), 32 * number)
    this.#size = number + 1
    this.#place(number)
    return number
  }

  /** A copy of the hash with this number. */
  at(number: number): Uint8Array {
    return this.hashes.slice(32 * number, 32 * number + 32)
  }

  #grow(): void {
    const hashes = new Uint8Array(2 * this.hashes.length)
    hashes.set(this.hashes)
    this.hashes = hashes
    this.#slots = new Int32Array(2 * this.#slots.length)
    for (let number = 0; number < this.#size; number++) this.#place(number)
  }

  #place(number: number): void {
    const mask = this.#slots.length - 1
    let slot = this.#mix(this.hashes, 32 * number) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = number + 1
  }

  #mix(bytes: Uint8Array, at: number): number {
    let a = Math.imul(word(bytes, at) ^ this.#saltA, 0x9e3779b1)
    a = Math.imul(a ^ (a >>> 15) ^ word(bytes, at + 4) ^ this.#saltB, 0x85ebca77)
    return a ^ (a >>> 16)
  }
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)

const same = (a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): boolean => {
  for (let i = 0; i < 32; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}
