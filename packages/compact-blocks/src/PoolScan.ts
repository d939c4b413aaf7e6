/**
 * Which transactions of some pools have the short ids of a block: each pool is gone through once, a batch of ids at a time, and every id
 * looked up among those of the block, as Core does. So the cost is that of hashing the ids, about 20 ns each (measured), whatever the block.
 *
 * Specification: where two transactions have one short id the block's is taken for missing, even if a third is found; the same one in two
 * pools is one. Rationale: to ask for it costs less than to find at the end that it was the other.
 *
 * Source: Bitcoin Core 28.1 `blockencodings.cpp` (`InitData`).
 */
import { copyOut } from "@satwire/bytes"
import { ID_BYTES, type SipKey, sipHashMany } from "@satwire/crypto"
import type { ShortIdTable } from "./ShortIdTable.ts"
import type { TransactionPool } from "./TransactionPool.ts"

/** Ids that are hashed in one call: what comes of them stays in the processor's nearest memory. */
const BATCH = 1024
/** Reused: a scan calls nothing of its caller's. */
const hashes = new Uint32Array(2 * BATCH)
const halves = new Int32Array(hashes.buffer)

/** Hashes are moved and compared by words: by bytes it takes four times as long (measured). */
export const HASH_WORDS = 8

/** A pool, with its hashes as words. */
export class ScannedPool {
  readonly pool: TransactionPool
  readonly wtxids: Int32Array
  readonly txids: Int32Array | undefined

  constructor(pool: TransactionPool) {
    this.pool = pool
    this.wtxids = wordsOf(pool.wtxids)
    this.txids = pool.txids === undefined ? undefined : wordsOf(pool.txids)
  }
}

/** Memory that does not begin at a word is copied. */
const wordsOf = (hashes: Uint8Array): Int32Array => {
  const { buffer, byteOffset, length } = hashes.byteOffset % 4 === 0 ? hashes : copyOut(hashes)
  return new Int32Array(buffer, byteOffset, length >>> 2)
}

const MISSING = -1
const COLLIDED = -2

export class PoolScan {
  /** How many transactions were found, and how many of them in each pool. */
  found = 0
  readonly foundIn: Array<number>
  readonly #pools: ReadonlyArray<ScannedPool>
  /** By number in the block: the pool and the slot in it where its transaction is. */
  readonly #pool: Int32Array
  readonly #slot: Uint32Array
  /** Hashes of the block, by number: those that are found are put in, while they are in the processor's nearest memory. */
  readonly #txids: Int32Array
  readonly #wtxids: Int32Array

  constructor(pools: ReadonlyArray<ScannedPool>, txids: Int32Array, wtxids: Int32Array) {
    const count = wtxids.length / HASH_WORDS
    this.#pools = pools
    this.#txids = txids
    this.#wtxids = wtxids
    this.#pool = new Int32Array(count).fill(MISSING)
    this.#slot = new Uint32Array(count)
    this.foundIn = pools.map(() => 0)
  }

  /** The pool in which the block's transaction of this number was found, and the slot there. */
  poolOf(number: number): ScannedPool | undefined {
    const p = this.#pool[number] as number
    // A place that no array has is looked for like a name: fifty times as slow (measured).
    return p < 0 ? undefined : this.#pools[p]
  }
  slotOf(number: number): number {
    return this.#slot[number] as number
  }

  /** @param wanted how many there are to find: with the last, Core looks no further and neither do we */
  run(table: ShortIdTable, key: SipKey, wanted: number): void {
    for (let p = 0; p < this.#pools.length && this.found < wanted; p++) this.#through(p, table, key, wanted)
  }

  #through(p: number, table: ShortIdTable, key: SipKey, wanted: number): void {
    const { count, wtxids } = (this.#pools[p] as ScannedPool).pool
    const { markMask, marks } = table
    for (let from = 0; from < count; from += BATCH) {
      const part = Math.min(BATCH, count - from)
      sipHashMany(key, wtxids, ID_BYTES * from, part, hashes)
      for (let i = 0; i < part; i++) {
        const low = halves[2 * i] as number
        const mark = low & markMask
        if (((marks[mark >>> 5] as number) & (1 << (mark & 31))) === 0) continue
        const number = table.find(low, (halves[2 * i + 1] as number) & 0xffff)
        if (number < 0) continue
        this.#match(number, p, from + i)
        if (this.found === wanted) return
      }
    }
  }

  #match(number: number, p: number, slot: number): void {
    const { txids, wtxids } = this.#pools[p] as ScannedPool
    const before = this.#pool[number] as number
    if (before === MISSING) {
      this.#pool[number] = p
      this.#slot[number] = slot
      copyHash(wtxids, slot, this.#wtxids, number)
      if (txids !== undefined) copyHash(txids, slot, this.#txids, number)
      this.#count(p, 1)
    } else if (before !== COLLIDED && !isSameHash(wtxids, slot, this.#wtxids, number)) {
      this.#pool[number] = COLLIDED
      this.#count(before, -1)
    }
  }

  #count(p: number, by: 1 | -1): void {
    this.foundIn[p] = (this.foundIn[p] as number) + by
    this.found += by
  }
}

/**
 * More would not be sent whole to others either.
 *
 * @limit transactions of a block that came whole and are looked for in our pools
 */
const MAX_LOOKED_FOR = 100

/**
 * Those of some transactions that no pool has, of not too many.
 *
 * @param wtxids of the block, by number
 */
export const inNoPool = (
  pools: ReadonlyArray<TransactionPool>,
  wtxids: Uint8Array,
  numbers: ReadonlyArray<number>
): ReadonlyArray<number> => {
  const words = wordsOf(wtxids)
  const lacking = new Set(numbers.slice(0, MAX_LOOKED_FOR))
  if (lacking.size === 0) return []
  // Nearly all that a pool has ends here.
  const firsts = new Set([...lacking].map((number) => words[HASH_WORDS * number]))
  for (const pool of pools) {
    const pooled = wordsOf(pool.wtxids)
    for (let slot = 0; slot < pool.count; slot++) {
      if (!firsts.has(pooled[HASH_WORDS * slot])) continue
      for (const number of lacking) if (isSameHash(pooled, slot, words, number)) lacking.delete(number)
    }
  }
  return [...lacking]
}

/**
 * The numbers, rising, of the transactions of a block that are among some.
 *
 * @param wtxids of the block, by number
 */
export const numbersOf = (wtxids: Uint8Array, some: ReadonlyArray<Uint8Array>): ReadonlyArray<number> => {
  const words = wordsOf(wtxids)
  const wanted = some.map(wordsOf)
  // Nearly all that a block has ends here.
  const firsts = new Set(wanted.map((hash) => hash[0]))
  const numbers: Array<number> = []
  for (let i = 0; i < words.length / HASH_WORDS; i++) {
    if (!firsts.has(words[HASH_WORDS * i])) continue
    if (wanted.some((hash) => isSameHash(hash, 0, words, i))) numbers.push(i)
  }
  return numbers
}

export const copyHash = (from: Int32Array, slot: number, to: Int32Array, number: number): void => {
  for (let i = 0; i < HASH_WORDS; i++) to[HASH_WORDS * number + i] = from[HASH_WORDS * slot + i] as number
}

const isSameHash = (a: Int32Array, slot: number, b: Int32Array, number: number): boolean => {
  for (let i = 0; i < HASH_WORDS; i++) if (a[HASH_WORDS * slot + i] !== b[HASH_WORDS * number + i]) return false
  return true
}
