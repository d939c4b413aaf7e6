/** One of the two tables: at each place an entry or none, and what is drawn from. It knows nothing of why an entry has its place. */
import type { Random } from "@satwire/machine"
import { NETWORKS } from "@satwire/netaddress"
import { BUCKET_SIZE } from "./Bucketing.ts"
import { Occupancy, drawPlace } from "./Occupancy.ts"

/** No entry. */
export const NONE = -1

/** All networks in a set of them, of which bit i is that of `NETWORKS[i]`. */
export const ALL_NETWORKS: number = 2 ** NETWORKS.length - 1

export class BucketTable {
  readonly #entries: Int32Array
  readonly #any: Occupancy
  readonly #byNetwork: ReadonlyArray<Occupancy>
  /** For each set of networks, what is drawn from. */
  readonly #among: ReadonlyArray<ReadonlyArray<Occupancy>>

  constructor(bucketCount: number) {
    this.#entries = new Int32Array(bucketCount * BUCKET_SIZE).fill(NONE)
    this.#any = new Occupancy(bucketCount)
    this.#byNetwork = NETWORKS.map(() => new Occupancy(bucketCount))
    this.#among = Array.from({ length: ALL_NETWORKS + 1 }, (_, set) =>
      set === ALL_NETWORKS ? [this.#any] : this.#byNetwork.filter((_, network) => (set & (1 << network)) !== 0)
    )
  }

  /** How many places it has. */
  get places(): number {
    return this.#entries.length
  }

  /** The entry at a place, or {@link NONE}. */
  at(place: number): number {
    return this.#entries[place] as number
  }

  /** Puts an entry of that network at a place that is free. */
  put(place: number, entry: number, network: number): void {
    this.#entries[place] = entry
    this.#any.take(place)
    this.#byNetwork[network]?.take(place)
  }

  /** Frees the place of an entry of that network. */
  clear(place: number, network: number): void {
    this.#entries[place] = NONE
    this.#any.free(place)
    this.#byNetwork[network]?.free(place)
  }

  /** Draws the entry at a place (see {@link drawPlace}) among those of a set of networks, of which there must be one. */
  draw(networks: number, random: Random): number {
    return this.at(drawPlace(this.#among[networks] as ReadonlyArray<Occupancy>, random))
  }

  /** Where the places that are taken by each network disagree with the entries; nothing where all is well. */
  disagreements(networkOf: (entry: number) => number): ReadonlyArray<string> {
    const found: Array<string> = []
    for (let place = 0; place < this.#entries.length; place++) {
      const entry = this.at(place)
      const expected = entry === NONE ? NONE : networkOf(entry)
      const isRight =
        this.#any.has(place) === (entry !== NONE) &&
        this.#byNetwork.every((one, network) => one.has(place) === (network === expected))
      if (!isRight) found.push(`place ${place} is taken otherwise than by entry ${entry}`)
    }
    return found
  }
}
