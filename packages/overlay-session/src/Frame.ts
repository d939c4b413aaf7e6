/**
 * Frames of a session: a length, a kind, and bytes.
 *
 * ```
 *   │ length of all that follows, u32 big-endian │ kind, u8 │ payload … │
 * ```
 *
 * A frame that lies whole in a chunk is handed on as a view; one that is cut is gathered in memory that grows with what has come, so that a
 * length alone allocates nothing.
 */

export const FRAME_HEAD_BYTES = 5
const LENGTH_BYTES = 4

export const FrameKind = {
  hello: 0,
  proof: 1,
  /** An envelope as it is. */
  envelope: 2,
  /** An envelope, deflated. */
  deflated: 3,
  /** An envelope, as what changed since the last of its type. */
  delta: 4,
  ping: 5,
  pong: 6
} as const
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]

/** Writes the head of a frame with so many bytes of payload. */
export const writeHead = (out: Uint8Array, at: number, kind: FrameKind, payloadBytes: number): void => {
  const length = payloadBytes + 1
  out[at] = length >>> 24
  out[at + 1] = length >>> 16
  out[at + 2] = length >>> 8
  out[at + 3] = length
  out[at + 4] = kind
}

/** A whole frame in an array of its own. */
export const frameOf = (kind: FrameKind, payload: Uint8Array): Uint8Array<ArrayBuffer> => {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + payload.length)
  writeHead(frame, 0, kind, payload.length)
  frame.set(payload, FRAME_HEAD_BYTES)
  return frame
}

/** Takes a frame; its payload is a view that is valid during the call. Whether more are wanted. */
export type OnFrame = (kind: number, payload: Uint8Array) => boolean

const lengthAt = (b: Uint8Array, at: number): number =>
  (b[at] as number) * 0x100_0000 +
  (((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number))

const FIRST_BYTES = 1024

export class FrameReader {
  readonly #maxBytes: number
  /** The beginning of a frame that is not whole yet. */
  #held: Uint8Array = new Uint8Array(0)
  #heldBytes = 0

  /** @param maxBytes of a payload */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of memory that it holds. */
  get heldBytes(): number {
    return this.#held.length
  }

  /** Hands on every frame that is whole now. False where a frame is longer than any may be, or empty: nothing is read after that. */
  read(chunk: Uint8Array, onFrame: OnFrame): boolean {
    let at = 0
    while (this.#heldBytes > 0) {
      const need = this.#needed()
      if (need === undefined) return false
      const taken = Math.min(need - this.#heldBytes, chunk.length - at)
      this.#hold(chunk.subarray(at, at + taken))
      at += taken
      if (this.#heldBytes < need) return true
      if (need === LENGTH_BYTES) continue
      const [held, length] = [this.#held, need]
      this.#held = new Uint8Array(0)
      this.#heldBytes = 0
      if (!onFrame(held[LENGTH_BYTES] as number, held.subarray(FRAME_HEAD_BYTES, length))) return true
    }
    while (at + LENGTH_BYTES <= chunk.length) {
      const length = lengthAt(chunk, at)
      if (!this.#isFrame(length)) return false
      const end = at + LENGTH_BYTES + length
      if (end > chunk.length) break
      if (!onFrame(chunk[at + LENGTH_BYTES] as number, chunk.subarray(at + FRAME_HEAD_BYTES, end))) return true
      at = end
    }
    if (at < chunk.length) this.#hold(chunk.subarray(at))
    return true
  }

  /** How many bytes of what is held are to come together: a length, or a frame. `undefined` where no frame is so long. */
  #needed(): number | undefined {
    if (this.#heldBytes < LENGTH_BYTES) return LENGTH_BYTES
    const length = lengthAt(this.#held, 0)
    return this.#isFrame(length) ? LENGTH_BYTES + length : undefined
  }

  #isFrame(length: number): boolean {
    return length >= 1 && length <= this.#maxBytes + 1
  }

  #hold(bytes: Uint8Array): void {
    const size = this.#heldBytes + bytes.length
    if (size > this.#held.length) {
      const larger = new Uint8Array(Math.max(FIRST_BYTES, size, Math.min(2 * this.#held.length, this.#maxBytes)))
      larger.set(this.#held.subarray(0, this.#heldBytes))
      this.#held = larger
    }
    this.#held.set(bytes, this.#heldBytes)
    this.#heldBytes = size
  }
}
