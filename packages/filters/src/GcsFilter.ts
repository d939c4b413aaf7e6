/**
 * A Golomb-coded set (BIP-0158): sorted hashes of elements in the range N·M, their differences in about P + 2 bits each. It says "no" for
 * certain, and "yes" for nothing once in M.
 *
 * ```
 *  N (CompactSize) │ difference │ difference │ … │ zeros up to a whole byte
 * ```
 *
 * Hashes are SipHash-2-4 in halves of 32 bits and numbers below 2^53: no `bigint` anywhere. What a peer sends is walked bit by bit, and its
 * N decides over no memory.
 *
 * Source: Bitcoin Core 28.1 `blockfilter.cpp`.
 */
import { type DecodeError, Reader, Writer, compactSizeLength, decodeFrom, equals } from "@satwire/bytes"
import { type SipKey, sipHash24 } from "@satwire/crypto"
import * as Result from "effect/Result"
import { BitReader, BitWriter, golombRiceBits } from "./GolombRice.ts"

export interface GcsParams {
  /** Under which elements are hashed. */
  readonly key: SipKey
  /** Bits of a remainder: 19 for the basic filter. */
  readonly p: number
  /** One in how many foreign elements matches: 784,931 for the basic filter. */
  readonly m: number
}

const TWO_32 = 0x1_0000_0000
const halves = new Uint32Array(2)

/** The upper 32 bits of the product of two numbers of 32 bits. */
const mulHigh = (a: number, b: number): number => {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor((aLow * bHigh + (middle % 0x10000)) / 0x10000)
}

/** The hash of an element, 64 bits as two halves, brought into 0 .. range - 1 without a division: hash · range / 2^64. */
const intoRange = (low: number, high: number, range: number): number => {
  const rangeLow = range >>> 0
  const rangeHigh = Math.floor(range / TWO_32)
  // range < 2^52, so every sum here is exact.
  const carry = (Math.imul(high, rangeLow) >>> 0) + low * rangeHigh + mulHigh(low, rangeLow)
  return high * rangeHigh + mulHigh(high, rangeLow) + Math.floor(carry / TWO_32)
}

const hashIntoRange = (key: SipKey, element: Uint8Array, range: number): number => {
  sipHash24(key, element, 0, element.length, halves)
  return intoRange(halves[0] as number, halves[1] as number, range)
}

/** The elements, each once. */
const distinct = (key: SipKey, elements: Iterable<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const byHash = new Map<number, Array<Uint8Array>>()
  const found: Array<Uint8Array> = []
  for (const element of elements) {
    sipHash24(key, element, 0, element.length, halves)
    const hash = (halves[1] as number) * 0x20_0000 + ((halves[0] as number) >>> 11)
    const same = byHash.get(hash)
    if (same === undefined) byHash.set(hash, [element])
    else if (same.some((other) => equals(other, element))) continue
    else same.push(element)
    found.push(element)
  }
  return found
}

export class GcsFilter {
  readonly params: GcsParams
  /** The count and the coded set: what is hashed and sent. */
  readonly bytes: Uint8Array
  /** How many elements it has. */
  readonly count: number
  /** Where the coded set begins. */
  readonly #start: number

  private constructor(params: GcsParams, bytes: Uint8Array, count: number) {
    this.params = params
    this.bytes = bytes
    this.count = count
    this.#start = compactSizeLength(count)
  }

  /** The filter of these elements, each counted once. */
  static build(params: GcsParams, elements: Iterable<Uint8Array>): GcsFilter {
    const set = distinct(params.key, elements)
    const { p, m, key } = params
    const range = set.length * m
    const hashes = new Float64Array(set.length)
    set.forEach((element, i) => {
      hashes[i] = hashIntoRange(key, element, range)
    })
    hashes.sort()
    let bits = 0
    for (let i = 0, previous = 0; i < hashes.length; i++) {
      bits += golombRiceBits(p, (hashes[i] as number) - previous)
      previous = hashes[i] as number
    }
    const start = compactSizeLength(set.length)
    const bytes = new Uint8Array(start + Math.ceil(bits / 8))
    new Writer(bytes).compactSize(set.length)
    const w = new BitWriter(bytes, start)
    let previous = 0
    for (const hash of hashes) {
      w.golombRice(p, hash - previous)
      previous = hash
    }
    return new GcsFilter(params, bytes, set.length)
  }

  /** The filter in what a peer sent: every byte of it, and as many elements as it says. Keeps `bytes`. */
  static decode(params: GcsParams, bytes: Uint8Array): Result.Result<GcsFilter, DecodeError> {
    const { p } = params
    const decoded = decodeFrom(new Reader(bytes), {
      decode: (r) => {
        const count = r.compactSize("filter elements")
        if (count * (p + 1) > 8 * r.left) r.malformed(`${count} filter elements announced, too few bits follow`, 0)
        const bits = new BitReader(bytes, r.offset)
        for (let i = 0; i < count; i++)
          if (bits.golombRice(p) < 0) r.malformed(`filter ends within element ${i}`, bytes.length)
        if (bits.bytesLeft > 0) r.malformed(`${bits.bytesLeft} bytes after the last filter element`)
        return count
      }
    })
    return Result.map(decoded, ({ value }) => new GcsFilter(params, bytes, value))
  }

  /** Whether the element may be in the set. */
  match(element: Uint8Array): boolean {
    return this.matchAny([element])
  }

  /** Whether any of the elements may be in the set. One walk over the filter, however many there are. */
  matchAny(elements: ReadonlyArray<Uint8Array>): boolean {
    if (this.count === 0 || elements.length === 0) return false
    const hashes = this.#hashesOf(elements)
    let next = 0
    return this.#walk((value) => {
      while ((hashes[next] as number) < value) if (++next === hashes.length) return false
      return hashes[next] === value ? true : undefined
    })
  }

  /** Whether all of the elements may be in the set. One walk over the filter, however many there are. */
  matchAll(elements: ReadonlyArray<Uint8Array>): boolean {
    if (elements.length === 0) return true
    if (this.count === 0) return false
    const hashes = this.#hashesOf(elements)
    let next = 0
    return this.#walk((value) => {
      if ((hashes[next] as number) < value) return false
      while (hashes[next] === value) if (++next === hashes.length) return true
      return undefined
    })
  }

  /** What the elements would be in the set, the least first. */
  #hashesOf(elements: ReadonlyArray<Uint8Array>): Float64Array {
    const { key, m } = this.params
    const range = this.count * m
    const hashes = new Float64Array(elements.length)
    elements.forEach((element, i) => {
      hashes[i] = hashIntoRange(key, element, range)
    })
    return hashes.sort()
  }

  /** Goes through the set, the least first, until something is known. */
  #walk(known: (value: number) => boolean | undefined): boolean {
    const bits = new BitReader(this.bytes, this.#start)
    let value = 0
    for (let left = this.count; left > 0; left--) {
      value += bits.golombRice(this.params.p)
      const answer = known(value)
      if (answer !== undefined) return answer
    }
    return false
  }
}
