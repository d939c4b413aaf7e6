/**
 * Where every kept block lies, in flat memory: about 83 bytes for a block (measured), and no object. Blocks are found by hash and by height.
 *
 * ```
 *   hashes   hash → row                       (HashIndex)
 *   rows     file, offset, length, height, check of the block, next row of the same height
 *   heights  height → first row of that height
 * ```
 *
 * A block that is forgotten or pruned leaves its row behind, which it takes again when it comes back.
 */
import { WordColumn } from "@satwire/bytes"
import type { Random } from "@satwire/machine"
import { BlockHash, HashIndex } from "@satwire/primitives"

/** Where a block lies. */
export interface Place {
  readonly file: number
  /** Where its record begins. */
  readonly offset: number
  readonly length: number
  readonly height: number
}

const FILE = 0
const OFFSET = 1
const LENGTH = 2
const HEIGHT = 3
const CHECK = 4
const NEXT = 6
const WIDTH = 7
/** In place of a file's number. */
const NOWHERE = -1

/** Heights share pages of so many. */
const PAGE_BITS = 10

export class BlockIndex {
  readonly #hashes: HashIndex
  readonly #rows: WordColumn = new WordColumn(WIDTH)
  /** The first row of each height + 1, by pages. */
  readonly #heights: Map<number, Int32Array> = new Map()
  #count = 0

  constructor(random: Random) {
    this.#hashes = new HashIndex(random)
  }

  /** How many blocks are kept. */
  get count(): number {
    return this.#count
  }

  /** The memory that it has taken, in bytes. */
  get bytes(): number {
    return this.#hashes.bytes + this.#rows.bytes + this.#heights.size * (4 << PAGE_BITS)
  }

  /** The row of a kept block, or -1. */
  find(hash: Uint8Array): number {
    const row = this.#hashes.find(hash)
    return row >= 0 && this.#rows.get(row, FILE) !== NOWHERE ? row : -1
  }

  placeOf(row: number): Place {
    const chunk = this.#rows.chunk(row)
    const at = this.#rows.at(row)
    return {
      file: chunk[at + FILE] as number,
      offset: (chunk[at + OFFSET] as number) >>> 0,
      length: chunk[at + LENGTH] as number,
      height: chunk[at + HEIGHT] as number
    }
  }

  hashOf(row: number): BlockHash {
    return BlockHash(this.#hashes.at(row))
  }

  /** Writes the check of the block to `into`. */
  checkTo(row: number, into: Uint8Array, at: number): void {
    const view = new DataView(into.buffer, into.byteOffset)
    view.setInt32(at, this.#rows.get(row, CHECK), true)
    view.setInt32(at + 4, this.#rows.get(row, CHECK + 1), true)
  }

  hasCheck(row: number, check: Uint8Array): boolean {
    return this.#rows.get(row, CHECK) === word(check, 0) && this.#rows.get(row, CHECK + 1) === word(check, 4)
  }

  /** Whether the block lies there and nowhere else. */
  isAt(row: number, place: Place): boolean {
    return this.#rows.get(row, FILE) === place.file && this.#rows.get(row, OFFSET) >>> 0 === place.offset
  }

  /** Takes a block in, at its new place where it is kept already; gives its row. */
  put(hash: Uint8Array, place: Place, check: Uint8Array): number {
    let row = this.#hashes.find(hash)
    if (row < 0) {
      row = this.#hashes.add(hash)
      this.#rows.reserve(row + 1)
    } else if (this.#rows.get(row, FILE) !== NOWHERE) this.drop(row)
    const rows = this.#rows
    rows.set(row, FILE, place.file)
    rows.set(row, OFFSET, place.offset | 0)
    rows.set(row, LENGTH, place.length)
    rows.set(row, HEIGHT, place.height)
    rows.set(row, CHECK, word(check, 0))
    rows.set(row, CHECK + 1, word(check, 4))
    const page = this.#pageOf(place.height)
    const slot = slotOf(place.height)
    rows.set(row, NEXT, page[slot] as number)
    page[slot] = row + 1
    this.#count++
    return row
  }

  /** Lets a kept block go. */
  drop(row: number): void {
    const rows = this.#rows
    const height = rows.get(row, HEIGHT)
    const page = this.#pageOf(height)
    const slot = slotOf(height)
    const next = rows.get(row, NEXT)
    if (page[slot] === row + 1) page[slot] = next
    else {
      let before = (page[slot] as number) - 1
      while (rows.get(before, NEXT) !== row + 1) before = rows.get(before, NEXT) - 1
      rows.set(before, NEXT, next)
    }
    rows.set(row, FILE, NOWHERE)
    this.#count--
  }

  /** The rows of the blocks that are kept at that height. */
  at(height: number): ReadonlyArray<number> {
    const found: Array<number> = []
    const page = this.#heights.get(height >>> PAGE_BITS)
    for (let next = page?.[slotOf(height)] ?? 0; next !== 0; next = this.#rows.get(next - 1, NEXT)) found.push(next - 1)
    return found
  }

  /** The rows of all kept blocks, in the order in which they first came. */
  *rows(): Generator<number> {
    for (let row = 0; row < this.#hashes.size; row++) if (this.#rows.get(row, FILE) !== NOWHERE) yield row
  }

  #pageOf(height: number): Int32Array {
    const number = height >>> PAGE_BITS
    const page = this.#heights.get(number) ?? new Int32Array(1 << PAGE_BITS)
    this.#heights.set(number, page)
    return page
  }
}

const slotOf = (height: number): number => height & ((1 << PAGE_BITS) - 1)

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)
