/** Parts of a network that mine, each for itself, while they hear nothing of each other: what reorganisations come of. */
import type { SimulatedNode, Simulation } from "./Simulation.ts"

const MINUTE_MS = 60_000

export interface MineApartOptions {
  /** When the parts no longer hear each other. A minute before they are to meet all are done with mining. */
  readonly splitMs: number
  readonly meetMs: number
  /** How many blocks a part mines at most. */
  readonly mostBlocks: number
}

/**
 * Splits the nodes into two or three parts, with one of `honest` in each who mines there; one in four of the others mines exactly as many blocks
 * as the first. Gives how many each is going to mine. That the parts meet is the caller's to say.
 */
export const mineApart = (
  simulation: Simulation,
  honest: ReadonlyArray<{ readonly node: SimulatedNode; mine(): void }>,
  { meetMs, mostBlocks, splitMs }: MineApartOptions
): ReadonlyArray<number> => {
  const { random } = simulation
  const parts = 2 + random.below(2)
  const partOf = new Map(simulation.nodes.map((node) => [node, random.below(parts)]))
  honest.slice(0, parts).forEach(({ node }, i) => partOf.set(node, i))
  simulation.after(splitMs, () => simulation.partition((node) => partOf.get(node) ?? 0))
  const first = 1 + random.below(mostBlocks)
  const branches = Array.from({ length: parts }, (_, i) =>
    i === 0 || random.below(4) === 0 ? first : 1 + random.below(mostBlocks)
  )
  branches.forEach((count, part) => {
    const pauseMs = (meetMs - splitMs - MINUTE_MS) / count
    for (let i = 0; i < count; i++) {
      simulation.after(splitMs + 1000 + Math.floor(i * pauseMs), () => honest[part]?.mine())
    }
  })
  return branches
}
