/**
 * The filters of one stretch of the chain, fetched from many peers: which heights each is asked for, and which have come. It sends nothing.
 *
 * ```
 *   first ├── piece of A ──┤├── piece of B ──┤├── open ──┤ … ┤ last
 * ```
 *
 * Specification: a piece is asked of one peer; what it has not sent when its time is over, or it leaves, is open again. Rationale: each
 * filter is judged by its hash, on which peers have agreed, so that it does not matter whose it is.
 */
import { type Instant, type PeerId, after, earliest } from "@satwire/machine"
import { FILTER_TIMEOUT_MS } from "./FilterSyncEvents.ts"

/**
 * Filters that one peer is asked for at a time: it may send them all at once.
 *
 * @limit filters that one peer is asked for at once
 */
export const MAX_FILTERS_OF_PEER = 100

export interface Piece {
  readonly first: number
  readonly last: number
}

interface Asked extends Piece {
  left: number
  until: Instant
}

export class FilterFetch {
  readonly first: number
  readonly last: number
  readonly #hasCome: Uint8Array
  #left: number
  readonly #open: Array<Piece> = []
  readonly #asked: Map<PeerId, Asked> = new Map()

  constructor(first: number, last: number) {
    this.first = first
    this.last = last
    this.#hasCome = new Uint8Array(last - first + 1)
    this.#left = last - first + 1
    this.#add(first, last)
  }

  get isDone(): boolean {
    return this.#left === 0
  }

  isAsked(peer: PeerId): boolean {
    return this.#asked.has(peer)
  }

  /** What the peer is to be asked for now, if anything. */
  take(peer: PeerId, now: Instant): Piece | undefined {
    if (this.#asked.has(peer)) return undefined
    const piece = this.#open.shift()
    if (piece === undefined) return undefined
    this.#asked.set(peer, { ...piece, left: piece.last - piece.first + 1, until: after(now, FILTER_TIMEOUT_MS) })
    return piece
  }

  /** Whether the filter of this height was asked of the peer and has not come. */
  isWaitedFor(peer: PeerId, height: number): boolean {
    const asked = this.#asked.get(peer)
    return asked !== undefined && height >= asked.first && height <= asked.last && !this.#has(height)
  }

  /** The filter of this height is here. */
  came(peer: PeerId, height: number, now: Instant): void {
    this.#hasCome[height - this.first] = 1
    this.#left -= 1
    const asked = this.#asked.get(peer)
    if (asked === undefined) return
    asked.left -= 1
    asked.until = after(now, FILTER_TIMEOUT_MS)
    if (asked.left === 0) this.#asked.delete(peer)
  }

  /** Nothing more is to come of the peer: what it was asked for is open again. */
  release(peer: PeerId): void {
    const asked = this.#asked.get(peer)
    if (asked === undefined) return
    this.#asked.delete(peer)
    for (let height = asked.first; height <= asked.last; height++) {
      if (this.#has(height)) continue
      let last = height
      while (last < asked.last && !this.#has(last + 1)) last += 1
      this.#open.unshift({ first: height, last })
      height = last
    }
  }

  nextTimeout(): Instant | undefined {
    let first: Instant | undefined = undefined
    for (const { until } of this.#asked.values()) first = earliest(first, until)
    return first
  }

  /** Those whose time is over. */
  overdue(now: Instant): ReadonlyArray<PeerId> {
    return [...this.#asked].filter(([, { until }]) => until <= now).map(([peer]) => peer)
  }

  #has(height: number): boolean {
    return this.#hasCome[height - this.first] === 1
  }

  #add(first: number, last: number): void {
    for (let from = first; from <= last; from += MAX_FILTERS_OF_PEER) {
      this.#open.push({ first: from, last: Math.min(last, from + MAX_FILTERS_OF_PEER - 1) })
    }
  }
}
