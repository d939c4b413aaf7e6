/**
 * The part of a block's merkle tree that proves some of its transactions (BIP-0037 §"Partial Merkle branch format"): what a `merkleblock`
 * carries and `gettxoutproof` gives.
 *
 * ```
 *            ●1                 a bit for each node visited, depth first: 1 where a proven leaf lies below
 *          ╱    ╲               a hash for each node where the walk ends
 *        ●1      ○0 ─ hash
 *       ╱  ╲
 *  hash ○0  ●1 ─ hash, proven
 * ```
 *
 * A stranger's tree is taken only where every bit and hash is used, no right-hand node repeats its left (CVE-2012-2459), and it is no larger
 * than a block can be. What it cannot tell: 64 bytes that are two hashes may also be a transaction (CVE-2017-12842). Who does not know how
 * many transactions the block has compares `height` with that of a proof of its coinbase.
 *
 * Source: Bitcoin Core 28.1 `merkleblock.cpp`.
 */
import type { Sha256 } from "@satwire/crypto"
import type { Txid } from "@satwire/primitives"
import * as Result from "effect/Result"

/**
 * Bitcoin Core's `MAX_BLOCK_WEIGHT / MIN_TRANSACTION_WEIGHT` (merkleblock.cpp).
 *
 * @limit transactions of a block whose partial tree is taken
 */
export const MAX_TREE_TRANSACTIONS = 16_666

export interface PartialMerkleTree {
  /** Transactions of the whole block. */
  readonly transactionCount: number
  /** The hashes, depth first, one after another. */
  readonly hashes: Uint8Array
  /** The bits, depth first, the first lowest in the first byte. */
  readonly flags: Uint8Array
}

export interface ProvenTransaction {
  /** Its number in the block, from 0. */
  readonly index: number
  readonly txid: Txid
}

export interface PartialMerkleProof {
  /** To be compared with the header's. */
  readonly root: Uint8Array
  /** In the order of the block. */
  readonly proven: ReadonlyArray<ProvenTransaction>
  /** Levels between root and leaves: equal for all transactions of a block. */
  readonly height: number
}

/** Why a partial tree is none. */
export type PartialTreeFault =
  | "noTransactions"
  | "tooManyTransactions"
  | "moreHashesThanTransactions"
  | "fewerBitsThanHashes"
  /** Bits or hashes end within the walk. */
  | "endsEarly"
  /** A right-hand node is the same as its left: the list may be a doubled one. */
  | "repeatedNode"
  | "bitsLeftOver"
  | "hashesLeftOver"

/** How many nodes a level has, `height` levels above the leaves. */
const width = (leaves: number, height: number): number => Math.ceil(leaves / 2 ** height)

const heightOf = (leaves: number): number => {
  let height = 0
  while (width(leaves, height) > 1) height += 1
  return height
}

/** The partial tree that proves the transactions for which `isProven` is true, of a block with these txids, one after another. */
export const buildPartialTree = (
  backend: Sha256,
  txids: Uint8Array,
  isProven: (index: number) => boolean
): PartialMerkleTree => {
  const count = txids.length / 32
  if (!Number.isInteger(count) || count === 0) throw new RangeError(`${txids.length} bytes are no txids of a block`)
  const levels = [txids]
  const marks = [Uint8Array.from({ length: count }, (_, i) => (isProven(i) ? 1 : 0))]
  for (let height = 1; height <= heightOf(count); height++) {
    levels.push(levelAbove(backend, levels[height - 1] as Uint8Array))
    const below = marks[height - 1] as Uint8Array
    marks.push(
      Uint8Array.from({ length: width(count, height) }, (_, i) => (below[2 * i] as number) | (below[2 * i + 1] ?? 0))
    )
  }
  const bits: Array<number> = []
  const hashes: Array<Uint8Array> = []
  const visit = (height: number, at: number): void => {
    const marked = (marks[height] as Uint8Array)[at] as number
    bits.push(marked)
    if (height === 0 || marked === 0) hashes.push((levels[height] as Uint8Array).subarray(32 * at, 32 * at + 32))
    else {
      visit(height - 1, 2 * at)
      if (2 * at + 1 < width(count, height - 1)) visit(height - 1, 2 * at + 1)
    }
  }
  visit(levels.length - 1, 0)
  return { transactionCount: count, hashes: joined(hashes), flags: packed(bits) }
}

