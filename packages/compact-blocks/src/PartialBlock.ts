/**
 * A block that came as short ids and is put together again, of what its sender sent whole, of what is found in pools, and of what is asked
 * for (BIP-0152 §"cmpctblock", §"blocktxn").
 *
 * ```
 *   cmpctblock ─▶ begin ─▶ missing ─▶ getblocktxn ─▶ blocktxn ─▶ complete ─▶ the block, byte for byte
 *                   │                                             │
 *                   └─ Invalid, Failed                            └─ Invalid, Failed
 * ```
 *
 * Specification: what no honest peer sends is `Invalid`; what may happen to honest ones is `Failed`, and then the whole block is asked for and
 * nobody is blamed. Rationale: short ids collide, by chance or because somebody looked for two that do.
 *
 * Specification: it is completed once, whatever comes of it; the second time is an answer like any other. Rationale: CVE-2024-35202, where a
 * second `blocktxn` ended the node.
 *
 * Specification: nothing is put together that weighs more than a block may. Rationale: CVE-2025-46597, where a few bytes named the same
 * transactions so often that the block would not have fitted into memory.
 *
 * Source: Bitcoin Core 28.1 `blockencodings.cpp` (`PartiallyDownloadedBlock`).
 */
import { MAX_BLOCK_WEIGHT, isBlockMutated } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { type BlockView, type TransactionView, ZERO_HASH, encodeHeader } from "@satwire/primitives"
import { type CmpctBlock, type PrefilledTransaction, SHORTTXIDS_LENGTH, messageSize } from "@satwire/wire"
import { GatheredTransactions } from "./GatheredTransactions.ts"
import { PoolScan, ScannedPool } from "./PoolScan.ts"
import { ShortIdTable } from "./ShortIdTable.ts"
import { shortIdKey } from "./ShortIds.ts"
import type { TransactionPool } from "./TransactionPool.ts"

/** The size of a transaction of no inputs and no outputs, which Core calls null. */
const NULL_TRANSACTION_SIZE = 10
/** Numbers of transactions have 16 bits. */
const MAX_TRANSACTIONS = 0xffff

export interface PartialBlockOptions {
  readonly sha256: Sha256
  readonly message: CmpctBlock
  /** Looked through in this order. */
  readonly pools: ReadonlyArray<TransactionPool>
  /** Whether segwit is active for the block. */
  readonly hasWitness: boolean
}

export type Begun =
  | { readonly _tag: "Begun"; readonly partial: PartialBlock }
  /** Short ids that cannot be told apart, or more than a block may weigh: the whole block is to be asked for. */
  | { readonly _tag: "Failed"; readonly because: "short-ids" | "weight" }
  /** No honest peer sends this. */
  | { readonly _tag: "Invalid" }

export type Completed =
  | {
      readonly _tag: "Whole"
      readonly block: BlockView
      /** As `BlockView.wtxids` gives them. */
      readonly wtxids: Uint8Array
      readonly stats: RebuildStats
    }
  /** Not the block of its header, or more than a block may weigh: the whole block is to be asked for. */
  | { readonly _tag: "Failed"; readonly because: "mutated" | "weight" }
  /** Not as many transactions as were asked for: no honest peer sends this. */
  | { readonly _tag: "Invalid" }
  /** It was completed before. */
  | { readonly _tag: "Used" }

/** Where a block's transactions were found, and what it saved. */
export interface RebuildStats {
  readonly transactions: number
  readonly prefilled: number
  /** For each pool, in the order in which they were given. */
  readonly fromPools: ReadonlyArray<number>
  readonly fetched: number
  readonly blockBytes: number
  /** Payloads of `cmpctblock`, `getblocktxn` and `blocktxn`. */
  readonly messageBytes: number
}

export class PartialBlock {
  /** Numbers of the transactions that are still missing, rising. */
  readonly missing: ReadonlyArray<number>
  /** Numbers of those that its sender sent whole, rising. */
  readonly prefilled: ReadonlyArray<number>
  readonly #sha256: Sha256
  readonly #hasWitness: boolean
  readonly #rawHeader: Uint8Array
  readonly #fromPools: ReadonlyArray<number>
  readonly #messageBytes: number
  /** What is at hand; gone once it was completed. */
  #gathered: GatheredTransactions | undefined

