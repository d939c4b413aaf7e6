/**
 * Small numbers, found by a mix of 32 bits (`HashMix`) of what they stand for. Who holds what they stand for compares: two things may share
 * a mix, by chance. Unlike a `HashIndex` it forgets, and keeps no hashes.
 *
 * ```
 *   slots   … │ mix  number + 1 │ 0  0 │ mix  number + 1 │ …     probed from the low bits of the mix on
 * ```
 */
const FIRST_SLOTS = 64

export class MixTable {
  /** Pairs of a mix and a number + 1, of which 0 marks a free slot; at most three quarters are taken. */
  #slots: Int32Array = new Int32Array(2 * FIRST_SLOTS)
  #size = 0
  /** Where the walk over the numbers of a mix stands. */
  #at = 0

  /** How many numbers it holds. */
  get size(): number {
    return this.#size
  }

  /** The memory that it has taken, in bytes. */
  get bytes(): number {
    return this.#slots.byteLength
  }

  /**
   * The first number under this mix, or -1. The others follow by {@link next}, until the table is changed or asked for another mix:
   *
   * `for (let n = table.first(mix); n >= 0; n = table.next(mix)) if (isSame(n)) return n`
   */
  first(mix: number): number {
    this.#at = (mix << 1) & (this.#slots.length - 2)
    return this.#seek(mix)
  }

  next(mix: number): number {
    this.#at = (this.#at + 2) & (this.#slots.length - 2)
    return this.#seek(mix)
  }

  /** Takes in a number from 0 on. */
  add(mix: number, number: number): void {
    if (8 * (this.#size + 1) > 3 * this.#slots.length) this.#resize(2 * this.#slots.length)
    this.#size += 1
    place(this.#slots, mix, number)
  }

  /** Takes out a number; false where it does not stand under this mix. */
  delete(mix: number, number: number): boolean {
    for (let found = this.first(mix); found !== number; found = this.next(mix)) if (found < 0) return false
    this.#size -= 1
    this.#close(this.#at)
    if (this.#slots.length > 2 * FIRST_SLOTS && 16 * this.#size < this.#slots.length) {
      this.#resize(this.#slots.length / 2)
    }
    return true
  }

  #seek(mix: number): number {
    const slots = this.#slots
    const mask = slots.length - 2
    for (let slot = this.#at; ; slot = (slot + 2) & mask) {
      const number = (slots[slot + 1] as number) - 1
      if (number >= 0 && slots[slot] !== mix) continue
      this.#at = slot
      return number
    }
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
    slots[free] = 0
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
}

/** Puts a number into the first free slot for its mix. */
export const place = (slots: Int32Array, mix: number, number: number): void => {
  const mask = slots.length - 2
  let slot = (mix << 1) & mask
  while (slots[slot + 1] !== 0) slot = (slot + 2) & mask
  slots[slot] = mix
  slots[slot + 1] = number + 1
}
