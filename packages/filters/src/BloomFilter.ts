/**
 * A bloom filter as BIP-0037 puts it on the wire: a light wallet hands it to a peer, and the peer sends only what matches. It says "no" for
 * certain and "yes" perhaps.
 *
 * Nobody should ask for a wallet's transactions like this any more: the filter tells them to the peer, and a filter can be made to cost the
 * peer much. It is here to serve those who do, and to read what old software says. BIP-0158's filters (`GcsFilter.ts`) took its place.
 *
 * Source: Bitcoin Core 28.1 `common/bloom.cpp`.
 */
import { Writer } from "@satwire/bytes"
import { type OutPoint, ScriptWalk, type Transaction, type Txid, recognizeOutput } from "@satwire/primitives"
import { murmur3 } from "./Murmur3.ts"

/**
 * Bitcoin Core's `MAX_BLOOM_FILTER_SIZE` (common/bloom.h).
 *
 * @limit bytes of a bloom filter that is made here
 */
export const MAX_BLOOM_FILTER_SIZE = 36_000
/**
 * Bitcoin Core's `MAX_HASH_FUNCS` (common/bloom.h).
 *
 * @limit hash functions of a bloom filter that is made here
 */
export const MAX_HASH_FUNCS = 50

/** What a match adds to the filter (BIP-0037 §"filterload"): nothing, its outpoint, or that only where a key is paid bare. */
export type BloomUpdate = "none" | "all" | "p2pubkeyOnly"

const UPDATES: ReadonlyArray<BloomUpdate> = ["none", "all", "p2pubkeyOnly"]

/** How the hash functions differ. */
const SEED_STEP = 0xfba4c795
/** Not `Math.LN2 ** 2`, whose last bit is another. */
const LN2_SQUARED = 0.48045301391820144

/** The fields of a `filterload`. */
export interface BloomFields {
  /** Its bits, the first lowest in the first byte. */
  readonly filter: Uint8Array
  readonly hashFunctions: number
  readonly tweak: number
  readonly flags: number
}

/** A hash of so many bytes takes twice as long as one of few (measured). */
const HASHED_BYTES = 64

const outPointBytes = (outPoint: OutPoint): Uint8Array => {
  const w = new Writer(new Uint8Array(36))
  w.raw(outPoint.txid)
  w.u32(outPoint.index)
  return w.bytes
}

export class BloomFilter {
  readonly #bits: Uint8Array
  readonly #hashFunctions: number
  readonly #tweak: number
  readonly #flags: number
  #work = 0

  /** The filter of a `filterload`, whose limits `wire` has judged. Its bits are copied: they change with what is added. */
  constructor(fields: BloomFields) {
    this.#bits = fields.filter.slice()
    this.#hashFunctions = fields.hashFunctions
    this.#tweak = fields.tweak
    this.#flags = fields.flags
  }

  /**
   * An empty filter for some elements.
   *
   * @param falsePositiveRate how often it may say "yes" for nothing once it is full, in 0 .. 1
   * @param tweak any number of 32 bits: two filters of other tweaks err on other things
   */
  static forElements(elements: number, falsePositiveRate: number, tweak: number, update: BloomUpdate): BloomFilter {
    if (!(elements >= 1)) throw new RangeError(`a filter for ${elements} elements`)
    const bits = Math.floor((-1 / LN2_SQUARED) * elements * Math.log(falsePositiveRate))
    const bytes = Math.floor(Math.min(bits, MAX_BLOOM_FILTER_SIZE * 8) / 8)
    const hashFunctions = Math.floor(Math.floor((bytes * 8) / elements) * Math.LN2)
    return new BloomFilter({
      filter: new Uint8Array(bytes),
      hashFunctions: Math.min(hashFunctions, MAX_HASH_FUNCS),
      tweak,
      flags: UPDATES.indexOf(update)
    })
  }

  /** What it has done so far: elements that were looked for in it, and hashes of them, a long one's counted for each 64 bytes. */
  get work(): number {
    return this.#work
  }

