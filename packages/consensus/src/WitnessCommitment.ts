/**
 * The commitment of a block to its witnesses: the last output of its coinbase that has the form holds a hash over the root of the wtxids
 * and a reserved value, which is the coinbase's own witness.
 *
 * Nothing of this is under the hash of the block: who passes a block on can change its witnesses. So each fault here says that these
 * bytes are not the block, and nothing about the block itself.
 *
 * Source: BIP-0141 §"Commitment structure", Bitcoin Core 28.1 `validation.cpp` (`CheckWitnessMalleation`), `consensus/validation.h`
 * (`GetWitnessCommitmentIndex`).
 */
import { compactSizeAt, compactSizeLengthAt } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import {
  BLOCK_PARTS,
  type BlockView,
  OUTPOINT_SIZE,
  WITNESS_COMMITMENT_HEADER,
  merkleRootInPlace,
  witnessCommitmentHash
} from "@satwire/primitives"

export type WitnessRule =
  /** The coinbase's witness is not one item of 32 bytes. */
  | "bad-witness-nonce-size"
  | "bad-witness-merkle-match"
  /** Witnesses that the block does not commit to. */
  | "unexpected-witness"

const RESERVED_VALUE_SIZE = 32
/** Bitcoin Core's `MINIMUM_WITNESS_COMMITMENT` (consensus/validation.h). */
const MINIMUM_WITNESS_COMMITMENT = 38

/** Where a script lies in a block's bytes. */
export interface ScriptPlace {
  /** Where its length stands. */
  readonly lengthAt: number
  readonly start: number
  readonly end: number
}

/** Where the script lies in whose output the block commits to its witnesses, or `undefined` where there is none. */
export const commitmentPlace = (block: BlockView): ScriptPlace | undefined => {
  if (block.transactionCount === 0) return undefined
  const b = block.bytes
  let at = block.parts[1] as number
  const inputs = compactSizeAt(b, at)
  at += compactSizeLengthAt(b, at)
  for (let i = 0; i < inputs; i++) {
    at += OUTPOINT_SIZE
    at += compactSizeLengthAt(b, at) + compactSizeAt(b, at) + 4
  }
  const outputs = compactSizeAt(b, at)
  at += compactSizeLengthAt(b, at)
  let found: ScriptPlace | undefined
  for (let i = 0; i < outputs; i++) {
    const lengthAt = at + 8
    const start = lengthAt + compactSizeLengthAt(b, lengthAt)
    const end = start + compactSizeAt(b, lengthAt)
    if (end - start >= MINIMUM_WITNESS_COMMITMENT && isCommitment(b, start)) found = { lengthAt, start, end }
    at = end
  }
  return found
}

const isCommitment = (b: Uint8Array, at: number): boolean => {
  for (let i = 0; i < WITNESS_COMMITMENT_HEADER.length; i++) {
    if (b[at + i] !== WITNESS_COMMITMENT_HEADER[i]) return false
  }
  return true
}

/**
 * The rule that the block's witnesses break, or `undefined`. Its first transaction must be a coinbase.
 *
 * @param isActive whether segwit is active for the block: before, no output is a commitment
 * @param txids those of the block, where they are at hand
 * @param wtxids those of the block, where they are at hand; used up as working memory
 */
export const witnessFault = (
  sha256: Sha256,
  block: BlockView,
  isActive: boolean,
  txids: Uint8Array | undefined,
  wtxids?: Uint8Array
): WitnessRule | undefined => {
  const place = isActive ? commitmentPlace(block) : undefined
  if (place === undefined) return firstWitness(block) < 0 ? undefined : "unexpected-witness"
  const b = block.bytes
  const stack = block.parts[2] as number
  if (!block.hasWitness(0) || b[stack] !== 1 || b[stack + 1] !== RESERVED_VALUE_SIZE) return "bad-witness-nonce-size"
  const reserved = b.subarray(stack + 2, stack + 2 + RESERVED_VALUE_SIZE)
  const expected = witnessCommitmentHash(sha256, witnessRoot(sha256, block, txids, wtxids), reserved)
  const at = place.start + WITNESS_COMMITMENT_HEADER.length
  for (let i = 0; i < expected.length; i++) if (b[at + i] !== expected[i]) return "bad-witness-merkle-match"
  return undefined
}

/** The first transaction that came with witnesses, or -1. */
export const firstWitness = (block: BlockView): number => {
  for (let i = 0; i < block.transactionCount; i++) if (block.hasWitness(i)) return i
  return -1
}

/** Of a coinbase alone it is known beforehand. */
const witnessRoot = (
  sha256: Sha256,
  block: BlockView,
  txids: Uint8Array | undefined,
  wtxids: Uint8Array | undefined
): Uint8Array =>
  block.transactionCount === 1
    ? new Uint8Array(32)
    : merkleRootInPlace(sha256, wtxids ?? block.wtxids(sha256, txids), block.transactionCount).root

/** Whether any transaction without its witness has the size of two hashes, and so may be a node of another block's tree. */
export const mayBeNodes = (block: BlockView): boolean => {
  const { parts } = block
  for (let p = 0; p < parts.length; p += BLOCK_PARTS) {
    if (8 + (parts[p + 2] as number) - (parts[p + 1] as number) === 64) return true
  }
  return false
}
