/**
 * What is known to be in a block lately, by txid and wtxid.
 *
 * Specification: when a block leaves the chain, what it had may be announced again, and what the blocks below it had may not. Rationale: Core
 * forgets all of it, since the coins tell it what is spent. Without them a transaction that a peer announces again would come into the pool, and
 * from there into a block of ours that nobody else takes.
 */
import type { Random } from "@satwire/machine"
import { equals } from "@satwire/bytes"
import { RollingBloomFilter } from "@satwire/filters"

/**
 * @limit transactions that are known to be in a block lately
 */
export const RECENT_CONFIRMED = 48_000
/**
 * @limit blocks that are remembered one by one, so that others stay known when one of them leaves the chain
 */
export const RECENT_CONFIRMED_BLOCKS = 288
const FALSE_POSITIVE_RATE = 0.000_001
const HASH_BYTES = 32

interface ConfirmedBlock {
  readonly hash: Uint8Array
  /** Of its transactions, one after another. */
  readonly ids: Uint8Array
}

export class RecentlyConfirmed {
  readonly #filter: RollingBloomFilter
  /** The latest last, few, and of together no more ids than the filter has. */
  readonly #blocks: Array<ConfirmedBlock> = []
  #bytes = 0
  /** A block was taken out, so the filter is to be made again before it is asked. */
  #isStale = false

  constructor(random: Random) {
    this.#filter = new RollingBloomFilter(RECENT_CONFIRMED, FALSE_POSITIVE_RATE, random)
  }

  /** A block joined the chain. What is given is kept. */
  connected(block: ConfirmedBlock): void {
    this.#refresh()
    this.#insert(block)
    this.#blocks.push(block)
    this.#bytes += block.ids.length
    while (this.#blocks.length > RECENT_CONFIRMED_BLOCKS || this.#bytes > RECENT_CONFIRMED * HASH_BYTES) {
      this.#bytes -= this.#blocks.shift()?.ids.length ?? 0
    }
  }

  /** A block left the chain: perhaps one of which nobody knew what it has. */
  disconnected(hash: Uint8Array): void {
    const at = this.#blocks.findLastIndex((block) => equals(block.hash, hash))
    if (at < 0) return
    for (const { ids } of this.#blocks.splice(at, 1)) this.#bytes -= ids.length
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
    for (const block of this.#blocks) this.#insert(block)
  }

  #insert({ ids }: ConfirmedBlock): void {
    for (let at = 0; at < ids.length; at += HASH_BYTES) this.#filter.insert(ids.subarray(at, at + HASH_BYTES))
  }
}
