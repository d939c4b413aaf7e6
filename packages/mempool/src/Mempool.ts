/**
 * The transactions that wait for a block: what is taken, what takes whose place, what leaves for want of room or as a block has it. It has
 * no clock and no I/O, and sees of the chain what it is told and what it looks up.
 *
 * ```
 *   submit ─▶ form ─▶ known? ─▶ coins, conflicts ─▶ fee floor ─▶ kin ─▶ replacement ─▶ │ in the pool │ ─▶ room made
 *                                      │ missing parents                                  ▲       │
 *                                      ▼                                     disconnected ┘       └▶ connected, expire
 *                                 MissingInputs
 * ```
 *
 * It checks form and sums, and no scripts. Coins are looked up where somebody knows them; where nobody does, a transaction is taken without
 * its fee, leaves first, and goes into a block last.
 *
 * Source: Bitcoin Core 30.0 `validation.cpp` (`MemPoolAccept`, `MaybeUpdateMempoolForReorg`), `txmempool.cpp`.
 */
import { equals } from "@satwire/bytes"
import { type TransactionFindings, isFinalTransaction, transactionFindings } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import type { Now, Random } from "@satwire/machine"
import {
  BLOCK_PARTS,
  type BlockView,
  TransactionParts,
  type TransactionView,
  Txid,
  WITNESS_SCALE_FACTOR,
  type Wtxid
} from "@satwire/primitives"
import { type BlockSelection, selectForBlock } from "./BlockSelection.ts"
import type { CoinLookup, NextBlock } from "./CoinLookup.ts"
import { EvictionOrder } from "./EvictionOrder.ts"
import { FeeFloor } from "./FeeFloor.ts"
import { keepsLimits, mayJoin } from "./PackageLimits.ts"
import { PoolGraph } from "./PoolGraph.ts"
import {
  DEFAULT_INCREMENTAL_RELAY_SAT_PER_KVB,
  DEFAULT_MAX_MEMPOOL_BYTES,
  DEFAULT_MEMPOOL_EXPIRY_SECONDS,
  DEFAULT_MIN_RELAY_SAT_PER_KVB,
  MAX_REPLACEMENT_CANDIDATES,
  MAX_STANDARD_TX_SIGOPS_COST,
  MAX_STANDARD_TX_WEIGHT,
  MIN_STANDARD_TX_NONWITNESS_SIZE,
  TX_MAX_STANDARD_VERSION,
  feeAt
} from "./PoolPolicy.ts"
import { type PoolDetails, detailsOf } from "./PoolDetails.ts"
import {
  type MissingInputs,
  type PoolResult,
  type PoolRule,
  type PoolTest,
  type PoolTransaction,
  type Rejected,
  rejected
} from "./PoolResult.ts"
import { replacementFault } from "./Replacement.ts"
import { SpentCoins } from "./SpentCoins.ts"

export interface MempoolOptions {
  readonly sha256: Sha256
  readonly random: Random
  /** The block that comes on top of the chain that is followed now. */
  readonly nextBlock: () => NextBlock
  /** Who knows coins, if anybody does. */
  readonly coins?: CoinLookup | undefined
  /** {@link DEFAULT_MAX_MEMPOOL_BYTES} where not given. */
  readonly maxBytes?: number | undefined
  /** {@link DEFAULT_MEMPOOL_EXPIRY_SECONDS} where not given. */
  readonly expirySeconds?: number | undefined
  /** {@link DEFAULT_MIN_RELAY_SAT_PER_KVB} where not given. */
  readonly minRelaySatPerKvb?: number | undefined
  /** {@link DEFAULT_INCREMENTAL_RELAY_SAT_PER_KVB} where not given. */
  readonly incrementalRelaySatPerKvb?: number | undefined
}

