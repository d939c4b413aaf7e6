/**
 * Which transactions a peer is not told of, as they do not match its bloom filter (BIP-0037).
 *
 * Specification: what is looked for in a filter costs a share of the turn by its bytes, and by what the filter does. Rationale: a filter of 50
 * functions takes a millisecond for a kilobyte of small pushes, and most take a hundredth of that.
 */
import type { BloomLookup, PoolTransaction } from "./PoolLookup.ts"
import type { RelayPeer } from "./RelayPeer.ts"

/** So many bytes of a transaction count as one entry. */
const BYTES_PER_ENTRY = 256
/** So many elements that are looked for, and hashes of them, count as one entry. */
const WORK_PER_ENTRY = 100

export class Hidden {
  readonly #filters: BloomLookup | undefined
  #entries = 0

  constructor(filters: BloomLookup | undefined) {
    this.#filters = filters
  }

  /** What was looked at since this was last asked, as a number of entries. */
  takeEntries(): number {
    const entries = this.#entries
    this.#entries = 0
    return entries
  }

  /** The same, and it goes on counting. */
  get entries(): number {
    return this.#entries
  }

  /** Whether a peer has a filter, so that it has to be asked. */
  concerns(peer: RelayPeer): boolean {
    return this.#filters?.hasFilter(peer.id) === true
  }

  isHidden(peer: RelayPeer, { tx, txid }: PoolTransaction): boolean {
    const filters = this.#filters
    if (filters?.hasFilter(peer.id) !== true) return false
    const before = filters.work
    const isHidden = !filters.matches(peer.id, tx, txid)
    this.#entries += Math.ceil(tx.bytes.length / BYTES_PER_ENTRY + (filters.work - before) / WORK_PER_ENTRY)
    return isHidden
  }
}
