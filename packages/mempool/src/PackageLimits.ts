/**
 * How many transactions of the pool may hang together.
 *
 * Specification: a transaction with all that it depends on, and each of these with all that depends on it, are at most 25 and 101 kvB.
 * Rationale: what one block, replacement or eviction has to look through is bounded, whoever made the transactions.
 *
 * Source: Bitcoin Core 30.0 `txmempool.cpp` (`CalculateMemPoolAncestors`). Its carve-out for one more small child is not made.
 */
import type { PoolGraph } from "./PoolGraph.ts"
import { PACKAGE_LIMIT, PACKAGE_SIZE_LIMIT_VB } from "./PoolPolicy.ts"

const fits = (graph: PoolGraph, ids: ReadonlySet<number>, more: number, moreVsize: number): boolean =>
  ids.size + more <= PACKAGE_LIMIT && graph.sum(ids).vsize + moreVsize <= PACKAGE_SIZE_LIMIT_VB

/** Whether a new transaction may become a child of these, once `leaving` have left. */
export const mayJoin = (
  graph: PoolGraph,
  parents: ReadonlySet<number>,
  vsize: number,
  leaving: ReadonlySet<number>
): boolean => {
  if (parents.size === 0) return true
  const ancestors = graph.kin.ancestorsBy(parents, PACKAGE_LIMIT)
  if (!fits(graph, ancestors, 1, vsize)) return false
  for (const ancestor of ancestors) {
    if (!fits(graph, graph.kin.descendants([ancestor], PACKAGE_LIMIT, leaving), 1, vsize)) return false
  }
  return true
}

/** Whether the limits hold for all that hangs together with `id`, where they did before it got a child. */
export const keepsLimits = (graph: PoolGraph, id: number): boolean => {
  const { kin } = graph
  const descendants = kin.descendants([id])
  if (!fits(graph, descendants, 0, 0)) return false
  for (const ancestor of kin.ancestors(id)) if (!fits(graph, kin.descendants([ancestor]), 0, 0)) return false
  for (const descendant of descendants) {
    const vsize = graph.entries.vsize(descendant)
    if (!fits(graph, kin.ancestors(descendant, PACKAGE_LIMIT), 1, vsize)) return false
  }
  return true
}