/** A transaction whose form is sound and that is not here, with what its inputs spend. */
interface Candidate {
  readonly tx: TransactionView
  readonly txid: Txid
  readonly wtxid: Wtxid
  readonly vsize: number
  readonly sigOpsCost: number
  readonly spent: SpentCoins
  /** That of the followed chain. */
  readonly height: number
}

const NONE: ReadonlySet<number> = new Set()

export class Mempool {
  readonly #sha256: Sha256
  readonly #nextBlock: () => NextBlock
  readonly #coins: CoinLookup | undefined
  readonly #maxBytes: number
  readonly #expirySeconds: number
  readonly #minRelay: number
  readonly #incremental: number
  readonly #graph: PoolGraph
  readonly #order: EvictionOrder
  readonly #floor: FeeFloor
  /** Reused: walking calls nothing of its caller's. */
  readonly #parts: TransactionParts = new TransactionParts()

  constructor(options: MempoolOptions) {
    this.#sha256 = options.sha256
    this.#nextBlock = options.nextBlock
    this.#coins = options.coins
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_MEMPOOL_BYTES
    this.#expirySeconds = options.expirySeconds ?? DEFAULT_MEMPOOL_EXPIRY_SECONDS
    this.#minRelay = options.minRelaySatPerKvb ?? DEFAULT_MIN_RELAY_SAT_PER_KVB
    this.#incremental = options.incrementalRelaySatPerKvb ?? DEFAULT_INCREMENTAL_RELAY_SAT_PER_KVB
    this.#graph = new PoolGraph(options.random)
    this.#order = new EvictionOrder(this.#graph)
    this.#floor = new FeeFloor(this.#incremental)
  }

  /** How many transactions are here. */
  get count(): number {
    return this.#graph.entries.count
  }

  /**
   * The wtxids of all transactions, 32 bytes each, in slots 0 to `count - 1`. Where one leaves, the last one takes its slot. To be read
   * only, and anew after every change of the pool.
   */
  get wtxids(): Uint8Array {
    return this.#graph.entries.wtxids
  }

  /** Their txids in the same way. */
  get txids(): Uint8Array {
    return this.#graph.entries.txids
  }

  /** The transaction in a slot, as a view into the pool's memory, which is never written over. */
  transaction(slot: number): TransactionView {
    if (!(slot >= 0 && slot < this.count)) throw new RangeError(`no slot ${slot} of ${this.count}`)
    return this.#graph.entries.transaction(this.#graph.entries.idOfSlot(slot))
  }

  /** The memory that the pool takes. */
  get memoryBytes(): number {
    return this.#graph.memoryBytes
  }

