/**
 * One payload that comes in several chunks.
 *
 * What is to be decoded ends up in one exact array whose ownership moves with the message. Its length is what a stranger announced, so
 * it is not allocated before most of it is there: until then the bytes lie in segments that grow with what has come.
 *
 * ```
 *  announced ├────────────────────────────────────────────────┤
 *  segments  ├──16 K──┼──16 K──┼────32 K────┼───────64 K───…       first copy
 *  exact     ├────────────────────────────────────────────────┤  once the rest is within the reserve: second copy, and the first of the rest
 * ```
 *
 * Specification: what is held is at most the bytes received plus 256 KiB, and a byte is copied at most twice.
 * Rationale: Core reads ahead by the same 256 KiB (28.1 `net.cpp`, `V1Transport::readData`), and grows by copying. A reserve that
 * begins at 16 KiB and then is as large as what has come keeps ten thousand peers that announce and fall silent at 160 MB.
 */
import type { IncrementalSha256d } from "@satwire/crypto"

/**
 * The most that is allocated ahead of what has come.
 *
 * @limit bytes allocated for a payload ahead of what has come of it
 */
const MAX_RESERVE_BYTES = 256 * 1024
const MIN_RESERVE_BYTES = 16 * 1024

const reserve = (receivedBytes: number): number =>
  Math.min(MAX_RESERVE_BYTES, Math.max(MIN_RESERVE_BYTES, receivedBytes))

export class PayloadGather {
  /** How long the payload is. */
  readonly #length: number
  /** How much of its beginning is wanted; the rest is hashed and forgotten. */
  readonly #wanted: number
  /** Where not all is wanted, the hash of what has come. */
  readonly hash: IncrementalSha256d | undefined
  #received = 0
  readonly #segments: Array<Uint8Array> = []
  /** How much of the last segment is filled. */
  #segmentFill = 0
  #exact: Uint8Array | undefined = undefined

  constructor(length: number, wanted: number, hash: IncrementalSha256d | undefined) {
    this.#length = length
    this.#wanted = wanted
    this.hash = hash
  }

  /** Bytes that are held. */
  get heldBytes(): number {
    return Math.min(this.#received, this.#wanted)
  }

  /** Whether all of the payload has come. */
  get isComplete(): boolean {
    return this.#received === this.#length
  }

  /** The wanted bytes of a complete payload: an array of exactly their length. */
  get wanted(): Uint8Array {
    return this.#exact ?? new Uint8Array(0)
  }

  /** Takes what belongs to this payload from `chunk[at, …)` and says how much that was. */
  take(chunk: Uint8Array, at: number): number {
    const taken = Math.min(chunk.length - at, this.#length - this.#received)
    this.hash?.update(chunk, at, at + taken)
    const kept = Math.min(taken, this.#wanted - this.#received)
    if (kept > 0) this.#keep(chunk, at, at + kept)
    this.#received += taken
    return taken
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    const before = this.#received
    const after = before + end - start
    if (this.#exact === undefined && this.#wanted - after <= reserve(after)) this.#joinSegments(before)
    if (this.#exact !== undefined) {
      this.#exact.set(chunk.subarray(start, end), before)
      return
    }
    for (let at = start; at < end;) {
      let segment = this.#segments.at(-1)
      if (segment === undefined || this.#segmentFill === segment.length) {
        segment = new Uint8Array(reserve(before + at - start))
        this.#segments.push(segment)
        this.#segmentFill = 0
      }
      const step = Math.min(end - at, segment.length - this.#segmentFill)
      segment.set(chunk.subarray(at, at + step), this.#segmentFill)
      this.#segmentFill += step
      at += step
    }
  }

  #joinSegments(filled: number): void {
    this.#exact = new Uint8Array(this.#wanted)
    let at = 0
    for (const segment of this.#segments) {
      this.#exact.set(segment.subarray(0, Math.min(segment.length, filled - at)), at)
      at += segment.length
    }
    this.#segments.length = 0
  }
}
