/**
 * SHA-256d as Bitcoin uses it, over flat memory and in batches. Hashing is the cost of almost everything, so its backend is a
 * value that the edge chooses once (`@satwire/crypto/node` on Node and Deno, {@link portableSha256} elsewhere) and hands down.
 *
 * Every backend gives the same bytes; `test/Sha256.test.ts` holds each of them against noble, the reference.
 */
import { sha256 as noble } from "@noble/hashes/sha2.js"

export interface Sha256 {
  /** For logs and benchmarks: which backend this is. */
  readonly name: string
  /** SHA-256 of `input[start, end)`. */
  sha256(input: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void
  /** SHA-256 of the SHA-256 of `input[start, end)`. */
  sha256d(input: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void
  /**
   * SHA-256d of `count` records of `length` bytes, the first at `start` and each `stride` bytes after the one before: headers in a
   * `headers` message (stride 81), headers in a column (stride 80), pairs of a merkle level (stride 64). The digests lie one after
   * another in `out` from `outOffset`, which may be the memory of the input if no digest overtakes the records that are still to read.
   */
  sha256dMany(
    input: Uint8Array,
    start: number,
    length: number,
    stride: number,
    count: number,
    out: Uint8Array,
    outOffset: number
  ): void
  /** SHA-256d of `count` ranges of `input`; range i is `[ranges[2i], ranges[2i + 1])`. Digests as in `sha256dMany`. */
  sha256dRanges(input: Uint8Array, ranges: Uint32Array, count: number, out: Uint8Array, outOffset: number): void
  /** A SHA-256d of bytes that come in pieces: the checksum of a payload which is hashed and skipped, never held. */
  createSha256d(): IncrementalSha256d
}

/** One SHA-256d under way. */
export interface IncrementalSha256d {
  /** Takes in `input[start, end)`, which is the caller's again afterwards. */
  update(input: Uint8Array, start: number, end: number): void
  /** Writes the 32 bytes and ends this hash: neither method may be called again. */
  digest(out: Uint8Array, outOffset: number): void
}

/** SHA-256 of a range, written to `out`: the one thing that a library must be brought to do. */
export type Sha256Range = Sha256["sha256"]

/** A SHA-256 under way, as libraries offer it. */
export interface IncrementalSha256 {
  update(input: Uint8Array): unknown
  digest(): Uint8Array
}

/** A whole backend, made of a library's SHA-256 in one go and in pieces. */
export const sha256From = (name: string, sha256: Sha256Range, create: () => IncrementalSha256): Sha256 => {
  // Reused: hashing is synchronous and calls nothing of its caller's.
  const inner = new Uint8Array(32)
  const sha256d: Sha256["sha256d"] = (input, start, end, out, outOffset) => {
    sha256(input, start, end, inner, 0)
    sha256(inner, 0, 32, out, outOffset)
  }
  return {
    name,
    sha256,
    sha256d,
    sha256dMany(input, start, length, stride, count, out, outOffset) {
      for (let i = 0; i < count; i++) {
        const at = start + i * stride
        sha256d(input, at, at + length, out, outOffset + 32 * i)
      }
    },
    sha256dRanges(input, ranges, count, out, outOffset) {
      for (let i = 0; i < count; i++) {
        sha256d(input, ranges[2 * i] as number, ranges[2 * i + 1] as number, out, outOffset + 32 * i)
      }
    },
    createSha256d() {
      const hash = create()
      return {
        update(input, start, end) {
          hash.update(input.subarray(start, end))
        },
        digest(out, outOffset) {
          sha256(hash.digest(), 0, 32, out, outOffset)
        }
      }
    }
  }
}

const create = (): ReturnType<typeof noble.create> => noble.create()

// One hash that is brought back to its beginning is half again as fast for small inputs as a new one for each (measured).
const beginning = create()
const hash = create()
const digest = new Uint8Array(32)

const portable: Sha256Range = (input, start, end, out, outOffset) => {
  beginning._cloneInto(hash)
  hash.update(input.subarray(start, end))
  hash.digestInto(digest)
  out.set(digest, outOffset)
}

/** Plain JavaScript by `@noble/hashes`: runs anywhere, and is what the other backends are tested against. */
export const portableSha256: Sha256 = sha256From("noble", portable, create)

/** SHA-256d of all of `input` in an array of its own. */
export const sha256d = (backend: Sha256, input: Uint8Array): Uint8Array<ArrayBuffer> => {
  const hashed = new Uint8Array(32)
  backend.sha256d(input, 0, input.length, hashed, 0)
  return hashed
}
