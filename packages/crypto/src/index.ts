export { ChaChaRandom } from "./ChaChaRandom.ts"
export {
  type Incremental,
  type IncrementalSha256d,
  type OneShot,
  type Sha256,
  portableSha256,
  sha256From,
  sha256d
} from "./Sha256.ts"
export { type SipKey, sipHash24, sipKey } from "./SipHash.ts"