const levelAbove = (backend: Sha256, level: Uint8Array): Uint8Array => {
  const pairs = Math.ceil(level.length / 64)
  const nodes = new Uint8Array(64 * pairs)
  nodes.set(level)
  if (level.length % 64 !== 0) nodes.copyWithin(level.length, level.length - 32, level.length)
  backend.sha256dMany(nodes, 0, 64, 64, pairs, nodes, 0)
  return nodes.slice(0, 32 * pairs)
}

const joined = (hashes: ReadonlyArray<Uint8Array>): Uint8Array => {
  const flat = new Uint8Array(32 * hashes.length)
  hashes.forEach((hash, i) => flat.set(hash, 32 * i))
  return flat
}

const packed = (bits: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  bits.forEach((bit, i) => {
    bytes[i >>> 3] = (bytes[i >>> 3] as number) | (bit << (i & 7))
  })
  return bytes
}

/** What a partial tree proves, or why it is none. Byte fields are copies. Never throws on any input. */
export const verifyPartialTree = (
  backend: Sha256,
  tree: PartialMerkleTree
): Result.Result<PartialMerkleProof, PartialTreeFault> => {
  const { transactionCount, hashes, flags } = tree
  if (transactionCount === 0) return Result.fail("noTransactions")
  if (transactionCount > MAX_TREE_TRANSACTIONS) return Result.fail("tooManyTransactions")
  if (hashes.length / 32 > transactionCount) return Result.fail("moreHashesThanTransactions")
  if (8 * flags.length < hashes.length / 32) return Result.fail("fewerBitsThanHashes")
  const walk = new Walk(backend, tree)
  const height = heightOf(transactionCount)
  const root = walk.visit(height, 0)
  if (walk.fault !== undefined) return Result.fail(walk.fault)
  if (Math.ceil(walk.bits / 8) !== flags.length) return Result.fail("bitsLeftOver")
  if (32 * walk.hashes !== hashes.length) return Result.fail("hashesLeftOver")
  return Result.succeed({ root, proven: walk.proven, height })
}

class Walk {
  /** Bits and hashes used so far. */
  bits = 0
  hashes = 0
  fault: PartialTreeFault | undefined = undefined
  readonly proven: Array<ProvenTransaction> = []
  readonly #backend: Sha256
  readonly #tree: PartialMerkleTree

  constructor(backend: Sha256, tree: PartialMerkleTree) {
    this.#backend = backend
    this.#tree = tree
  }

  /** The hash of a node, at most 15 levels deep. After a fault it means nothing, and nothing more is visited. */
  visit(height: number, at: number): Uint8Array {
    const { flags, transactionCount } = this.#tree
    if (this.fault !== undefined || this.bits >= 8 * flags.length) return this.#stop("endsEarly")
    const marked = ((flags[this.bits >>> 3] as number) >>> (this.bits & 7)) & 1
    this.bits += 1
    if (height === 0 || marked === 0) return this.#take(height, at, marked)
    const pair = new Uint8Array(64)
    pair.set(this.visit(height - 1, 2 * at))
    if (2 * at + 1 < width(transactionCount, height - 1)) {
      pair.set(this.visit(height - 1, 2 * at + 1), 32)
      if (same(pair)) return this.#stop("repeatedNode")
    } else pair.copyWithin(32, 0, 32)
    const hash = new Uint8Array(32)
    this.#backend.sha256d(pair, 0, 64, hash, 0)
    return hash
  }

  #take(height: number, at: number, marked: number): Uint8Array {
    const { hashes } = this.#tree
    const start = 32 * this.hashes
    if (start >= hashes.length) return this.#stop("endsEarly")
    this.hashes += 1
    const hash = hashes.slice(start, start + 32)
    if (height === 0 && marked === 1) this.proven.push({ index: at, txid: hash as Uint8Array as Txid })
    return hash
  }

  #stop(fault: PartialTreeFault): Uint8Array {
    this.fault ??= fault
    return NO_HASH
  }
}

const NO_HASH = new Uint8Array(32)

const same = (pair: Uint8Array): boolean => {
  for (let i = 0; i < 32; i++) if (pair[i] !== pair[32 + i]) return false
  return true
}
