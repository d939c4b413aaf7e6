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
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import type { Random } from "@satwire/machine"

const FIRST_CAPACITY = 64

/** Where a member's hash comes from, and so how well it must be mixed. */
export type HashOrigin = "computed" | "chosen"

export class HashIndex {
  /** The members' hashes. Replaced when it grows: read it anew after each `add`. */
  hashes: Uint8Array = new Uint8Array(32 * FIRST_CAPACITY)
  /** Pairs of a mix and a number + 1, of which 0 marks a free slot; at most three quarters are taken. */
  #slots: Int32Array = new Int32Array(4 * FIRST_CAPACITY)
  readonly #saltA: number
  readonly #saltB: number
  readonly #key: SipKey | undefined
  #size = 0

  constructor(random: Random, origin: HashOrigin = "computed") {
    this.#saltA = random.u32() | 0
    this.#saltB = random.u32() | 0
    this.#key = origin === "chosen" ? sipKey(random.bytes(16)) : undefined
  }

  /** How many hashes it holds. */
  get size(): number {
    return this.#size
  }

  /** The number of the hash at `offset` of `bytes`, or -1 when it is not a member. */
  find(bytes: Uint8Array, offset: number = 0): number {
    const slots = this.#slots
    const mask = slots.length - 2
    const mix = this.#mix(bytes, offset)
    for (let slot = (mix << 1) & mask; ; slot = (slot + 2) & mask) {
      const number = (slots[slot + 1] as number) - 1
      if (number < 0 || (slots[slot] === mix && this.#is(number, bytes, offset))) return number
    }
  }

  /** Takes in the hash at `offset` of `bytes`, which must not be a member yet, and gives its number. */
  add(bytes: Uint8Array, offset: number = 0): number {
    const number = this.#size
    if (32 * (number + 1) > this.hashes.length) this.#widen()
    if (8 * (number + 1) > 3 * this.#slots.length) this.#spread()
    const { hashes } = this
    // A loop, because `set` of a subarray costs more than 32 bytes do (measured, `bench/hashTables.bench.ts`).
    for (let i = 0; i < 32; i++) hashes[32 * number + i] = bytes[offset + i] as number
    this.#place(this.#mix(bytes, offset), number)
    this.#size = number + 1
    return number
  }

  /** A copy of the hash with this number. */
  at(number: number): Uint8Array {
    return this.hashes.slice(32 * number, 32 * number + 32)
  }

  #is(number: number, bytes: Uint8Array, offset: number): boolean {
    const { hashes } = this
    for (let i = 0; i < 32; i++) if (hashes[32 * number + i] !== bytes[offset + i]) return false
    return true
  }

  #widen(): void {
    const hashes = new Uint8Array(2 * this.hashes.length)
    hashes.set(this.hashes)
    this.hashes = hashes
  }

  /** Doubles the slots. The mixes are at hand: no hash is looked at. */
  #spread(): void {
    const before = this.#slots
    this.#slots = new Int32Array(2 * before.length)
    for (let slot = 0; slot < before.length; slot += 2) {
      const taken = before[slot + 1] as number
      if (taken !== 0) this.#place(before[slot] as number, taken - 1)
    }
  }

  #place(mix: number, number: number): void {
    const slots = this.#slots
    const mask = slots.length - 2
    let slot = (mix << 1) & mask
    while (slots[slot + 1] !== 0) slot = (slot + 2) & mask
    slots[slot] = mix
    slots[slot + 1] = number + 1
  }

  #mix(bytes: Uint8Array, at: number): number {
    if (this.#key !== undefined) {
      sipHash24(this.#key, bytes, at, at + 32, sipHash)
      return (sipHash[0] as number) | 0
    }
    let a = Math.imul(word(bytes, at) ^ this.#saltA, 0x9e3779b1)
    a = Math.imul(a ^ (a >>> 15) ^ word(bytes, at + 4) ^ this.#saltB, 0x85ebca77)
    return a ^ (a >>> 16)
  }
}

/** Reused: what `sipHash24` writes to. */
const sipHash = new Uint32Array(2)

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)
