export { type AddressFault, decodeAddress, encodeAddress } from "./Address.ts"
export {
  type Block,
  WITNESS_COMMITMENT_HEADER,
  blockMerkleRoot,
  blockSize,
  readBlock,
  witnessCommitment,
  witnessCommitmentHash,
  witnessMerkleRoot,
  writeBlock
} from "./Block.ts"
export {
  type BlockHeader,
  HEADER_BITS,
  HEADER_MERKLE_ROOT,
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  encodeHeader,
  headerHash,
  readHeader,
  writeHeader
} from "./BlockHeader.ts"
export { BLOCK_PARTS, BlockView, readBlockView } from "./BlockView.ts"
export { type ChainParams, type Deployment, type Genesis, genesisHeader, retargetPeriod } from "./ChainParams.ts"
export {
  type HeaderPoint,
  type HeaderPointsFault,
  MAX_HEADER_POINTS,
  formatHeaderPoints,
  parseHeaderPoints
} from "./HeaderPoints.ts"
export { BlockHash, Height, Satoshis, Txid, Wtxid, ZERO_HASH, blockHashFromHex, fromHex, toHex } from "./Hash.ts"
export { HashIndex } from "./HashIndex.ts"
export { HashMix, type HashOrigin } from "./HashMix.ts"
export { HashNumbers } from "./HashNumbers.ts"
export { merkleBranch, rootOfBranch } from "./MerkleBranch.ts"
export { type MerkleRoot, merkleRoot, merkleRootInPlace } from "./MerkleTree.ts"
export { mainnet, networks, regtest, signet, testnet3, testnet4 } from "./Networks.ts"
export { MixTable } from "./MixTable.ts"
export { type OutputScript, recognizeOutput } from "./OutputScript.ts"
export * from "./Script.ts"
export { bitsFromTarget, meetsTarget, targetFromBits, targetWords, workFromBits, workFromTarget } from "./Target.ts"
export {
  type OutPoint,
  type Transaction,
  type TxInput,
  type TxOutput,
  WITNESS_SCALE_FACTOR,
  hasWitness,
  readTransaction,
  transactionSize,
  transactionWeight,
  txid,
  writeTransaction,
  wtxid
} from "./Transaction.ts"
export { OUTPOINT_SIZE, TransactionParts } from "./TransactionParts.ts"
export { TransactionView, readTransactionView } from "./TransactionView.ts"
