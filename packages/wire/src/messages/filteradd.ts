import { compactSizeLength, varBytesLength } from "@satwire/bytes"
import { type Codec, defineCodec } from "../Codec.ts"

/**
 * Bitcoin Core's `MAX_SCRIPT_ELEMENT_SIZE` (script/script.h): bytes of what is added to a bloom filter.
 *
 * @limit bytes of an element that is added to a bloom filter
 */
export const MAX_SCRIPT_ELEMENT_SIZE = 520

/** Adds an element to the filter that the sender has set (BIP-0037). */
export interface FilterAdd {
  readonly _tag: "filteradd"
  readonly element: Uint8Array
}

export const filteradd: Codec<FilterAdd> = defineCodec<FilterAdd>({
  command: "filteradd",
  shortId: 6,
  spec: "BIP-0037",
  maxSize: compactSizeLength(MAX_SCRIPT_ELEMENT_SIZE) + MAX_SCRIPT_ELEMENT_SIZE,
  // Core 28.1 `net_processing.cpp`: `Misbehaving`, "bad filteradd message".
  overLimit: "discourage",
  size: (m) => varBytesLength(m.element),
  encode: (w, m) => w.varBytes(m.element),
  decode: (r) => ({ _tag: "filteradd", element: r.varBytes(MAX_SCRIPT_ELEMENT_SIZE, "filter element") })
})
