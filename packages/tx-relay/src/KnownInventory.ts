/**
 * What a peer has of transactions, as it announced them or was told of them: at least the last 50,000, at a rate of errors of some in a million.
 *
 * ```
 *   500 │ 5,000 │ 50,000 ◂ rolls       5 KB, then 54 more, then 541
 * ```
 *
 * Specification: it takes memory by what there is to know. Rationale: Core's filter takes half a megabyte from the first transaction on, of which
 * ten thousand peers that say little have no use.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`m_tx_inventory_known_filter`).
 */
import { RollingBloomFilter } from "@satwire/filters"
import type { Random } from "@satwire/machine"

/** The last is Core's. */
const SIZES: ReadonlyArray<number> = [500, 5000, 50_000]
const FALSE_POSITIVE_RATE = 0.000_001

export class KnownInventory {
  readonly #random: Random
  readonly #filters: Array<RollingBloomFilter> = []
  /** How many more the last filter takes before the next one is made. */
  #left = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Bytes of memory that it takes. */
  get sizeBytes(): number {
    return this.#filters.reduce((sum, filter) => sum + filter.sizeBytes, 0)
  }

  insert(hash: Uint8Array): void {
    const size = this.#left === 0 ? SIZES[this.#filters.length] : undefined
    if (size !== undefined) {
      this.#filters.push(new RollingBloomFilter(size, FALSE_POSITIVE_RATE, this.#random))
      this.#left = this.#filters.length === SIZES.length ? Infinity : size
    }
    this.#left -= 1
    this.#filters.at(-1)?.insert(hash)
  }

  contains(hash: Uint8Array): boolean {
    return this.#filters.some((filter) => filter.contains(hash))
  }
}
