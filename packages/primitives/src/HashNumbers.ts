/**
 * Names that peers choose (hashes, outpoints), each with a number for as long as it is a member. Numbers are small and used again, so that they
 * are places in columns. `HashIndex` is the one for hashes that never go; `MixTable`, on which this stands, keeps no names.
 *
 * ```
 *   names     │ name of 0 │ (free) │ name of 2 │ …                looked at only where the whole mix agrees
 * ```
 *
 * Specification: the mix is SipHash-2-4 under a secret key. Rationale: a peer that knew which names meet in a slot could send thousands of them.
 *
 * It takes no memory while it is empty.
 */
import type { Random } from "@satwire/machine"
import { HashMix } from "./HashMix.ts"
import { MixTable } from "./MixTable.ts"

const NO_NAMES = new Uint8Array(0)

export class HashNumbers {
  readonly #mix: HashMix
  /** Bytes of a name. */
  readonly #width: number
  /** Only while there are members. */
  #table: MixTable | undefined = undefined
  #names: Uint8Array = NO_NAMES
  /** Numbers below `#end` that are free. */
  #free: Array<number> = []
  #end = 0

  /** @param width bytes of a name: 32 for a hash, 36 for an outpoint */
  constructor(random: Random, width: number = 32) {
    this.#mix = new HashMix(random, "chosen")
    this.#width = width
  }

  get size(): number {
    return this.#table?.size ?? 0
  }

  /** The number of the name at `offset` of `bytes`, or -1 when it is not a member. */
  find(bytes: Uint8Array, offset: number = 0): number {
    const table = this.#table
    if (table === undefined) return -1
    const mix = this.#mixOf(bytes, offset)
    let number = table.first(mix)
    while (number >= 0 && !this.#is(number, bytes, offset)) number = table.next(mix)
    return number
  }

  /** Takes in the name at `offset` of `bytes`, which must not be a member yet, and gives its number. */
  add(bytes: Uint8Array, offset: number = 0): number {
    const number = this.#free.pop() ?? this.#end++
    const width = this.#width
    const at = number * width
    if (at + width > this.#names.length) {
      const wider = new Uint8Array(Math.max(16 * width, 2 * this.#names.length))
      wider.set(this.#names)
      this.#names = wider
    }
    for (let i = 0; i < width; i++) this.#names[at + i] = bytes[offset + i] as number
    this.#table ??= new MixTable()
    this.#table.add(this.#mixOf(bytes, offset), number)
    return number
  }

  /** Lets go of a member by its number, which is then free for another. */
  remove(number: number): void {
    this.#table?.delete(this.#mixOf(this.#names, number * this.#width), number)
    this.#free.push(number)
    if (this.size > 0) return
    this.#table = undefined
    this.#names = NO_NAMES
    this.#free = []
    this.#end = 0
  }

  /** The name of a member as a view, good until the next change: who keeps it copies it. */
  at(number: number): Uint8Array {
    return this.#names.subarray(number * this.#width, (number + 1) * this.#width)
  }

  #is(number: number, bytes: Uint8Array, offset: number): boolean {
    const names = this.#names
    const at = number * this.#width
    for (let i = 0; i < this.#width; i++) if (names[at + i] !== bytes[offset + i]) return false
    return true
  }

  #mixOf(bytes: Uint8Array, offset: number): number {
    return this.#mix.of(bytes, offset, offset + this.#width)
  }
}
