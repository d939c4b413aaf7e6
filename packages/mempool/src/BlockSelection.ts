/**
 * Which transactions of the pool a block should hold.
 *
 * Specification: again and again the transaction is taken whose fee rate is the highest, all that it depends on and that is not taken yet
 * counted in, and these go before it. Those whose fees are not known come last, in the order of arrival. Rationale: a child that pays for
 * its parents brings them along.
 *
 * Source: Bitcoin Core 30.0 `node/miner.cpp` (`addPackageTxs`).
 */
import { MAX_BLOCK_SIGOPS_COST } from "@satwire/consensus"
import type { TransactionView } from "@satwire/primitives"
import { IdHeap } from "./IdHeap.ts"
import type { PoolGraph } from "./PoolGraph.ts"

export interface BlockSelection {
  /** Parents before children. */
  readonly transactions: ReadonlyArray<TransactionView>
  /** Satoshis that they pay, as far as fees are known. */
  readonly fees: bigint
}

/** Bitcoin Core's `DEFAULT_COINBASE_OUTPUT_MAX_ADDITIONAL_SIGOPS`: what is left for the coinbase. */
const COINBASE_SIGOPS_COST = 400
/**
 * Bitcoin Core's `MAX_CONSECUTIVE_FAILURES` and `BLOCK_FULL_ENOUGH_WEIGHT_DELTA` (node/miner.cpp).
 *
 * @limit transactions that are tried in a row where a block is nearly full
 */
const MAX_CONSECUTIVE_FAILURES = 1000
const FULL_ENOUGH_WEIGHT = 4000
const UNKNOWN = -1

class Selection {
  readonly #graph: PoolGraph
  readonly #taken: Set<number> = new Set()
  /** By id: satoshis per vbyte, with all that it depends on and that is not taken. */
  readonly #rates: Float64Array
  readonly #heap: IdHeap
  #weightLeft: number
  #sigOpsLeft: number = MAX_BLOCK_SIGOPS_COST - COINBASE_SIGOPS_COST
  #fees = 0

  constructor(graph: PoolGraph, maxWeight: number, withWitness: boolean) {
    this.#graph = graph
    this.#weightLeft = maxWeight
    const { entries, kin } = graph
    const rates = new Float64Array(entries.ids)
    this.#rates = rates
    this.#heap = new IdHeap((a, b) => {
      const [rateA, rateB] = [rates[a] as number, rates[b] as number]
      return rateA === rateB ? entries.sequence(a) < entries.sequence(b) : rateA > rateB
    })
    const ids = new Int32Array(entries.count)
    let count = 0
    for (let id = entries.oldest; id >= 0; id = entries.newer(id)) {
      const ancestors = kin.parents(id).length === 0 ? undefined : kin.ancestors(id)
      if (!withWitness && (entries.hasWitness(id) || some(ancestors, (each) => entries.hasWitness(each)))) continue
      this.#weigh(id)
      ids[count++] = id
    }
    this.#heap.fill(ids.subarray(0, count))
  }

  run(): BlockSelection {
    const chosen: Array<TransactionView> = []
    let failures = 0
    for (let id = this.#heap.first; id >= 0; id = this.#heap.first) {
      const together = this.#withAncestors(id)
      if (this.#fits(together)) {
        failures = 0
        for (const each of together) chosen.push(this.#take(each))
        this.#weighDescendants(together)
        continue
      }
      this.#heap.delete(id)
      failures += 1
      if (failures > MAX_CONSECUTIVE_FAILURES && this.#weightLeft < FULL_ENOUGH_WEIGHT) break
    }
    return { transactions: chosen, fees: BigInt(this.#fees) }
  }

  #weigh(id: number): void {
    const { entries, kin } = this.#graph
    const fee = entries.fee(id)
    if (fee < 0) this.#rates[id] = UNKNOWN
    else if (kin.parents(id).length === 0) this.#rates[id] = fee / entries.vsize(id)
    else {
      const together = this.#graph.sum(this.#withAncestors(id))
      this.#rates[id] = together.fee / together.vsize
    }
  }

  /** A transaction with all that it depends on and that is not taken yet, parents first. */
  #withAncestors(id: number): ReadonlyArray<number> {
    const { entries, kin } = this.#graph
    if (kin.parents(id).length === 0) return [id]
    // A parent has fewer ancestors than its child.
    return [...kin.ancestors(id), id]
      .filter((each) => !this.#taken.has(each))
      .map((each) => ({ each, depth: kin.ancestors(each).size, sequence: entries.sequence(each) }))
      .sort((a, b) => a.depth - b.depth || a.sequence - b.sequence)
      .map(({ each }) => each)
  }

  #fits(ids: ReadonlyArray<number>): boolean {
    const { entries } = this.#graph
    let weight = 0
    let sigOps = 0
    for (const id of ids) {
      weight += entries.weight(id)
      sigOps += entries.sigOpsCost(id)
    }
    return weight <= this.#weightLeft && sigOps <= this.#sigOpsLeft
  }

  #take(id: number): TransactionView {
    const { entries } = this.#graph
    this.#weightLeft -= entries.weight(id)
    this.#sigOpsLeft -= entries.sigOpsCost(id)
    this.#fees += Math.max(0, entries.fee(id))
    this.#taken.add(id)
    if (this.#heap.has(id)) this.#heap.delete(id)
    return entries.transaction(id)
  }

  /** What depends on these has less to bring along now. */
  #weighDescendants(ids: ReadonlyArray<number>): void {
    const { kin } = this.#graph
    if (!ids.some((id) => kin.children(id).length > 0)) return
    for (const id of kin.descendants(ids)) {
      if (!this.#heap.has(id)) continue
      this.#weigh(id)
      this.#heap.moved(id)
    }
  }
}

const some = (ids: ReadonlySet<number> | undefined, is: (id: number) => boolean): boolean => {
  for (const id of ids ?? []) if (is(id)) return true
  return false
}

/** Which transactions go into a block of which `maxWeight` is free. */
export const selectForBlock = (graph: PoolGraph, maxWeight: number, withWitness: boolean): BlockSelection =>
  new Selection(graph, maxWeight, withWitness).run()
