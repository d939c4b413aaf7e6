/** A bound on the messages of a protocol whose own reader has none, or a large one: what js-libp2p reads by their length in front. */
import type { Stream } from "@libp2p/interface"

/** More than any length that is let through takes. */
const MAX_LENGTH_BITS = 35

/** Aborts the stream as soon as the other end says that its next message has more bytes. Before whoever reads it listens. */
export const boundFrames = (stream: Pick<Stream, "addEventListener" | "abort">, maxBytes: number): void => {
  let left = 0
  let length = 0
  let bits = 0
  /** Whether what is said of the next message is too much. */
  const isTooLarge = (byte: number): boolean => {
    length += (byte & 127) * 2 ** bits
    bits += 7
    if (length > maxBytes || bits > MAX_LENGTH_BITS) return true
    if (byte >= 128) return false
    left = length
    length = bits = 0
    return false
  }
  stream.addEventListener("message", ({ data }) => {
    for (const piece of data instanceof Uint8Array ? [data] : data) {
      let at = 0
      while (at < piece.length) {
        const body = Math.min(left, piece.length - at)
        left -= body
        at += body
        if (at < piece.length && isTooLarge(piece[at++] as number))
          return stream.abort(new Error("too large a message"))
      }
    }
  })
}
