/**
 * A list of hashes, 32 bytes each, that stays the bytes which it is on the wire: two thousand objects cost more than all else about the
 * message (ADR 0002). What filter headers, merkle blocks and packages carry.
 */
import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"

/** Bytes of one hash. */
export const HASH_SIZE = 32

export class HashList implements Iterable<Uint8Array> {
  /** All hashes, one after another, in wire order. */
  readonly raw: Uint8Array

  /** @param raw whole hashes, whose ownership moves here */
  constructor(raw: Uint8Array) {
    if (raw.length % HASH_SIZE !== 0) throw new RangeError(`${raw.length} bytes are no whole hashes`)
    this.raw = raw
  }

  /** The list of these hashes. */
  static of(hashes: ReadonlyArray<Uint8Array>): HashList {
    const raw = new Uint8Array(hashes.length * HASH_SIZE)
    hashes.forEach((hash, i) => raw.set(hash, HASH_SIZE * i))
    return new HashList(raw)
  }

  /** How many hashes there are. */
  get count(): number {
    return this.raw.length / HASH_SIZE
  }

  /** Hash `i`, which must exist, as a view: who keeps it copies it (`copyOut`). */
  at(i: number): Uint8Array {
    return this.raw.subarray(HASH_SIZE * i, HASH_SIZE * (i + 1))
  }

  /** The hashes in order, as views. */
  *[Symbol.iterator](): Generator<Uint8Array, void> {
    for (let i = 0; i < this.count; i++) yield this.at(i)
  }
}

/** The most bytes that a list of at most `limit` takes on the wire. */
export const hashListMaxSize = (limit: number): number => compactSizeLength(limit) + HASH_SIZE * limit

export const readHashList = (r: Reader, limit: number, what: string): HashList => {
  const count = r.count(limit, HASH_SIZE, what)
  return new HashList(r.view(count * HASH_SIZE, what))
}

export const hashListSize = (hashes: HashList): number => compactSizeLength(hashes.count) + hashes.raw.length

export const writeHashList = (w: Writer, hashes: HashList): void => {
  w.compactSize(hashes.count)
  w.raw(hashes.raw)
}
