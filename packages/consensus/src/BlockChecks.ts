/**
 * What a block must satisfy that can be told without coins: that its bytes are those of its header, that its transactions are sane, and
 * that it keeps to its place in the chain. Faults carry Bitcoin Core's names, and the first in Core's order is named.
 *
 * ```
 *   tree        merkle root, doubled tail              ── or the bytes are not the block
 *   signet      the solution (BIP-0325)
 *   by itself   size, coinbase, transactions, legacy signature operations
 *   in place    lock times (BIP-0113), height (BIP-0034)
 *   witnesses   commitment (BIP-0141)                  ── or the bytes are not the block
 *   weight
 * ```
 *
 * Specification: a fault says whether it is a mutation. The header is to be held invalid only for one that is none. Rationale: what is
 * not under the merkle root anybody can change who passes a block on, and a header that was held invalid for it would be lost for good
 * (CVE-2012-2459, CVE-2024-52921).
 *
 * One thing is in another order than in Core, which asks for signet's solution first: in a changed block it says nothing.
 *
 * Source: Bitcoin Core 28.1 `validation.cpp` (`CheckBlock`, `ContextualCheckBlock`, `IsBlockMutated`).
 */
import { compactSizeAt, compactSizeLengthAt } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import {
  BLOCK_PARTS,
  BlockView,
  HEADER_MERKLE_ROOT,
  OUTPOINT_SIZE,
  WITNESS_SCALE_FACTOR,
  merkleRootInPlace,
  scriptNumber
} from "@satwire/primitives"
import * as Result from "effect/Result"
import type { BlockContext } from "./BlockContext.ts"
import type { EcdsaVerifier } from "./SignetChallenge.ts"
import { hasSignetSolution } from "./SignetSolution.ts"
import {
  MAX_BLOCK_WEIGHT,
  type TransactionRule,
  TransactionWalk,
  hasPassed,
  isCoinbaseAt
} from "./TransactionChecks.ts"
import { type WitnessRule, firstWitness, mayBeNodes, witnessFault } from "./WitnessCommitment.ts"

/**
 * Bitcoin Core's `MAX_BLOCK_SIGOPS_COST` (consensus/consensus.h).
 *
 * @limit cost of the signature operations of a block, of which a legacy one costs four
 */
export const MAX_BLOCK_SIGOPS_COST = 80_000

export type BlockRule =
  | "bad-txnmrklroot"
  /** Its list of transactions is that of another block with the tail doubled (CVE-2012-2459). */
  | "bad-txns-duplicate"
  | "bad-signet-blksig"
  /** No transactions, or too many bytes without witnesses. Too many transactions, which Core names so too, have too many bytes. */
  | "bad-blk-length"
  | "bad-cb-missing"
  | "bad-cb-multiple"
  | TransactionRule
  | "bad-blk-sigops"
  | "bad-txns-nonfinal"
  /** The coinbase does not begin with the block's height (BIP-0034). */
  | "bad-cb-height"
  | WitnessRule
  | "bad-blk-weight"
  /** Bytes that are no block, which Core gives no name: only {@link checkBlockBytes} meets them. */
  | "undecodable"

export interface BlockFault {
  readonly rule: BlockRule
  /** Whether these bytes may be another block than that of their header: then the header must not be held invalid (Core `BLOCK_MUTATED`). */
  readonly isMutation: boolean
  /** The transaction that breaks the rule, where it is one. */
  readonly transaction: number | undefined
}

/**
 * The first rule that a block breaks, or `undefined`. Its proof of work is not looked at: it is the header's.
 *
 * @param ecdsa verifies the signatures of a signet's solution; needed where the context has a challenge
 */
export const checkBlock = (
  sha256: Sha256,
  block: BlockView,
  context: BlockContext,
  ecdsa?: EcdsaVerifier
): BlockFault | undefined => {
  const txids = block.txids(sha256)
  const { signetChallenge: challenge, hasWitness } = context
  // The tree uses up its leaves.
  const leaves = block.transactionCount > 1 && (hasWitness || challenge !== undefined) ? txids.slice() : txids
  const inTree = treeRule(sha256, block, leaves)
  if (inTree !== undefined) return { rule: inTree, isMutation: true, transaction: undefined }
  if (challenge !== undefined) {
    if (ecdsa === undefined) throw new RangeError("a signet's challenge needs somebody who verifies signatures")
    if (!hasSignetSolution(sha256, ecdsa, block, challenge, txids)) return truth(block, "bad-signet-blksig")
  }
  const byItself = bodyFault(block, context)
  if (byItself !== undefined) return byItself
  const ofWitness = witnessFault(sha256, block, hasWitness, txids)
  if (ofWitness !== undefined) {
    const transaction = ofWitness === "unexpected-witness" ? firstWitness(block) : 0
    return { rule: ofWitness, isMutation: true, transaction }
  }
  return block.weight > MAX_BLOCK_WEIGHT ? truth(block, "bad-blk-weight") : undefined
}

/**
 * Whether these bytes may be another block than that of their header (Core `IsBlockMutated`): for who puts a block together of parts. It
 * is true of every block whose fault is a mutation, and also of some whose first fault is of what is under the merkle root.
 *
 * @param hasWitness whether segwit is active for the block
 * @param hashes those of its transactions, where they are at hand; they stay as they are
 */
