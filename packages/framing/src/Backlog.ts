/**
 * Bytes that came while there was still something to read: the caller stopped within a chunk, because its turn's work was used up, and
 * more arrived. They are copied into segments, so that a thousand chunks of one byte are not a thousand arrays.
 */

/** The least that a segment holds. */
const SEGMENT_BYTES = 16 * 1024

export class Backlog {
  readonly #segments: Array<Uint8Array> = []
  /** How much of the last segment is filled. */
  #lastFill = 0
  #bytes = 0

  /** How many bytes it holds. */
  get bytes(): number {
    return this.#bytes
  }

  append(chunk: Uint8Array): void {
    let segment = this.#segments.at(-1)
    if (segment === undefined || segment.length - this.#lastFill < chunk.length) {
      this.#trimLast()
      segment = new Uint8Array(Math.max(SEGMENT_BYTES, chunk.length))
      this.#segments.push(segment)
      this.#lastFill = 0
    }
    segment.set(chunk, this.#lastFill)
    this.#lastFill += chunk.length
    this.#bytes += chunk.length
  }

  /** The next bytes in order, which are the caller's from now on; `undefined` when it is empty. */
  take(): Uint8Array | undefined {
    if (this.#segments.length === 1) this.#trimLast()
    const segment = this.#segments.shift()
    this.#bytes -= segment?.length ?? 0
    return segment
  }

  clear(): void {
    this.#segments.length = 0
    this.#bytes = 0
  }

  /** Leaves of the last segment what is filled. */
  #trimLast(): void {
    const last = this.#segments.pop()
    if (last !== undefined) this.#segments.push(last.subarray(0, this.#lastFill))
  }
}
