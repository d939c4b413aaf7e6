export { HASH_BYTES, MAX_LEAVES, MerkleTree } from "./MerkleTree.ts"
export {
  MAX_RANGE_BYTES,
  MAX_RANGE_LEAVES,
  ProofError,
  type ProvenRange,
  type RangeProof,
  decodeRange,
  encodeRange,
  rangeBytes,
  verifyRange
} from "./RangeProof.ts"
export {
  MAX_KEY_BYTES,
  MAX_VALUE_BYTES,
  type StateEntry,
  StateError,
  StateTree,
  compareKeys,
  encodeEntry,
  entriesOf,
  verifyKey
} from "./StateTree.ts"