  /** The least fee rate that is taken, as of the last time that it was told one. */
  get minFeeRateSatPerKvb(): number {
    return Math.max(this.#minRelay, this.#floor.rateSatPerKvb)
  }

  hasTxid(txid: Uint8Array): boolean {
    return this.#graph.entries.byTxid(txid) >= 0
  }

  hasWtxid(wtxid: Uint8Array): boolean {
    return this.#graph.entries.byWtxid(wtxid) >= 0
  }

  find(wtxid: Uint8Array): PoolTransaction | undefined {
    return this.#described(this.#graph.entries.byWtxid(wtxid))
  }

  findByTxid(txid: Uint8Array): PoolTransaction | undefined {
    return this.#described(this.#graph.entries.byTxid(txid))
  }

  /** All of them in the order of arrival. The pool may change meanwhile: what leaves is not met any more, what comes is met in the end. */
  *entries(): IterableIterator<PoolTransaction> {
    const { entries } = this.#graph
    let sequence = 0
    for (let id = entries.oldest; id >= 0; id = entries.after(id, sequence)) {
      sequence = entries.sequence(id)
      yield entries.describe(id)
    }
  }

  /** Takes a transaction, or says why not. Its bytes are copied. */
  submit(tx: TransactionView, now: Now): PoolResult {
    this.#decay(now)
    const candidate = this.#examine(tx)
    if ("_tag" in candidate) return candidate
    const { spent, vsize } = candidate
    const fault = this.#feeFault(spent.fee, vsize)
    if (fault !== undefined) return rejected(fault)
    const taken = this.#accept(candidate, now)
    if (typeof taken === "string") return rejected(taken)
    const evicted = this.#makeRoom(taken.evicted)
    // What left for want of room may be the new one.
    const entry = this.find(candidate.wtxid)
    return entry === undefined
      ? rejected("mempool full", [...taken.replaced, ...evicted.filter(({ txid }) => !equals(txid, candidate.txid))])
      : { _tag: "Accepted", entry, replaced: taken.replaced, evicted }
  }

  /** What `submit` would say, and nothing is taken. That there is no room for it is found out by `submit` alone. */
  test(tx: TransactionView): PoolTest {
    const candidate = this.#examine(tx)
    if ("_tag" in candidate) return candidate
    const { spent, txid, vsize, wtxid } = candidate
    const fault = this.#feeFault(spent.fee, vsize) ?? this.#kinFault(candidate)
    return fault === undefined ? { _tag: "Acceptable", txid, wtxid, vsize, fee: spent.fee } : rejected(fault)
  }

  /** One of the pool with all that hangs together with it. */
  details(txid: Uint8Array): PoolDetails | undefined {
    const id = this.#graph.entries.byTxid(txid)
    return id < 0 ? undefined : detailsOf(this.#graph, id)
  }

  /** The txids of what a transaction of the pool depends on, or of what depends on it; `undefined` where it is not here. */
  kin(txid: Uint8Array, which: "ancestors" | "descendants"): ReadonlyArray<Txid> | undefined {
    const { entries, kin } = this.#graph
    const id = entries.byTxid(txid)
    if (id < 0) return undefined
    const found = which === "ancestors" ? kin.ancestors(id) : kin.descendants([id])
    return [...found].filter((each) => each !== id).map((each) => entries.describe(each).txid)
  }

  /** Of all transactions: their bytes as they count for a block, and the satoshis that they pay as far as that is known. */
  get totals(): { readonly vsize: number; readonly fee: number } {
    const { entries } = this.#graph
    const ids = Array.from({ length: entries.count }, (_, slot) => entries.idOfSlot(slot))
    return this.#graph.sum(ids)
  }

  /** The sequence of what came last. */
  get lastSequence(): number {
    return this.#graph.entries.lastSequence
  }

  get maxBytes(): number {
    return this.#maxBytes
  }

  /** What the least fee rates are where there is room. */
  get rates(): { readonly minRelaySatPerKvb: number; readonly incrementalSatPerKvb: number } {
    return { minRelaySatPerKvb: this.#minRelay, incrementalSatPerKvb: this.#incremental }
  }

  /** Who here spends an outpoint: 32 bytes of a txid, then 4 of an index. */
  spenderOf(outpoint: Uint8Array): PoolTransaction | undefined {
    return this.#described(this.#graph.spent.spender(outpoint, 0))
  }

  /**
   * A block joined the chain that is followed. What it holds leaves, and what spends the same with all that depends on it.
   *
   * @param txids those of the block, as `BlockView.txids` gives them, where they are at hand
   */
  connected(
    block: BlockView,
    now: Now,
    txids: Uint8Array = block.txids(this.#sha256)
  ): { readonly removed: ReadonlyArray<PoolTransaction>; readonly conflicting: ReadonlyArray<PoolTransaction> } {
    const { entries } = this.#graph
    const removed: Array<PoolTransaction> = []
    const conflicting: Array<PoolTransaction> = []
    for (let i = 1; i < block.transactionCount; i++) {
      const id = entries.byTxid(txids, 32 * i)
      if (id >= 0) {
        // Nobody else here spends what it spends.
        removed.push(entries.describe(id))
        this.#delete(id)
      } else this.#removeAll(this.#conflictsOf(block, i), conflicting)
    }
    this.#floor.blockCame(now.unix)
    return { removed, conflicting }
  }

  /**
   * A block left the chain that is followed. Its transactions come back, parents first, whatever they pay, and what no block may hold any more
   * leaves. Where several left, the lowest is told first, and before any that joined in their stead; `nextBlock` and `coins` already speak
   * of the chain that is followed now.
   *
   * @param txids as in {@link connected}
   */
  disconnected(
    block: BlockView,
    now: Now,
    txids: Uint8Array = block.txids(this.#sha256)
  ): { readonly returned: ReadonlyArray<PoolTransaction>; readonly removed: ReadonlyArray<PoolTransaction> } {
    const { entries } = this.#graph
    const removed: Array<PoolTransaction> = []
    const returned: Array<Txid> = []
    for (let i = 0; i < block.transactionCount; i++) {
      const tx = block.transaction(i)
      const txid = Txid(txids.slice(32 * i, 32 * i + 32))
      if (i > 0 && this.#takeBack(tx, txid, now, removed)) returned.push(txid)
      else if (entries.byTxid(txid) < 0) {
        // It is not there any more, and so nothing that depends on it can be.
        this.#removeAll(this.#graph.spendersOf(txid, outputsOf(this.#parts, tx)), removed)
      }
    }
    this.#removeAll(this.#untimely(), removed)
    this.#makeRoom(removed)
    return { returned: returned.flatMap((txid) => this.findByTxid(txid) ?? []), removed }
  }

  /** What came longer ago than a transaction may stay leaves, with all that depends on it. */
  expire(now: Now): ReadonlyArray<PoolTransaction> {
    this.#decay(now)
    const { entries } = this.#graph
    const expired: Array<PoolTransaction> = []
    for (let id = entries.oldest; id >= 0 && entries.unix(id) < now.unix - this.#expirySeconds; id = entries.oldest) {
      this.#removeAll([id], expired)
    }
    return expired
  }

  /**
   * Transactions for a block, parents before children, by the fee rate that each has together with all that it depends on; then those whose
   * fees are not known, in the order of arrival.
   *
   * @param maxWeight what they may weigh in all
   * @param withWitness whether the block may hold witnesses
   */
  forBlock(maxWeight: number, withWitness: boolean = true): BlockSelection {
    return selectForBlock(this.#graph, maxWeight, withWitness)
  }

  #described(id: number): PoolTransaction | undefined {
    return id < 0 ? undefined : this.#graph.entries.describe(id)
  }

  #decay(now: Now): void {
    this.#floor.decay(now.unix, this.memoryBytes / this.#maxBytes)
  }

  /** Looks at a transaction by itself and at what it spends, in the order of Core's `PreChecks`. */
  #examine(tx: TransactionView, txid?: Txid): Candidate | MissingInputs | Rejected {
    const findings = transactionFindings(tx)
    const sigOpsCost = WITNESS_SCALE_FACTOR * findings.sigOps
    const { height, lockTimeCutoff } = this.#nextBlock()
    const ofForm = formFault(tx, findings)
    if (ofForm !== undefined) return rejected(ofForm)
    if (!isFinalTransaction(tx, height, lockTimeCutoff)) return rejected("non-final")
    const { entries } = this.#graph
    const wtxid = tx.wtxid(this.#sha256)
    if (entries.byWtxid(wtxid) >= 0) return rejected("txn-already-in-mempool")
    const id = txid ?? (tx.hasWitness ? tx.txid(this.#sha256) : (wtxid as Uint8Array as Txid))
    if (entries.byTxid(id) >= 0) return rejected("txn-same-nonwitness-data-in-mempool")
    const spent = new SpentCoins(this.#graph, this.#coins, height, tx.bytes)
    if (spent.isMissingSome) {
      return this.#isInChain(id, tx)
        ? rejected("txn-already-known")
        : { _tag: "MissingInputs", parents: spent.missing() }
    }
    if (spent.rule !== undefined) return rejected(spent.rule)
    if (sigOpsCost > MAX_STANDARD_TX_SIGOPS_COST) return rejected("bad-txns-too-many-sigops")
    return {
      tx,
      txid: id,
      wtxid,
      vsize: Math.ceil(tx.weight / WITNESS_SCALE_FACTOR),
      sigOpsCost,
      spent,
      height: height - 1
    }
  }

  /** Whether the chain has an output of the transaction that is not spent. */
  #isInChain(txid: Txid, tx: TransactionView): boolean {
    const outputs = outputsOf(this.#parts, tx)
    for (let index = 0; index < outputs; index++) {
      if (typeof this.#coins?.coin(txid, index) === "object") return true
    }
    return false
  }

  /** Whether a transaction of a block that left is here again. */
  #takeBack(tx: TransactionView, txid: Txid, now: Now, left: Array<PoolTransaction>): boolean {
    const candidate = this.#examine(tx, txid)
    if ("_tag" in candidate) return false
    const taken = this.#accept(candidate, now)
    if (typeof taken === "string") return false
    // One by one: as arguments of one call so many might not have room.
    for (const each of taken.replaced) left.push(each)
    for (const each of taken.evicted) left.push(each)
    return true
  }

  #feeFault(fee: number | undefined, vsize: number): PoolRule | undefined {
    if (fee === undefined) return undefined
    if (fee < feeAt(this.#floor.rateSatPerKvb, vsize)) return "mempool min fee not met"
    return fee < feeAt(this.#minRelay, vsize) ? "min relay fee not met" : undefined
  }

  /** What kin and conflicts have against a candidate. */
  #kinFault({ spent, vsize }: Candidate): PoolRule | undefined {
    const { kin } = this.#graph
    const leaving = spent.conflicts.size === 0 ? NONE : kin.descendants(spent.conflicts, MAX_REPLACEMENT_CANDIDATES)
    if (!mayJoin(this.#graph, spent.parents, vsize, leaving)) return "too-long-mempool-chain"
    if (leaving.size === 0) return undefined
    return replacementFault(this.#graph, spent, vsize, leaving, this.#incremental)
  }

  /** Takes a candidate in where kin and conflicts allow it. */
  #accept(
    candidate: Candidate,
    now: Now
  ): PoolRule | { readonly replaced: Array<PoolTransaction>; readonly evicted: Array<PoolTransaction> } {
    const { spent } = candidate
    const fault = this.#kinFault(candidate)
    if (fault !== undefined) return fault
    const replaced = this.#removeAll(spent.conflicts)
    const { height, sigOpsCost, tx, txid, wtxid } = candidate
    const { fee, parents, spendsCoinbase } = spent
    const id = this.#graph.add({ tx, txid, wtxid, fee, sigOpsCost, spendsCoinbase, height }, parents, now.unix)
    this.#scoreWithAncestors(id)
    return { replaced, evicted: this.#adoptChildren(id, txid, tx) }
  }

  /**
   * Links what came before what it spends: of a block that left, or where coins are not known. Its fee may be known now; what breaks a rule
   * leaves.
   */
  #adoptChildren(id: number, txid: Txid, tx: TransactionView): Array<PoolTransaction> {
    const left: Array<PoolTransaction> = []
    for (const child of this.#graph.spendersOf(txid, outputsOf(this.#parts, tx))) {
      // It may have left with another one.
      if (!this.#order.has(child)) continue
      this.#graph.kin.link(id, child)
      const rule = keepsLimits(this.#graph, id) ? this.#learnFee(child) : "too-long-mempool-chain"
      if (rule !== undefined) this.#removeAll([child], left)
      else this.#scoreWithAncestors(child)
    }
    return left
  }

  /** Works out a fee that was not known, and says which rule is broken as it turns out. */
  #learnFee(id: number): PoolRule | undefined {
    const { entries } = this.#graph
    if (entries.fee(id) >= 0) return undefined
    const spent = this.#spentBy(id)
    if (spent.isMissingSome) return "bad-txns-inputs-missingorspent"
    if (spent.rule !== undefined) return spent.rule
    if (spent.fee !== undefined) entries.learn(id, spent.fee, spent.spendsCoinbase)
    return undefined
  }

  #spentBy(id: number): SpentCoins {
    return new SpentCoins(this.#graph, this.#coins, this.#nextBlock().height, this.#graph.entries.bytes.view(id))
  }

  /** Who here spends what transaction `i` of a block spends. */
  #conflictsOf(block: BlockView, i: number): ReadonlySet<number> {
    const conflicts = new Set<number>()
    const parts = this.#parts.begin(block.bytes, block.parts[BLOCK_PARTS * i])
    while (parts.nextInput()) {
      const spender = this.#graph.spent.spender(block.bytes, parts.outpoint)
      if (spender >= 0) conflicts.add(spender)
    }
    return conflicts
  }

  /** What the next block may not hold, now that another chain is followed (Core `removeForReorg`). */
  #untimely(): ReadonlyArray<number> {
    const { entries } = this.#graph
    const { height, lockTimeCutoff } = this.#nextBlock()
    const untimely: Array<number> = []
    for (let id = entries.oldest; id >= 0; id = entries.newer(id)) {
      const isLocked = entries.lockTime(id) > 0
      if (isLocked && !isFinalTransaction(entries.transaction(id), height, lockTimeCutoff)) untimely.push(id)
      // What is missing may come back with the next block that left: it says nothing yet.
      else if (entries.spendsCoinbase(id) && this.#spentBy(id).rule !== undefined) untimely.push(id)
    }
    return untimely
  }

  /** Takes out what leaves first until the rest fits, and tells it behind what `left` already. */
  #makeRoom(left: Array<PoolTransaction>): ReadonlyArray<PoolTransaction> {
    const { entries, kin } = this.#graph
    while (this.memoryBytes > this.#maxBytes) {
      const id = this.#order.first
      if (entries.fee(id) >= 0) {
        const { fee, vsize } = this.#graph.sum(kin.descendants([id]))
        this.#floor.leftFor((1000 * fee) / vsize)
      }
      this.#removeAll([id], left)
    }
    return left
  }

  /** Takes out these with all that depends on them, and tells them, as they were, behind what `left` already. */
  #removeAll(ids: Iterable<number>, left: Array<PoolTransaction> = []): Array<PoolTransaction> {
    const leaving = this.#graph.kin.descendants(ids)
    for (const id of leaving) left.push(this.#graph.entries.describe(id))
    for (const id of leaving) this.#delete(id)
    return left
  }

  /** Takes out one, and nothing that depends on it. */
  #delete(id: number): void {
    const ancestors = this.#graph.kin.ancestors(id)
    this.#order.delete(id)
    this.#graph.delete(id)
    for (const ancestor of ancestors) this.#order.score(ancestor)
  }

  #scoreWithAncestors(id: number): void {
    this.#order.score(id)
    for (const ancestor of this.#graph.kin.ancestors(id)) this.#order.score(ancestor)
  }
}

/** The first rule of form that a transaction breaks: by itself, or as what is relayed. */
const formFault = (tx: TransactionView, findings: TransactionFindings): PoolRule | undefined => {
  if (findings.rule !== undefined) return findings.rule
  if (findings.isCoinbase) return "coinbase"
  if (tx.version < 1 || tx.version > TX_MAX_STANDARD_VERSION) return "version"
  if (tx.weight > MAX_STANDARD_TX_WEIGHT) return "tx-size"
  return tx.strippedSize < MIN_STANDARD_TX_NONWITNESS_SIZE ? "tx-size-small" : undefined
}

const outputsOf = (parts: TransactionParts, tx: TransactionView): number => {
  let outputs = 0
  parts.begin(tx.bytes)
  while (parts.nextOutput()) outputs++
  return outputs
}
