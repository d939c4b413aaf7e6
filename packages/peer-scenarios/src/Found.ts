/** What became of a network: how soon each node had its peers, and how the whole hangs together. */

/** Of some numbers, which need not be in order. */
export interface Spread {
  readonly median: number
  readonly p95: number
  readonly most: number
}

export const spreadOf = (numbers: ReadonlyArray<number>): Spread => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
  return { median: at(0.5), p95: at(0.95), most: sorted.at(-1) ?? NaN }
}

/** Who is connected with whom, by number. */
export type Graph = ReadonlyArray<ReadonlySet<number>>

/** The most hops from one node to another; `undefined` where some cannot be reached at all. */
export const diameter = (graph: Graph): number | undefined => {
  let most = 0
  for (let from = 0; from < graph.length; from++) {
    const hops = hopsFrom(graph, from)
    if (hops.size < graph.length) return undefined
    for (const count of hops.values()) if (count > most) most = count
  }
  return most
}

const hopsFrom = (graph: Graph, from: number): ReadonlyMap<number, number> => {
  const hops = new Map<number, number>([[from, 0]])
  // A map is walked in the order in which it is filled, also while that goes on.
  for (const [node, count] of hops) {
    for (const next of graph[node] ?? []) if (!hops.has(next)) hops.set(next, count + 1)
  }
  return hops
}
