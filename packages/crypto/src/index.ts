export { AEAD_PIECE_BYTES, AEAD_TAG_SIZE, type Aead, type AeadKey, aeadBySize, portableAead } from "./Aead.ts"
export { type Bip324Secrets, GARBAGE_TERMINATOR_SIZE, bip324Secrets, bip324SharedSecret } from "./Bip324.ts"
export { ChaChaRandom } from "./ChaChaRandom.ts"
export { ELL_SWIFT_SIZE, type EllSwiftKey, ellSwiftCreate, ellSwiftDecode, ellSwiftSharedX } from "./EllSwift.ts"
export { FsChaCha20, FsChaCha20Poly1305, REKEY_INTERVAL } from "./ForwardSecure.ts"
export {
  type IncrementalSha256,
  type IncrementalSha256d,
  type Sha256,
  type Sha256Range,
  portableSha256,
  sha256From,
  sha256d
} from "./Sha256.ts"
export {
  SIGNATURE_SIZE,
  type SignatureLibrary,
  type Signatures,
  portableSignatures,
  signaturesFrom
} from "./Signatures.ts"
export { type SchnorrKey, TAGGED_HASH_SIZE, makeSchnorrKey, schnorrKey, taggedHash } from "./Signing.ts"
export { type SipKey, sipHash24, sipKey } from "./SipHash.ts"
export { type LongMessages, makeScalarSha256, makeSimdSha256, makeWasmSha256, wasmSha256 } from "./WasmSha256.ts"
export {
  ID_BYTES,
  type SipHashMany,
  makeScalarSipHashMany,
  makeSimdSipHashMany,
  portableSipHashMany,
  sipHashMany
} from "./SipHashMany.ts"
export { type CurvePoint, type XOnlyCurve, portableCurve } from "./XOnlyCurve.ts"
