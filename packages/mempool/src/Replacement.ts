/**
 * Whether a transaction may take the place of others that spend the same, whatever they signal (full replacement by fee).
 *
 * Specification: its fee rate is above that of each of them, its fee at least theirs together with all that depends on them and above that
 * by what its own bytes cost at the incremental rate; it takes out at most 100, and spends nothing new that is unconfirmed. Rationale: each
 * replacement is paid for, and makes the pool worth more to a miner.
 *
 * Where a fee is not known nothing can be weighed, and what came first stays.
 *
 * Source: Bitcoin Core 30.0 `policy/rbf.cpp`, `validation.cpp` (`ReplacementChecks`); BIP-0125 §"Implementation Details".
 */
import type { PoolGraph } from "./PoolGraph.ts"
import { MAX_REPLACEMENT_CANDIDATES, feeAt } from "./PoolPolicy.ts"
import type { PoolRule } from "./PoolResult.ts"
import type { SpentCoins } from "./SpentCoins.ts"

/**
 * The rule that the replacement breaks, or `undefined`.
 *
 * @param leaving the conflicts and all that depends on them
 * @param incremental in sat/kvB
 */
export const replacementFault = (
  graph: PoolGraph,
  spent: SpentCoins,
  vsize: number,
  leaving: ReadonlySet<number>,
  incremental: number
): PoolRule | undefined => {
  const { fee, conflicts } = spent
  const { entries, kin } = graph
  if (fee === undefined) return "txn-mempool-conflict"
  for (const id of leaving) if (entries.fee(id) < 0) return "txn-mempool-conflict"
  for (const ancestor of kin.ancestorsBy(spent.parents)) {
    if (conflicts.has(ancestor)) return "bad-txns-spends-conflicting-tx"
  }
  for (const id of conflicts) {
    if (fee / vsize <= entries.fee(id) / entries.vsize(id)) return "insufficient fee"
  }
  if (leaving.size > MAX_REPLACEMENT_CANDIDATES) return "too many potential replacements"
  for (const parent of spent.parents) {
    if (!hasChildAmong(graph, parent, conflicts)) return "replacement-adds-unconfirmed"
  }
  const replaced = graph.sum(leaving).fee
  return fee < replaced || fee - replaced < feeAt(incremental, vsize) ? "insufficient fee" : undefined
}

const hasChildAmong = (graph: PoolGraph, parent: number, ids: ReadonlySet<number>): boolean =>
  graph.kin.children(parent).some((child) => ids.has(child))
