/**
 * How far the chain of filter headers is agreed on, and the last of them, so that a reorganisation finds the one to go on from. Older ones are
 * not kept: what was judged by them is judged.
 */
import type { Sha256 } from "@satwire/crypto"
import { filterHeaders } from "@satwire/filters"
import type { FilterHeaderLookup } from "./FilterLookups.ts"

/**
 * Filter headers that are kept to go back to.
 *
 * @limit filter headers that are kept for reorganisations
 */
export const KEPT_FILTER_HEADERS = 2048

export class AgreedHeaders {
  readonly #headers: FilterHeaderLookup
  readonly #sha256: Sha256
  readonly #ring: Uint8Array = new Uint8Array(32 * KEPT_FILTER_HEADERS)
  /** The lowest height of which the filter header is kept. */
  #lowest: number
  /** The header whose filter header is the last; -1 for none, where the next is that of the first block of all. */
  #last = -1
  #height = -1

  /** Begins with nothing: the next filter header is that of genesis, before which there are zeros (BIP-0157 §"Filter Headers"). */
  constructor(headers: FilterHeaderLookup, sha256: Sha256) {
    this.#headers = headers
    this.#sha256 = sha256
    this.#lowest = 0
  }

  /** The height up to which there is agreement; -1 for none. */
  get height(): number {
    return this.#height
  }

  /** The last filter header. */
  get last(): Uint8Array {
    return this.#height < 0 ? ZEROS : this.#at(this.#height)
  }

  /** Begins anew with the filter header of one block, or with nothing. */
  begin(header: number, filterHeader: Uint8Array): void {
    this.#last = header
    this.#height = header < 0 ? -1 : this.#headers.height(header)
    this.#lowest = Math.max(0, this.#height)
    if (this.#height >= 0) this.#ring.set(filterHeader, this.#place(this.#height))
  }

  /** Begins with the filter header before that of the tree's first block. */
  beginAt(height: number, filterHeader: Uint8Array): void {
    this.#height = height
    this.#lowest = height
    this.#ring.set(filterHeader, this.#place(height))
  }

  /** The filters up to `header` are agreed on: their hashes, 32 bytes each. */
  extend(header: number, hashes: Uint8Array): void {
    const run = filterHeaders(this.#sha256, hashes, this.last)
    const count = run.length / 32
    for (let i = Math.max(0, count - KEPT_FILTER_HEADERS); i < count; i++) {
      this.#ring.set(run.subarray(32 * i, 32 * (i + 1)), this.#place(this.#height + 1 + i))
    }
    this.#last = header
    this.#height += count
    this.#lowest = Math.max(this.#lowest, this.#height - KEPT_FILTER_HEADERS + 1)
  }

  /** Goes back to where the best chain leaves that of the last filter header. Gives whether that is still known. */
  follow(): boolean {
    if (this.#last < 0) return true
    const { best } = this.#headers
    if (this.#headers.isAncestor(this.#last, best)) return true
    const fork = this.#headers.fork(this.#last, best)
    const height = this.#headers.height(fork)
    if (height < this.#lowest) return false
    this.#last = fork
    this.#height = height
    return true
  }

  #at(height: number): Uint8Array {
    const place = this.#place(height)
    return this.#ring.subarray(place, place + 32)
  }

  #place(height: number): number {
    return 32 * (height % KEPT_FILTER_HEADERS)
  }
}

const ZEROS = new Uint8Array(32)
