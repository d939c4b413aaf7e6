import { compactSizeLength, varBytesLength } from "@satwire/bytes"
import { type Codec, defineCodec } from "../Codec.ts"

/** Bytes of one element of a sketch: a member of a field of 2^32. */
export const SKETCH_ELEMENT_SIZE = 4
/**
 * Elements of a sketch, as in the implementation that the draft grew with (Core's pull request 21515, `MAX_SKETCH_CAPACITY`); an
 * extension brings as many again in a message of its own.
 *
 * @limit elements of a sketch
 */
export const MAX_SKETCH_CAPACITY = 8192

/** Draft. The sketch of the sender's set, or its extension (BIP-0330). */
export interface Sketch {
  readonly _tag: "sketch"
  /** Whole elements of four bytes. */
  readonly sketch: Uint8Array
}

export const sketch: Codec<Sketch> = defineCodec<Sketch>({
  command: "sketch",
  spec: "BIP-0330 (draft)",
  maxSize: compactSizeLength(MAX_SKETCH_CAPACITY * SKETCH_ELEMENT_SIZE) + MAX_SKETCH_CAPACITY * SKETCH_ELEMENT_SIZE,
  overLimit: "disconnect",
  size: (m) => varBytesLength(m.sketch),
  encode: (w, m) => w.varBytes(m.sketch),
  decode(r) {
    const sketch = r.varBytes(MAX_SKETCH_CAPACITY * SKETCH_ELEMENT_SIZE, "sketch")
    if (sketch.length % SKETCH_ELEMENT_SIZE !== 0) r.malformed(`a sketch of ${sketch.length} bytes`, 0)
    return { _tag: "sketch", sketch }
  }
})
