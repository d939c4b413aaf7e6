export {
  BASIC_FILTER_M,
  BASIC_FILTER_P,
  buildBasicFilter,
  decodeBasicFilter,
  filterHash,
  filterHeader,
  filterHeaders
} from "./BasicFilter.ts"
export {
  type BloomFields,
  BloomFilter,
  type BloomUpdate,
  MAX_BLOOM_FILTER_SIZE,
  MAX_HASH_FUNCS
} from "./BloomFilter.ts"
export { GcsFilter, type GcsParams } from "./GcsFilter.ts"
export { murmur3 } from "./Murmur3.ts"
export {
  MAX_TREE_TRANSACTIONS,
  type PartialMerkleProof,
  type PartialMerkleTree,
  type PartialTreeFault,
  type ProvenTransaction,
  buildPartialTree,
  verifyPartialTree
} from "./PartialMerkleTree.ts"
export { RollingBloomFilter } from "./RollingBloomFilter.ts"
