/** Transactions that wait to be taken, the best fee rate first; as their bytes are too many those that pay least go. */
import type { TransactionView, Wtxid } from "@satwire/primitives"

export interface QueuedTransaction {
  readonly transaction: TransactionView
  readonly wtxid: Wtxid
  /** Satoshis. */
  readonly fee: number
  readonly feeRateSatPerKvb: number
  readonly from: string
}

const keyOf = (id: Uint8Array): string => String.fromCharCode(...id)

export class FeeQueue {
  readonly #maxBytes: number
  /** By fee rate, the least first. */
  readonly #sorted: Array<QueuedTransaction> = []
  readonly #byId: Map<string, QueuedTransaction> = new Map()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#sorted.length
  }

  get bytes(): number {
    return this.#bytes
  }

  has(wtxid: Uint8Array): boolean {
    return this.#byId.has(keyOf(wtxid))
  }

  get(wtxid: Uint8Array): QueuedTransaction | undefined {
    return this.#byId.get(keyOf(wtxid))
  }

  ids(): ReadonlyArray<Uint8Array> {
    return this.#sorted.map(({ wtxid }) => wtxid)
  }

  /** What left, or did not get in, for want of room. */
  add(one: QueuedTransaction): ReadonlyArray<QueuedTransaction> {
    if (this.has(one.wtxid)) return []
    this.#sorted.splice(this.#placeOf(one.feeRateSatPerKvb), 0, one)
    this.#byId.set(keyOf(one.wtxid), one)
    this.#bytes += one.transaction.bytes.length
    let gone = 0
    while (this.#bytes > this.#maxBytes) this.#forget(this.#sorted[gone++] as QueuedTransaction)
    return gone === 0 ? [] : this.#sorted.splice(0, gone)
  }

  /** The one that pays most, of equals the one that came first. */
  take(): QueuedTransaction | undefined {
    const best = this.#sorted.pop()
    if (best !== undefined) this.#forget(best)
    return best
  }

  #forget({ wtxid, transaction }: QueuedTransaction): void {
    this.#byId.delete(keyOf(wtxid))
    this.#bytes -= transaction.bytes.length
  }

  /** Before those of the same rate: they came first and are taken first. */
  #placeOf(rate: number): number {
    let [low, high] = [0, this.#sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#sorted[middle] as QueuedTransaction).feeRateSatPerKvb < rate) low = middle + 1
      else high = middle
    }
    return low
  }
}
