import { compactSizeLength, varBytesLength } from "@satwire/bytes"
import { byteStringSize, readByteString, writeByteString } from "../ByteString.ts"
import { type Codec, defineCodec } from "../Codec.ts"

/** BIP-0434 §"feature message": the shortest name of a feature has room for a BIP of one digit. */
export const MIN_FEATURE_ID_SIZE = 4
/**
 * BIP-0434 §"feature message": bytes of a feature's name.
 *
 * @limit bytes of a feature's name
 */
export const MAX_FEATURE_ID_SIZE = 80
/**
 * BIP-0434 §"feature message": bytes of a feature's data.
 *
 * @limit bytes of a feature's data
 */
export const MAX_FEATURE_DATA_SIZE = 512

/** Says that a feature is understood, by its name. Between `version` and `verack` only, from version 70017 on. */
export interface Feature {
  readonly _tag: "feature"
  /** One character for each byte that was sent. Sanitize it before showing it. */
  readonly featureId: string
  /** What the feature's own specification puts here; empty for most. */
  readonly featureData: Uint8Array
}

export const feature: Codec<Feature> = defineCodec<Feature>({
  command: "feature",
  // Before `verack`: afterwards nothing is sent under it (BIP-0434 §"feature message 1-byte identifier").
  shortId: 37,
  spec: "BIP-0434",
  maxSize:
    compactSizeLength(MAX_FEATURE_ID_SIZE) +
    MAX_FEATURE_ID_SIZE +
    compactSizeLength(MAX_FEATURE_DATA_SIZE) +
    MAX_FEATURE_DATA_SIZE,
  // Core 31.99 `net_processing.cpp` disconnects for anything that is not exactly a feature, left-over bytes included.
  malformed: "disconnect",
  overLimit: "disconnect",
  strict: true,
  size: (m) => byteStringSize(m.featureId) + varBytesLength(m.featureData),
  encode(w, m) {
    writeByteString(w, m.featureId, "feature id")
    w.varBytes(m.featureData)
  },
  decode(r) {
    const featureId = readByteString(r, MAX_FEATURE_ID_SIZE, "feature id")
    if (featureId.length < MIN_FEATURE_ID_SIZE) r.malformed(`a feature id of ${featureId.length} bytes`, 0)
    return { _tag: "feature", featureId, featureData: r.varBytes(MAX_FEATURE_DATA_SIZE, "feature data") }
  }
})
