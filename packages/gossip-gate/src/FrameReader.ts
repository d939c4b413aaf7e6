/**
 * Frames out of the bytes of a stream, each with its length before it. Specification: it costs as much as there are bytes, in pieces of whatever size
 * they come. Rationale: libp2p's own decoder keeps the pieces in a list and takes each from its front, which with pieces of one byte is some seconds for
 * a megabyte (measured).
 *
 * ```
 *   [ used │ held, not whole yet │ free ]  [ rest ]    whole frames are views, and what they lie in is not written to again
 *          at                  end
 * ```
 *
 * A large frame is put together where nothing else lies: what comes with its end is the rest, and waits as it came.
 *
 * Source: libp2p specs, `pubsub/README.md` §"The RPC" (an unsigned varint and so many bytes).
 */

import { Buffer } from "node:buffer"

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
  #rest: Uint8Array | undefined = undefined
  /** Bytes of the frame that is not whole, its length included; nothing where that is not known. */
  #wanted = 0

  /** @param most bytes of a frame, without its length */
  constructor(most: number) {
    this.#most = most
  }

  /** How many bytes wait for the rest of their frame. */
  get held(): number {
    return this.#end - this.#at + (this.#rest?.length ?? 0)
  }

  push(bytes: Uint8Array): void {
    const rest = this.#rest
    if (rest !== undefined) {
      this.#rest = undefined
      this.#append(rest)
    }
    const lacking = this.#at + this.#wanted - this.#end
    const endsIt = this.#wanted > 0 && lacking > 0 && lacking < bytes.length
    if (rest !== undefined || !endsIt || this.#fits(bytes.length) || !this.#fits(lacking)) return this.#append(bytes)
    this.#append(bytes.subarray(0, lacking))
    this.#rest = bytes.subarray(lacking)
  }

  #fits(length: number): boolean {
    return this.#isOurs && this.#end + length <= this.#bytes.length
  }

  #begin(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#at = 0
    this.#end = bytes.length
    this.#isOurs = false
  }

  #append(bytes: Uint8Array): void {
    const held = this.held
    if (held === 0) return this.#begin(bytes)
    const needed = held + bytes.length
    if (!this.#fits(bytes.length)) {
      // Written to before anybody sees it, so nobody has to clear it.
      const all = new Uint8Array(Buffer.allocUnsafeSlow(this.#roomFor(needed)).buffer)
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
    if (this.#at === this.#end && this.#rest !== undefined) {
      this.#begin(this.#rest)
      this.#rest = undefined
    }
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
    const end = this.#at + this.#wanted
    if (this.#end < end) return undefined
    const frame = this.#bytes.subarray(this.#at + from, end)
    this.#at = end
    this.#wanted = 0
    return frame
  }
}
