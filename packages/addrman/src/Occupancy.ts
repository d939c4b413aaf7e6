/**
 * Which places of a table are taken by addresses of one network, or of any: a bit a place, and a list of the buckets that are not empty.
 * From it a place is drawn at once that Core finds by drawing again and again.
 *
 * Specification: a bucket is drawn among those with such an address, each as likely; then a position, and from there on, round the
 * bucket, the first such address is taken. Rationale: so the chance of an address depends on how many others lie in its bucket, and
 * an attacker who fills many buckets gains less than one who is drawn from a flat list would.
 */
import type { Random } from "@satwire/machine"
import { BUCKET_SIZE } from "./Bucketing.ts"

export class Occupancy {
  /** Two words a bucket, the lower positions first. */
  readonly #bits: Uint32Array
  /** The buckets that are not empty, in no order. */
  readonly #buckets: Uint16Array
  /** Where a bucket stands in that list. */
  readonly #at: Uint16Array
  #count = 0

  constructor(bucketCount: number) {
    this.#bits = new Uint32Array(2 * bucketCount)
    this.#buckets = new Uint16Array(bucketCount)
    this.#at = new Uint16Array(bucketCount)
  }

  /** How many buckets are not empty. */
  get buckets(): number {
    return this.#count
  }

  /** The nth bucket that is not empty. */
  bucket(n: number): number {
    return this.#buckets[n] as number
  }

  isEmpty(bucket: number): boolean {
    return ((this.#bits[2 * bucket] as number) | (this.#bits[2 * bucket + 1] as number)) === 0
  }

  has(place: number): boolean {
    return ((this.#bits[place >>> 5] as number) & (1 << (place & 31))) !== 0
  }

  /** Takes a place that is free. */
  take(place: number): void {
    const bucket = Math.floor(place / BUCKET_SIZE)
    if (this.isEmpty(bucket)) {
      this.#at[bucket] = this.#count
      this.#buckets[this.#count++] = bucket
    }
    this.#bits[place >>> 5] = (this.#bits[place >>> 5] as number) | (1 << (place & 31))
  }

  /** Frees a place that is taken. */
  free(place: number): void {
    const bucket = Math.floor(place / BUCKET_SIZE)
    this.#bits[place >>> 5] = (this.#bits[place >>> 5] as number) & ~(1 << (place & 31))
    if (!this.isEmpty(bucket)) return
    const last = this.#buckets[--this.#count] as number
    this.#buckets[this.#at[bucket] as number] = last
    this.#at[last] = this.#at[bucket] as number
  }

  /** The words of a bucket, into `words` as an addition to what is there. */
  addTo(words: Uint32Array, bucket: number): void {
    words[0] = (words[0] as number) | (this.#bits[2 * bucket] as number)
    words[1] = (words[1] as number) | (this.#bits[2 * bucket + 1] as number)
  }
}

/** Reused: the words of a bucket that is being drawn from. */
const words = new Uint32Array(2)

/** Draws a place that any of these has taken. At least one must have one. */
export const drawPlace = (occupancies: ReadonlyArray<Occupancy>, random: Random): number => {
  let lists = 0
  for (const { buckets } of occupancies) lists += buckets
  for (;;) {
    // Bucket and position in one draw, because draws are most of the cost (measured, `bench/addrman.bench.ts`).
    const drawn = random.below(lists * BUCKET_SIZE)
    const bucket = listed(occupancies, Math.floor(drawn / BUCKET_SIZE))
    let times = 0
    for (const one of occupancies) if (!one.isEmpty(bucket)) times++
    // A bucket is listed once for each network that it has addresses of, and must not be likelier for that.
    if (times > 1 && random.below(times) !== 0) continue
    words.fill(0)
    for (const one of occupancies) one.addTo(words, bucket)
    return bucket * BUCKET_SIZE + firstFrom(words[0] as number, words[1] as number, drawn % BUCKET_SIZE)
  }
}

/** The nth bucket of all their lists, one behind the other. */
const listed = (occupancies: ReadonlyArray<Occupancy>, n: number): number => {
  let left = n
  for (const one of occupancies) {
    if (left < one.buckets) return one.bucket(left)
    left -= one.buckets
  }
  return 0
}

/** The first position with a bit from `start` on, round 64 positions. */
const firstFrom = (low: number, high: number, start: number): number => {
  if (start < 32) {
    const first = low & (-1 << start)
    if (first !== 0) return lowestBit(first)
    return high !== 0 ? 32 + lowestBit(high) : lowestBit(low)
  }
  const first = high & (-1 << (start - 32))
  if (first !== 0) return 32 + lowestBit(first)
  return low !== 0 ? lowestBit(low) : 32 + lowestBit(high)
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word)
