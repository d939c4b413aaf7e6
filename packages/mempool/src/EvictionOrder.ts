/**
 * Which transaction leaves first where there is no room: of those whose fee is not known the oldest; then the one whose fee rate, or that
 * of all that depends on it taken together, is the lowest.
 *
 * Specification: what is good only for what depends on it counts with that. Rationale: a miner takes it for its child's fee.
 *
 * Source: Bitcoin Core 30.0 `txmempool.h` (`CompareTxMemPoolEntryByDescendantScore`).
 */
import { widened } from "./Column.ts"
import { IdHeap } from "./IdHeap.ts"
import type { PoolGraph } from "./PoolGraph.ts"

const FIRST_ROWS = 64
const UNKNOWN = -1

export class EvictionOrder {
  readonly #graph: PoolGraph
  /** Satoshis per vbyte. */
  #scores: Float64Array<ArrayBuffer> = new Float64Array(FIRST_ROWS)
  readonly #heap: IdHeap

  constructor(graph: PoolGraph) {
    this.#graph = graph
    const { entries } = graph
    this.#heap = new IdHeap((a, b) => {
      const [scoreA, scoreB] = [this.#scores[a] as number, this.#scores[b] as number]
      if (scoreA !== scoreB) return scoreA < scoreB
      // The oldest first where nothing is known; else the newest, which has waited least.
      const isOlder = entries.sequence(a) < entries.sequence(b)
      return scoreA === UNKNOWN ? isOlder : !isOlder
    })
  }

  /** Who leaves first, or -1. */
  get first(): number {
    return this.#heap.first
  }

  has(id: number): boolean {
    return this.#heap.has(id)
  }

  /** A transaction came, its fee or what depends on it changed. */
  score(id: number): void {
    if (id >= this.#scores.length) {
      this.#scores = widened(new Float64Array(2 * id), this.#scores)
    }
    this.#scores[id] = this.#scoreOf(id)
    if (this.#heap.has(id)) this.#heap.moved(id)
    else this.#heap.add(id)
  }

  delete(id: number): void {
    this.#heap.delete(id)
  }

  #scoreOf(id: number): number {
    const { entries, kin } = this.#graph
    const fee = entries.fee(id)
    if (fee < 0) return UNKNOWN
    const own = fee / entries.vsize(id)
    if (kin.children(id).length === 0) return own
    const all = this.#graph.sum(kin.descendants([id]))
    return Math.max(own, all.fee / all.vsize)
  }
}
