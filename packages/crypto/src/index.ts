export { ChaChaRandom } from "./ChaChaRandom.ts"
export {
  type IncrementalSha256,
  type IncrementalSha256d,
  type Sha256,
  type Sha256Range,
  portableSha256,
  sha256From,
  sha256d
} from "./Sha256.ts"
export { type SipKey, sipHash24, sipKey } from "./SipHash.ts"
export { type LongMessages, makeScalarSha256, makeSimdSha256, makeWasmSha256, wasmSha256 } from "./WasmSha256.ts"
export { ID_BYTES, type SipHashMany, makeWasmSipHashMany, portableSipHashMany, sipHashMany } from "./SipHashMany.ts"
