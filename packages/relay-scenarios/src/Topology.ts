/**
 * Where the nodes of a network are, how fast their lines are, and whom each dials.
 *
 * Latencies are a fixed table between six parts of the world, one way, in milliseconds: round figures of our own, near what light in fibres and
 * public tables of round trips say. So are the shares of nodes, after what crawlers of the network find reachable.
 */
import { type Random, shuffle } from "@satwire/machine"
import type { LinkConditions } from "@satwire/simulator"

export interface Region {
  readonly name: string
  /** Of a hundred nodes so many are here. */
  readonly share: number
  /** One way to each region, in the order of this table. */
  readonly latencyMs: ReadonlyArray<number>
}

export const REGIONS: ReadonlyArray<Region> = [
  { name: "North America, east", share: 22, latencyMs: [12, 33, 43, 95, 62, 105] },
  { name: "North America, west", share: 12, latencyMs: [33, 10, 73, 65, 90, 75] },
  { name: "Europe", share: 42, latencyMs: [43, 73, 12, 110, 100, 140] },
  { name: "East Asia", share: 14, latencyMs: [95, 65, 110, 22, 150, 60] },
  { name: "South America", share: 5, latencyMs: [62, 90, 100, 150, 20, 155] },
  { name: "Oceania", share: 5, latencyMs: [105, 75, 140, 60, 155, 15] }
]

/** How many peers each node dials (Bitcoin Core's `MAX_OUTBOUND_FULL_RELAY_CONNECTIONS`). */
export const DIALLED = 8
const LEAST_MBIT = 10
const MOST_MBIT = 100
/** The largest piece in which bytes arrive. */
const CHUNK_BYTES = 65_536

export interface Place {
  /** Its number in `REGIONS`. */
  readonly region: number
  readonly megabitsPerSecond: number
}

export interface Topology {
  readonly places: ReadonlyArray<Place>
  /** Whom each dials, by number. */
  readonly dials: ReadonlyArray<ReadonlyArray<number>>
}

/** A network of so many nodes. Who dials whom is left to chance, as it is where addresses of the whole world are known. */
export const topologyOf = (nodes: number, random: Random): Topology => {
  const places = Array.from({ length: nodes }, () => ({
    region: drawnRegion(random),
    megabitsPerSecond: LEAST_MBIT + random.below(MOST_MBIT - LEAST_MBIT + 1)
  }))
  const all = places.map((_, i) => i)
  const dials: Array<Array<number>> = []
  for (const i of all) {
    // Two that are connected are not connected again.
    const isFree = (j: number): boolean => j !== i && dials[j]?.includes(i) !== true
    dials.push(shuffle(random, all.filter(isFree)).slice(0, DIALLED))
  }
  return { places, dials }
}

const drawnRegion = (random: Random): number => {
  let drawn = random.below(REGIONS.reduce((sum, { share }) => sum + share, 0))
  const region = REGIONS.findIndex(({ share }) => (drawn -= share) < 0)
  return region
}

/** The line between two places: both ways as fast as the slower end. */
export const linkBetween = (a: Place, b: Place): LinkConditions => ({
  latencyMs: REGIONS[a.region]?.latencyMs[b.region] as number,
  jitterMs: 0,
  bytesPerSecond: (Math.min(a.megabitsPerSecond, b.megabitsPerSecond) * 1e6) / 8,
  chunkBytes: CHUNK_BYTES
})
