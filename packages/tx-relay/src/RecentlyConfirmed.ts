/**
 * What is known to be in a block lately, by txid and wtxid.
 *
 * Specification: when a block leaves the chain, what it had may be announced again, and what the blocks below it had may not. Rationale: Core
 * forgets all of it, since the coins tell it what is spent. Without them a transaction that a peer announces again would come into the pool, and
 * from there into a block of ours that nobody else takes.
 */
import type { Random } from "@satwire/machine"
import { RollingBloomFilter } from "@satwire/filters"

/**
 * @limit transactions that are known to be in a block lately
 */
export const RECENT_CONFIRMED = 48_000
const FALSE_POSITIVE_RATE = 0.000_001
const HASH_BYTES = 32

export class RecentlyConfirmed {
  readonly #filter: RollingBloomFilter
  /** The ids of each block, the latest last, together no more than the filter has. */
  readonly #blocks: Array<Uint8Array> = []
  #bytes = 0
  /** A block was taken out, so the filter is to be made again before it is asked. */
  #isStale = false

  constructor(random: Random) {
    this.#filter = new RollingBloomFilter(RECENT_CONFIRMED, FALSE_POSITIVE_RATE, random)
  }

  /** A block joined the chain; `ids` are those of its transactions, one after another. They are kept. */
  connected(ids: Uint8Array): void {
    this.#refresh()
    this.#insert(ids)
    this.#blocks.push(ids)
    this.#bytes += ids.length
    while (this.#bytes > RECENT_CONFIRMED * HASH_BYTES) this.#bytes -= this.#blocks.shift()?.length ?? 0
  }

  /** The last block left the chain. */
  disconnected(): void {
    this.#bytes -= this.#blocks.pop()?.length ?? 0
    this.#isStale = true
  }

  contains(id: Uint8Array): boolean {
    this.#refresh()
    return this.#filter.contains(id)
  }

  /** Once for all blocks that left together. */
  #refresh(): void {
    if (!this.#isStale) return
    this.#isStale = false
    this.#filter.reset()
    for (const ids of this.#blocks) this.#insert(ids)
  }

  #insert(ids: Uint8Array): void {
    for (let at = 0; at < ids.length; at += HASH_BYTES) this.#filter.insert(ids.subarray(at, at + HASH_BYTES))
  }
}
