/**
 * The short ids of a block in a table on flat memory, so that a whole mempool can be looked up in it.
 *
 * ```
 *   marks     a bit for each value of an id's low bits, sixteen times as many as ids: nine of ten ids that are not in the table end here
 *   starts    │ bucket 0 │ bucket 1 │ …        by the low bits of an id, as many buckets as ids or up to twice
 *   entries   │ low half of the id │ high half, number in the block │ …      those of a bucket side by side
 * ```
 *
 * Specification: ids of which two are equal, or of which more than twelve fall into one bucket, make no table. Rationale: their sender
 * chooses them freely, and with equal or crowded ones a lookup would be slow or say nothing; among honest ones that is seen once in
 * millions of blocks, so nobody is blamed for it.
 *
 * Source: Bitcoin Core 28.1 `blockencodings.cpp` (`InitData`).
 */
import { SHORTTXIDS_LENGTH } from "@satwire/wire"

/**
 * Bitcoin Core's limit on the elements of a bucket (blockencodings.cpp).
 *
 * @limit short ids in one bucket of the table of a block
 */
export const MAX_BUCKET_SIZE = 12

/** Marks for each id: one bit in sixteen is set, at most. */
const MARKS_PER_ID = 16
const LEAST_BUCKETS = 16

export class ShortIdTable {
  readonly #bucketMask: number
  readonly #starts: Uint32Array
  /** Two words each. */
  readonly #entries: Int32Array
  /** Bit `low & markMask` is set where an id has these low bits; 32 in each element. */
  readonly marks: Int32Array
  readonly markMask: number

  /**
   * @param shortIds six bytes each
   * @param numbers of their transactions, of 16 bits
   * @returns `undefined` where two ids are equal, or too many meet in a bucket
   */
  static of(shortIds: Uint8Array, numbers: ArrayLike<number>): ShortIdTable | undefined {
    const table = new ShortIdTable(numbers.length)
    return table.#fill(shortIds, numbers) ? table : undefined
  }

  private constructor(count: number) {
    let buckets = LEAST_BUCKETS
    while (buckets < count) buckets *= 2
    this.#bucketMask = buckets - 1
    this.#starts = new Uint32Array(buckets + 1)
    this.#entries = new Int32Array(2 * count)
    this.markMask = MARKS_PER_ID * buckets - 1
    this.marks = new Int32Array((MARKS_PER_ID * buckets) / 32)
  }

  /** The number of the transaction whose id has these halves, of which the high one has 16 bits; or -1. */
  find(low: number, high: number): number {
    const entries = this.#entries
    const bucket = low & this.#bucketMask
    const end = this.#starts[bucket + 1] as number
    for (let at = this.#starts[bucket] as number; at < end; at++) {
      if (entries[2 * at] !== low) continue
      const more = entries[2 * at + 1] as number
      if (more >>> 16 === high) return more & 0xffff
    }
    return -1
  }

  #fill(shortIds: Uint8Array, numbers: ArrayLike<number>): boolean {
    const starts = this.#starts
    const view = new DataView(shortIds.buffer, shortIds.byteOffset, shortIds.byteLength)
    // First sizes, then ends, and with each id that is put in its place from the end on they become beginnings.
    for (let i = 0; i < numbers.length; i++) {
      const low = view.getInt32(SHORTTXIDS_LENGTH * i, true)
      const bucket = low & this.#bucketMask
      const size = (starts[bucket] as number) + 1
      if (size > MAX_BUCKET_SIZE) return false
      starts[bucket] = size
      const mark = low & this.markMask
      this.marks[mark >>> 5] = (this.marks[mark >>> 5] as number) | (1 << (mark & 31))
    }
    for (let bucket = 1; bucket < starts.length; bucket++) {
      starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number)
    }
    for (let i = 0; i < numbers.length; i++) {
      const low = view.getInt32(SHORTTXIDS_LENGTH * i, true)
      const high = view.getUint16(SHORTTXIDS_LENGTH * i + 4, true)
      const bucket = low & this.#bucketMask
      const at = (starts[bucket] as number) - 1
      starts[bucket] = at
      this.#entries[2 * at] = low
      this.#entries[2 * at + 1] = (high << 16) | (numbers[i] as number)
    }
    return !this.#hasEqual()
  }

  /** Equal ids are in one bucket. */
  #hasEqual(): boolean {
    const [entries, starts] = [this.#entries, this.#starts]
    for (let bucket = 0; bucket <= this.#bucketMask; bucket++) {
      const end = starts[bucket + 1] as number
      for (let a = starts[bucket] as number; a < end; a++) {
        for (let b = a + 1; b < end; b++) {
          const apart = (entries[2 * a + 1] as number) ^ (entries[2 * b + 1] as number)
          if (entries[2 * a] === entries[2 * b] && apart >>> 16 === 0) return true
        }
      }
    }
    return false
  }
}