  /** What a `filterload` says of it. */
  get fields(): BloomFields {
    return {
      filter: this.#bits.slice(),
      hashFunctions: this.#hashFunctions,
      tweak: this.#tweak,
      flags: this.#flags
    }
  }

  /** Adds an element. */
  insert(element: Uint8Array): void {
    const bits = this.#bits
    // CVE-2013-5700: no remainder of a division by no bits.
    if (bits.length === 0) return
    for (let n = 0; n < this.#hashFunctions; n++) {
      const bit = this.#bit(n, element)
      bits[bit >>> 3] = (bits[bit >>> 3] as number) | (1 << (bit & 7))
    }
  }

  /** Adds an outpoint. */
  insertOutPoint(outPoint: OutPoint): void {
    this.insert(outPointBytes(outPoint))
  }

  /** Whether the element may have been added. A filter of no bits has everything. */
  contains(element: Uint8Array): boolean {
    const bits = this.#bits
    if (bits.length === 0) return true
    const shares = 1 + Math.floor(element.length / HASHED_BYTES)
    for (let n = 0; n < this.#hashFunctions; n++) {
      const bit = this.#bit(n, element)
      if (((bits[bit >>> 3] as number) & (1 << (bit & 7))) !== 0) continue
      this.#work += (n + 1) * shares
      return false
    }
    this.#work += this.#hashFunctions * shares + 1
    return true
  }

  containsOutPoint(outPoint: OutPoint): boolean {
    return this.contains(outPointBytes(outPoint))
  }

  /**
   * Whether a transaction matches, by its id, something that an output or an input pushes, or an outpoint that it spends. A match of an
   * output adds its outpoint where the filter's flags say so, so that its spending matches too (BIP-0037 §"Filter matching algorithm").
   */
  matchAndUpdate(tx: Transaction, txid: Txid): boolean {
    const match = this.match(tx, txid, () => true)
    let step = match.next()
    while (step.done !== true) step = match.next()
    return step.value
  }

  /**
   * The same in steps: a stranger's filter of 50 functions takes long over a stranger's transaction of many pushes.
   *
   * @param hasTurn whether the step may still go on, by the `work` that was done in it: asked for each script and each push
   */
  *match(tx: Transaction, txid: Txid, hasTurn: () => boolean): Generator<undefined, boolean> {
    if (this.#bits.length === 0) return true
    let found = this.contains(txid)
    for (const [index, { scriptPubKey }] of tx.outputs.entries()) {
      if (!(yield* this.#containsPushOf(scriptPubKey, hasTurn))) continue
      found = true
      if (this.#updates(scriptPubKey)) this.insertOutPoint({ txid, index })
    }
    if (found) return true
    for (const { previousOutput, scriptSig } of tx.inputs) {
      if (this.containsOutPoint(previousOutput) || (yield* this.#containsPushOf(scriptSig, hasTurn))) return true
    }
    return false
  }

  #bit(n: number, element: Uint8Array): number {
    const hash = murmur3((Math.imul(n, SEED_STEP) + this.#tweak) | 0, element)
    const bits = this.#bits.length * 8
    // The remainder, exact for numbers so small, in a third of the time of `%` on what is no 31-bit integer (measured).
    return hash - Math.trunc(hash / bits) * bits
  }

  *#containsPushOf(script: Uint8Array, hasTurn: () => boolean): Generator<undefined, boolean> {
    const walk = new ScriptWalk(script)
    if (!hasTurn()) yield
    while (walk.next()) {
      if (walk.dataEnd <= walk.dataStart) continue
      if (this.contains(walk.data)) return true
      if (!hasTurn()) yield
    }
    return false
  }

  #updates(script: Uint8Array): boolean {
    // The two lowest bits: 3 is no update that anyone has defined.
    const update = UPDATES[this.#flags & 3]
    if (update !== "p2pubkeyOnly") return update === "all"
    const { _tag } = recognizeOutput(script)
    return _tag === "p2pk" || _tag === "multisig"
  }
}