export const isBlockMutated = (
  sha256: Sha256,
  block: BlockView,
  hasWitness: boolean,
  hashes?: TransactionHashes
): boolean => {
  const txids = hashes?.txids ?? block.txids(sha256)
  if (treeRule(sha256, block, txids.slice()) !== undefined) return true
  const wtxids = hashes?.wtxids.slice()
  return (
    isAmbiguous(block) ||
    (beginsWithCoinbase(block) && witnessFault(sha256, block, hasWitness, txids, wtxids) !== undefined)
  )
}

/** All hashes of a block's transactions, as {@link BlockView.txids} and {@link BlockView.wtxids} give them. */
export interface TransactionHashes {
  readonly txids: Uint8Array
  readonly wtxids: Uint8Array
}

const treeRule = (sha256: Sha256, block: BlockView, leaves: Uint8Array): BlockRule | undefined => {
  const { root, mutated } = merkleRootInPlace(sha256, leaves, block.transactionCount)
  for (let i = 0; i < root.length; i++) {
    if (root[i] !== block.bytes[HEADER_MERKLE_ROOT + i]) return "bad-txnmrklroot"
  }
  return mutated ? "bad-txns-duplicate" : undefined
}

/** A fault of what is under the merkle root. */
const truth = (block: BlockView, rule: BlockRule, transaction?: number): BlockFault => ({
  rule,
  isMutation: isAmbiguous(block),
  transaction
})

/**
 * A transaction of 64 bytes may be two hashes of another block's tree. Where the first one is a coinbase nobody can have found such
 * hashes: that takes 224 bits of work.
 */
const isAmbiguous = (block: BlockView): boolean => !beginsWithCoinbase(block) && mayBeNodes(block)

const beginsWithCoinbase = (block: BlockView): boolean =>
  block.transactionCount > 0 && isCoinbaseAt(block.bytes, block.parts[1] as number)

/** Reused: walking calls nothing of its caller's. */
const walk = new TransactionWalk()

/** All rules that look at the transactions without their witnesses. */
const bodyFault = (block: BlockView, context: BlockContext): BlockFault | undefined => {
  const { bytes, parts, transactionCount } = block
  const most = MAX_BLOCK_WEIGHT / WITNESS_SCALE_FACTOR
  if (transactionCount === 0 || block.strippedSize > most) {
    return truth(block, "bad-blk-length")
  }
  if (!beginsWithCoinbase(block)) return truth(block, "bad-cb-missing", 0)
  let sigOps = 0
  let insane = -1
  let insaneRule: TransactionRule | undefined
  let nonFinal = -1
  for (let i = 0, p = 0; i < transactionCount; i++, p += BLOCK_PARTS) {
    walk.walk(bytes, parts[p + 1] as number, parts[p + 2] as number)
    if (i > 0 && walk.isCoinbase) return truth(block, "bad-cb-multiple", i)
    if (insane < 0 && walk.rule !== undefined) {
      insane = i
      insaneRule = walk.rule
    }
    sigOps += walk.sigOps
    if (nonFinal < 0 && !walk.isFinalised) {
      const lockTime = lockTimeBefore(bytes, parts[p + 3] as number)
      if (!hasPassed(lockTime, context.height, context.lockTimeCutoff)) nonFinal = i
    }
  }
  if (insaneRule !== undefined) return truth(block, insaneRule, insane)
  if (sigOps * WITNESS_SCALE_FACTOR > MAX_BLOCK_SIGOPS_COST) return truth(block, "bad-blk-sigops")
  if (nonFinal >= 0) return truth(block, "bad-txns-nonfinal", nonFinal)
  return context.hasHeight && !beginsWithHeight(block, context.height) ? truth(block, "bad-cb-height", 0) : undefined
}

/** A transaction ends with its lock time. */
const lockTimeBefore = (b: Uint8Array, end: number): number =>
  ((b[end - 4] as number) |
    ((b[end - 3] as number) << 8) |
    ((b[end - 2] as number) << 16) |
    ((b[end - 1] as number) << 24)) >>>
  0

/** Whether the coinbase's script begins with the push of `height` (BIP-0034). */
const beginsWithHeight = (block: BlockView, height: number): boolean => {
  const b = block.bytes
  const expected = scriptNumber(height)
  const lengthAt = (block.parts[1] as number) + 1 + OUTPOINT_SIZE
  if (compactSizeAt(b, lengthAt) < expected.length) return false
  const at = lengthAt + compactSizeLengthAt(b, lengthAt)
  return expected.every((byte, i) => b[at + i] === byte)
}

/** {@link checkBlock} for bytes that nobody has decoded yet. A tail behind the block is no part of it. */
export const checkBlockBytes = (
  sha256: Sha256,
  bytes: Uint8Array,
  context: BlockContext,
  ecdsa?: EcdsaVerifier
): BlockFault | undefined => {
  const decoded = BlockView.decode(bytes)
  if (Result.isSuccess(decoded)) return checkBlock(sha256, decoded.success.value, context, ecdsa)
  return { rule: "undecodable", isMutation: true, transaction: undefined }
}
