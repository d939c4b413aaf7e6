/**
 * Names that peers choose (hashes, outpoints), each with a number for as long as it is a member. Numbers are small and used again, so that they
 * are places in columns. `HashIndex` is the one for hashes that never go.
 *
 * ```
 *   slots   … │ mix  number + 1 │ 0  0 │ mix  number + 1 │ …     probed from the low bits of the mix on
 *   names     │ name of 0 │ (free) │ name of 2 │ …                looked at only where the whole mix agrees
 * ```
 *
 * Specification: the mix is SipHash-2-4 under a secret key. Rationale: a peer that knew which names meet in a slot could send thousands of them.
 *
 * It takes no memory while it is empty.
 */
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import type { Random } from "@satwire/machine"

const FIRST_SLOTS = 32
const NO_SLOTS = new Int32Array(2)
const NO_NAMES = new Uint8Array(0)

export class HashNumbers {
  readonly #key: SipKey
  /** Bytes of a name. */
  readonly #width: number
  /** Pairs of a mix and a number + 1, of which 0 marks a free slot; at most three quarters are taken. */
  #slots: Int32Array = NO_SLOTS
  #names: Uint8Array = NO_NAMES
  /** Numbers below `#end` that are free. */
  #free: Array<number> = []
  #end = 0
  #size = 0

  /** @param width bytes of a name: 32 for a hash, 36 for an outpoint */
  constructor(random: Random, width: number = 32) {
    this.#key = sipKey(random.bytes(16))
    this.#width = width
  }

  get size(): number {
    return this.#size
  }

  /** The number of the name at `offset` of `bytes`, or -1 when it is not a member. */
  find(bytes: Uint8Array, offset: number = 0): number {
    if (this.#size === 0) return -1
    const slots = this.#slots
    const mask = slots.length - 2
    const mix = this.#mix(bytes, offset)
    for (let slot = (mix << 1) & mask; ; slot = (slot + 2) & mask) {
      const number = (slots[slot + 1] as number) - 1
      if (number < 0 || (slots[slot] === mix && this.#is(number, bytes, offset))) return number
    }
  }

  /** Takes in the name at `offset` of `bytes`, which must not be a member yet, and gives its number. */
  add(bytes: Uint8Array, offset: number = 0): number {
    if (this.#size === 0) this.#slots = new Int32Array(2 * FIRST_SLOTS)
    else if (8 * (this.#size + 1) > 3 * this.#slots.length) this.#resize(2 * this.#slots.length)
    const number = this.#free.pop() ?? this.#end++
    const width = this.#width
    const at = number * width
    if (at + width > this.#names.length) {
      const wider = new Uint8Array(Math.max(16 * width, 2 * this.#names.length))
      wider.set(this.#names)
      this.#names = wider
    }
    for (let i = 0; i < width; i++) this.#names[at + i] = bytes[offset + i] as number
    place(this.#slots, this.#mix(bytes, offset), number)
    this.#size += 1
    return number
  }

  /** Lets go of a member by its number, which is then free for another. */
  remove(number: number): void {
    this.#size -= 1
    if (this.#size === 0) {
      this.#slots = NO_SLOTS
      this.#names = NO_NAMES
      this.#free = []
      this.#end = 0
      return
    }
    this.#close(this.#slotOf(number))
    this.#free.push(number)
    if (this.#slots.length > 2 * FIRST_SLOTS && 16 * this.#size < this.#slots.length)
      this.#resize(this.#slots.length / 2)
  }

  /** The name of a member as a view, good until the next change: who keeps it copies it. */
  at(number: number): Uint8Array {
    return this.#names.subarray(number * this.#width, (number + 1) * this.#width)
  }

  #slotOf(number: number): number {
    const slots = this.#slots
    const mask = slots.length - 2
    let slot = (this.#mix(this.#names, number * this.#width) << 1) & mask
    while (slots[slot + 1] !== number + 1) slot = (slot + 2) & mask
    return slot
  }

  /** Frees a slot, and moves up what would not be found behind it. */
  #close(slot: number): void {
    const slots = this.#slots
    const mask = slots.length - 2
    let free = slot
    for (let at = (slot + 2) & mask; slots[at + 1] !== 0; at = (at + 2) & mask) {
      const home = ((slots[at] as number) << 1) & mask
      // Whether the free slot lies between its home and where it is.
      if (((at - home) & mask) < ((at - free) & mask)) continue
      slots[free] = slots[at] as number
      slots[free + 1] = slots[at + 1] as number
      free = at
    }
    slots[free + 1] = 0
  }

  #resize(length: number): void {
    const before = this.#slots
    this.#slots = new Int32Array(length)
    for (let slot = 0; slot < before.length; slot += 2) {
      const taken = before[slot + 1] as number
      if (taken !== 0) place(this.#slots, before[slot] as number, taken - 1)
    }
  }

  #is(number: number, bytes: Uint8Array, offset: number): boolean {
    const names = this.#names
    const at = number * this.#width
    for (let i = 0; i < this.#width; i++) if (names[at + i] !== bytes[offset + i]) return false
    return true
  }

  #mix(bytes: Uint8Array, offset: number): number {
    sipHash24(this.#key, bytes, offset, offset + this.#width, halves)
    return (halves[0] as number) | 0
  }
}

const place = (slots: Int32Array, mix: number, number: number): void => {
  const mask = slots.length - 2
  let slot = (mix << 1) & mask
  while (slots[slot + 1] !== 0) slot = (slot + 2) & mask
  slots[slot] = mix
  slots[slot + 1] = number + 1
}

/** Reused: what `sipHash24` writes to. */
const halves = new Uint32Array(2)
