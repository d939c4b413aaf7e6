/**
 * Frames out of the bytes of a stream, each with its length before it. Specification: it costs as much as there are bytes, in pieces of whatever size
 * they come. Rationale: libp2p's own decoder keeps the pieces in a list and takes each from its front, which with pieces of one byte is some seconds for
 * a megabyte (measured).
 *
 * ```
 *   [ used │ held, not whole yet │ free ]    whole frames are views, and what they lie in is not written to again
 *          at                  end
 * ```
 *
 * Source: libp2p specs, `pubsub/README.md` §"The RPC" (an unsigned varint and so many bytes).
 */

/** A length of more bytes is none that anybody has to write. */
const MOST_LENGTH_BYTES = 5
const LEAST_ROOM = 4096
/** So much of a frame is there before room is made for all of it: who says of a frame that it is long has not sent it yet. */
const PROVEN_BYTES = 64 * 1024

export class FrameReader {
  readonly #most: number
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0
  /** Whether what is behind the end is free to be written to: not in what somebody else gave. */
  #isOurs = false
  /** Bytes of the frame that is not whole, its length included, once that is known. */
  #wanted = 0

  /** @param most bytes of a frame, without its length */
  constructor(most: number) {
    this.#most = most
  }

  /** How many bytes wait for the rest of their frame. */
  get held(): number {
    return this.#end - this.#at
  }

  push(bytes: Uint8Array): void {
    const held = this.held
    if (held === 0) {
      this.#bytes = bytes
      this.#at = 0
      this.#end = bytes.length
      this.#isOurs = false
      return
    }
    const needed = held + bytes.length
    if (!this.#isOurs || this.#end + bytes.length > this.#bytes.length) {
      const all = new Uint8Array(this.#roomFor(needed))
      all.set(this.#bytes.subarray(this.#at, this.#end))
      this.#bytes = all
      this.#at = 0
      this.#end = held
      this.#isOurs = true
    }
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** The next frame; nothing while it is not whole, and a word where it is longer than it may be, behind which nothing can be read. */
  next(): Uint8Array | "oversized" | undefined {
    let length = 0
    for (let n = 0, scale = 1; n < MOST_LENGTH_BYTES; n++, scale *= 128) {
      const at = this.#at + n
      if (at >= this.#end) return undefined
      const byte = this.#bytes[at] as number
      length += (byte % 128) * scale
      if (byte < 128) return this.#frame(n + 1, length)
    }
    return "oversized"
  }

  /** Twice as much where pieces go on to come, and no more than their frame needs. */
  #roomFor(needed: number): number {
    if (needed < this.#wanted) {
      return needed < PROVEN_BYTES ? Math.max(LEAST_ROOM, Math.min(this.#wanted, 2 * needed)) : this.#wanted
    }
    return Math.max(LEAST_ROOM, this.#isOurs ? 2 * needed : needed)
  }

  #frame(from: number, length: number): Uint8Array | "oversized" | undefined {
    if (length > this.#most) return "oversized"
    this.#wanted = from + length
    if (this.held < this.#wanted) return undefined
    const frame = this.#bytes.subarray(this.#at + from, this.#at + this.#wanted)
    this.#at += this.#wanted
    return frame
  }
}