  private constructor(options: PartialBlockOptions, gathered: GatheredTransactions, fromPools: ReadonlyArray<number>) {
    const { hasWitness, message, sha256 } = options
    this.#sha256 = sha256
    this.#hasWitness = hasWitness
    this.#rawHeader = encodeHeader(message.header)
    this.#fromPools = fromPools
    this.#messageBytes = messageSize(message)
    this.#gathered = gathered
    this.missing = gathered.missing()
    this.prefilled = message.prefilled.map(({ index }) => index)
  }

  /** Looks for the transactions of a block. */
  static begin(options: PartialBlockOptions): Begun {
    const { message, pools, sha256 } = options
    const { prefilled, shortIds } = message
    const ids = shortIds.length / SHORTTXIDS_LENGTH
    const count = ids + prefilled.length
    if (count === 0 || count > MAX_TRANSACTIONS || !areInPlace(prefilled, ids)) return { _tag: "Invalid" }
    const gathered = new GatheredTransactions(count)
    for (const { index, tx } of prefilled) gathered.put(index, tx)
    const table = ShortIdTable.of(shortIds, gathered.missing())
    if (table === undefined) return { _tag: "Failed", because: "short-ids" }
    const scan = new PoolScan(
      pools.map((pool) => new ScannedPool(pool)),
      gathered.txids,
      gathered.wtxids
    )
    scan.run(table, shortIdKey(sha256, encodeHeader(message.header), message.nonce), ids)
    for (let number = 0; number < count; number++) {
      const found = scan.poolOf(number)
      if (found === undefined) continue
      gathered.put(number, found.pool.transaction(scan.slotOf(number)))
      gathered.knowsWtxid(number, found.txids !== undefined)
    }
    if (gathered.weight > MAX_BLOCK_WEIGHT) return { _tag: "Failed", because: "weight" }
    return { _tag: "Begun", partial: new PartialBlock(options, gathered, scan.foundIn) }
  }

  /** Takes in what was missing, in its order. */
  complete(fetched: ReadonlyArray<TransactionView>): Completed {
    const gathered = this.#gathered
    this.#gathered = undefined
    if (gathered === undefined) return { _tag: "Used" }
    if (fetched.length !== this.missing.length) return { _tag: "Invalid" }
    for (const [i, tx] of fetched.entries()) gathered.put(this.missing[i] as number, tx)
    if (gathered.weight > MAX_BLOCK_WEIGHT) return { _tag: "Failed", because: "weight" }
    const block = gathered.join(this.#rawHeader)
    const hashes = gathered.hashes(this.#sha256, block)
    if (isBlockMutated(this.#sha256, block, this.#hasWitness, hashes)) return { _tag: "Failed", because: "mutated" }
    return { _tag: "Whole", block, wtxids: hashes.wtxids, stats: this.#statsOf(block, fetched) }
  }

  #statsOf(block: BlockView, fetched: ReadonlyArray<TransactionView>): RebuildStats {
    const asked =
      fetched.length === 0
        ? 0
        : messageSize({ _tag: "getblocktxn", blockHash: ZERO_HASH, indexes: this.missing }) +
          messageSize({ _tag: "blocktxn", blockHash: ZERO_HASH, transactions: fetched })
    return {
      transactions: block.transactionCount,
      prefilled: this.prefilled.length,
      fromPools: this.#fromPools,
      fetched: fetched.length,
      blockBytes: block.bytes.length,
      messageBytes: this.#messageBytes + asked
    }
  }
}

/**
 * Whether each prefilled transaction has a place in the block: their numbers rise, and none leaves a place before it for which there is no
 * short id either.
 */
const areInPlace = (prefilled: ReadonlyArray<PrefilledTransaction>, ids: number): boolean => {
  let last = -1
  return prefilled.every(({ index, tx }, i) => {
    const follows = index > last && index <= ids + i
    last = index
    return follows && tx.bytes.length > NULL_TRANSACTION_SIZE
  })
}
