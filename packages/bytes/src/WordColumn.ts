/**
 * What many numbered things have each so many 32-bit words of, in flat memory that grows without being copied: the first chunk doubles
 * until it is as long as all that follow, so that a few things cost little and a million cost nothing beside themselves.
 *
 * ```
 *   chunk 0   │ row 0 │ row 1 │ … │ row 16,383 │
 *   chunk 1   │ row 16,384 │ …
 * ```
 */
const FIRST_ROWS = 64
const CHUNK_BITS = 14
const CHUNK_ROWS: number = 1 << CHUNK_BITS

export class WordColumn {
  /** Words of one row. */
  readonly width: number
  readonly #chunks: Array<Int32Array>
  /** Rows that there is room for. */
  #capacity = FIRST_ROWS

  constructor(width: number) {
    this.width = width
    this.#chunks = [new Int32Array(width * FIRST_ROWS)]
  }

  /** The memory that it has taken, in bytes. */
  get bytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  }

  /** Makes room for so many rows. What `chunk` gave before may be no part of it any more. */
  reserve(rows: number): void {
    if (rows > this.#capacity) this.#grow(rows)
  }

  #grow(rows: number): void {
    if (this.#capacity < CHUNK_ROWS) {
      while (this.#capacity < rows && this.#capacity < CHUNK_ROWS) this.#capacity *= 2
      const wider = new Int32Array(this.#capacity * this.width)
      wider.set(this.#chunks[0] as Int32Array)
      this.#chunks[0] = wider
    }
    for (; this.#capacity < rows; this.#capacity += CHUNK_ROWS) {
      this.#chunks.push(new Int32Array(this.width * CHUNK_ROWS))
    }
  }

  /** The memory in which a row lies, from {@link at} on. */
  chunk(row: number): Int32Array {
    return this.#chunks[row >>> CHUNK_BITS] as Int32Array
  }

  /** Where in its chunk a row begins. */
  at(row: number): number {
    return (row & (CHUNK_ROWS - 1)) * this.width
  }

  get(row: number, word: number): number {
    return this.chunk(row)[this.at(row) + word] as number
  }

  set(row: number, word: number, value: number): void {
    this.chunk(row)[this.at(row) + word] = value
  }
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** A word of bytes in the order of the wire, as a signed number, whatever the platform's order is. */
export const wireWord: (word: number) => number = isLittleEndian
  ? (word) => word
  : (word) => (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24) | 0

/** The bytes of `count` words from `from` on, in memory of their own. */
export const bytesOfWords = (words: Int32Array, from: number, count: number): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset + 4 * from, 4 * count).slice()
