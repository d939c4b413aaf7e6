/** A transaction of the pool with all that hangs together with it: what a person asks for, and nothing that relay or mining needs. */
import type { Txid } from "@satwire/primitives"
import type { PoolGraph } from "./PoolGraph.ts"
import type { PoolTransaction } from "./PoolResult.ts"

/** Several transactions together, the one that it is about among them. */
export interface PackageTotals {
  readonly count: number
  readonly vsize: number
  /** Satoshis; `undefined` where the fee of one of them is not known. */
  readonly fee: number | undefined
}

export interface PoolDetails extends PoolTransaction {
  readonly vsize: number
  readonly weight: number
  readonly sigOpsCost: number
  /** The height of the followed chain when it came. */
  readonly height: number
  /** It with all that it depends on, and with all that depends on it. */
  readonly ancestors: PackageTotals
  readonly descendants: PackageTotals
  /** Its parents in the pool, and its children. */
  readonly depends: ReadonlyArray<Txid>
  readonly spentBy: ReadonlyArray<Txid>
}

export const detailsOf = (graph: PoolGraph, id: number): PoolDetails => {
  const { entries, kin } = graph
  const txids = (ids: ReadonlyArray<number>): ReadonlyArray<Txid> => ids.map((each) => entries.describe(each).txid)
  return {
    ...entries.describe(id),
    vsize: entries.vsize(id),
    weight: entries.weight(id),
    sigOpsCost: entries.sigOpsCost(id),
    height: entries.height(id),
    ancestors: totalsOf(graph, [id, ...kin.ancestors(id)]),
    descendants: totalsOf(graph, [...kin.descendants([id])]),
    depends: txids(kin.parents(id)),
    spentBy: txids(kin.children(id))
  }
}

const totalsOf = (graph: PoolGraph, ids: ReadonlyArray<number>): PackageTotals => {
  const { fee, vsize } = graph.sum(ids)
  const isKnown = ids.every((id) => graph.entries.fee(id) >= 0)
  return { count: ids.length, vsize, fee: isKnown ? fee : undefined }
}
