/**
 * Checksums of frames that lie side by side in a chunk and are equally long, worked out together: four of them side by side cost little more
 * than one, and the checksum is most of the price of a small message. What is known ahead is of one chunk of one framing at a time, so
 * that there is one of these for all of them.
 *
 * ```
 *   │ header │ payload │ header │ payload │ header │ payload │ header │ longer …
 *              ▲ asked            ▲ known ahead      ▲ known ahead
 * ```
 */
import type { Sha256 } from "@satwire/crypto"
import { V1_HEADER_SIZE, V1_LENGTH_OFFSET } from "./V1Header.ts"

/** Frames that are looked at together: whatever a peer sends, so much is done for nothing at most. */
const MOST_AHEAD = 16
/** Below this the price of calling for many is more than what is won (measured). */
const LEAST_AHEAD = 4
/** Longer ones gain nothing from company (measured, ADR 0006). */
const LONGEST = 2047
const DIGEST = 32

export class ChecksumsAhead {
  readonly #digests: Uint8Array = new Uint8Array(MOST_AHEAD * DIGEST)
  readonly #words: DataView = new DataView(this.#digests.buffer)
  #chunk: Uint8Array | undefined = undefined
  /** Where the first known payload begins, how far one is from the next, and how many are known. */
  #start = 0
  #stride = 0
  #count = 0

  /** The bytes of a chunk are others from now on. */
  forget(): void {
    this.#chunk = undefined
  }

  /** The first word of the SHA-256d of `chunk[start, start + length)`, which is not empty. */
  word(sha256: Sha256, chunk: Uint8Array, start: number, length: number): number {
    const stride = length + V1_HEADER_SIZE
    if (this.#chunk === chunk && this.#stride === stride) {
      const place = (start - this.#start) / stride
      if (place < this.#count && Number.isInteger(place)) return this.#words.getUint32(DIGEST * place, true)
    }
    const count = length > LONGEST ? 1 : runOf(chunk, start, length, stride)
    if (count < LEAST_AHEAD) {
      this.#chunk = undefined
      sha256.sha256d(chunk, start, start + length, this.#digests, 0)
    } else {
      this.#chunk = chunk
      this.#start = start
      this.#stride = stride
      this.#count = count
      sha256.sha256dMany(chunk, start, length, stride, count, this.#digests, 0)
    }
    return this.#words.getUint32(0, true)
  }
}

/** How many frames from this one on lie whole in the chunk and say that they are as long. */
const runOf = (chunk: Uint8Array, start: number, length: number, stride: number): number => {
  const most = Math.min(MOST_AHEAD, Math.floor((chunk.length - start - length) / stride) + 1)
  let at = start + length + V1_LENGTH_OFFSET
  let count = 1
  for (; count < most; count++, at += stride) {
    if (chunk[at] !== (length & 0xff) || chunk[at + 1] !== ((length >>> 8) & 0xff)) break
    if (chunk[at + 2] !== ((length >>> 16) & 0xff) || chunk[at + 3] !== length >>> 24) break
  }
  return count
}
