import { type Reader, compactSizeLength } from "@satwire/bytes"
import { HEADER_SIZE } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"

/**
 * Bitcoin Core's `MAX_HEADERS_RESULTS` (net_processing.h): headers of one message.
 *
 * @limit headers of a message
 */
export const MAX_HEADERS_RESULTS = 2000

/** The longest CompactSize that is not over `MAX_SIZE`. */
const MAX_COUNT_SIZE = 5

/**
 * Headers, each the child of the one before; answers `getheaders` or announces blocks (BIP-0130).
 *
 * On the wire a count of transactions stands after each header. It is always 0 and means nothing, and is dropped here, so that the
 * headers lie side by side as they do in a column.
 */
export interface Headers {
  readonly _tag: "headers"
  /** `count` raw headers of 80 bytes, one after another, in an array of their own. */
  readonly headers: Uint8Array
  readonly count: number
}

/** The message of these raw headers, 80 bytes each, one after another. Their ownership moves to it. */
export const headersMessage = (headers: Uint8Array): Headers => {
  if (headers.length % HEADER_SIZE !== 0) throw new RangeError(`${headers.length} bytes are no whole headers`)
  return { _tag: "headers", headers, count: headers.length / HEADER_SIZE }
}

const decode = (r: Reader): Headers => {
  const count = r.count(MAX_HEADERS_RESULTS, HEADER_SIZE + 1, "headers")
  const headers = new Uint8Array(count * HEADER_SIZE)
  for (let i = 0; i < count; i++) {
    r.copyTo(headers, i * HEADER_SIZE, HEADER_SIZE, "header")
    r.compactSize("transaction count")
  }
  return { _tag: "headers", headers, count }
}

export const headers: Codec<Headers> = defineCodec<Headers>({
  command: "headers",
  shortId: 13,
  spec: "Bitcoin Core 28.1",
  maxSize: compactSizeLength(MAX_HEADERS_RESULTS) + MAX_HEADERS_RESULTS * (HEADER_SIZE + MAX_COUNT_SIZE),
  // Core 28.1 `net_processing.cpp`: `Misbehaving`.
  overLimit: "discourage",
  size: (m) => compactSizeLength(m.count) + m.count * (HEADER_SIZE + 1),
  encode(w, m) {
    w.compactSize(m.count)
    for (let i = 0; i < m.count; i++) {
      w.raw(m.headers.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE))
      w.u8(0)
    }
  },
  decode
})
