/** Compression by the platform, on Node and Deno. */
import { deflateRawSync, inflateRawSync } from "node:zlib"
import type { Deflate } from "./Packing.ts"

/** Fast rather than small: a message is compressed once for each peer. */
const LEVEL = 3

export const platformDeflate: Deflate = {
  deflate: (bytes) => deflateRawSync(bytes, { level: LEVEL }),
  inflate(bytes, maxBytes) {
    try {
      // In memory of its own: the platform's may lie in a pool.
      return new Uint8Array(inflateRawSync(bytes, { maxOutputLength: maxBytes }))
    } catch {
      // The platform has no other way to say that bytes are malformed, or too many.
      return undefined
    }
  }
}
