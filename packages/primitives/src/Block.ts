/** A block as objects: its header and its transactions, and the commitment to their witnesses (BIP-0141). */
import { type Reader, type Writer, compactSizeLength, equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { type BlockHeader, HEADER_SIZE, readHeader, writeHeader } from "./BlockHeader.ts"
import { type MerkleRoot, merkleRoot } from "./MerkleTree.ts"
import { type Transaction, readTransaction, transactionSize, txid, writeTransaction, wtxid } from "./Transaction.ts"

export interface Block {
  readonly header: BlockHeader
  readonly transactions: ReadonlyArray<Transaction>
}

/** The smallest transaction, of no inputs and no outputs. */
const MIN_TRANSACTION_SIZE = 10

/** Reads a block. Byte fields are views into the input. */
export const readBlock = (r: Reader): Block => {
  const header = readHeader(r)
  const transactions = new Array<Transaction>(r.count(Infinity, MIN_TRANSACTION_SIZE, "transactions"))
  for (let i = 0; i < transactions.length; i++) transactions[i] = readTransaction(r)
  return { header, transactions }
}

/** Bytes of the block, with witnesses unless told otherwise. */
export const blockSize = (block: Block, witness = true): number => {
  let size = HEADER_SIZE + compactSizeLength(block.transactions.length)
  for (const tx of block.transactions) size += transactionSize(tx, witness)
  return size
}

/** Writes the block, with witnesses unless told otherwise. */
export const writeBlock = (w: Writer, block: Block, witness = true): void => {
  writeHeader(w, block.header)
  w.compactSize(block.transactions.length)
  for (const tx of block.transactions) writeTransaction(w, tx, witness)
}

/** The root over the txids: what the header's merkle root must be. */
export const blockMerkleRoot = (backend: Sha256, transactions: ReadonlyArray<Transaction>): MerkleRoot =>
  merkleRoot(
    backend,
    transactions.map((tx) => txid(backend, tx))
  )

/** The root over the wtxids, the coinbase's taken as zero (BIP-0141 §"Commitment structure"). */
export const witnessMerkleRoot = (backend: Sha256, transactions: ReadonlyArray<Transaction>): MerkleRoot =>
  merkleRoot(
    backend,
    transactions.map((tx, i) => (i === 0 ? new Uint8Array(32) : wtxid(backend, tx)))
  )

/** `OP_RETURN`, a push of 36 bytes and the four bytes aa21a9ed: how a commitment output begins (BIP-0141). */
export const WITNESS_COMMITMENT_HEADER: Uint8Array = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed)

/** The 32 bytes committed to by a coinbase, in the last output that has the form; `undefined` where none has. */
export const witnessCommitment = (coinbase: Transaction): Uint8Array | undefined => {
  for (let i = coinbase.outputs.length - 1; i >= 0; i--) {
    const script = coinbase.outputs[i]?.scriptPubKey
    if (script !== undefined && script.length >= 38 && equals(script.subarray(0, 6), WITNESS_COMMITMENT_HEADER)) {
      return script.subarray(6, 38)
    }
  }
  return undefined
}

/** SHA-256d of the witness root and the coinbase's reserved value: what a commitment must hold. */
export const witnessCommitmentHash = (
  backend: Sha256,
  witnessRoot: Uint8Array,
  reservedValue: Uint8Array
): Uint8Array => {
  const both = new Uint8Array(64)
  both.set(witnessRoot)
  both.set(reservedValue, 32)
  const digest = new Uint8Array(32)
  backend.sha256d(both, 0, 64, digest, 0)
  return digest
}
