/** The blocks that wait for the rest of their transactions, by who was asked for them: at most one of each block and peer. */
import type { Instant, PeerId } from "@satwire/machine"
import type { PartialBlock } from "./PartialBlock.ts"

/**
 * Each keeps the message that it came in, of 4 MB at most, alive.
 *
 * @limit blocks that wait for the rest of their transactions, of all peers
 */
export const MAX_PARTIAL_BLOCKS = 16
/**
 * New blocks are one or two above our tip; more there are where chains compete.
 *
 * @limit blocks of one peer that wait for the rest of their transactions
 */
export const MAX_PARTIAL_BLOCKS_PER_PEER = 3

export interface Waiting {
  readonly peer: PeerId
  readonly header: number
  readonly partial: PartialBlock
  /** The peer was asked for the block before it sent anything of it. */
  readonly wasRequested: boolean
  /** When its `cmpctblock` was looked at. */
  readonly since: Instant
}

export class PartialBlocks {
  /** A handful: it is gone through. */
  #waiting: ReadonlyArray<Waiting> = []

  get size(): number {
    return this.#waiting.length
  }

  has(peer: PeerId, header: number): boolean {
    return this.#waiting.some((waiting) => waiting.peer === peer && waiting.header === header)
  }

  hasRoom(peer: PeerId): boolean {
    const own = this.#waiting.filter((waiting) => waiting.peer === peer)
    return own.length < MAX_PARTIAL_BLOCKS_PER_PEER && this.#waiting.length < MAX_PARTIAL_BLOCKS
  }

  add(waiting: Waiting): void {
    this.#waiting = [...this.#waiting, waiting]
  }

  /** When the first `cmpctblock` of a block was looked at that waits still; an instant that is known already, if that is earlier. */
  since(header: number, known: Instant): Instant {
    return this.#waiting.reduce(
      (first, waiting) => (waiting.header === header && waiting.since < first ? waiting.since : first),
      known
    )
  }

  /** Takes it out. */
  take(peer: PeerId, header: number): Waiting | undefined {
    const taken = this.#waiting.find((waiting) => waiting.peer === peer && waiting.header === header)
    if (taken !== undefined) this.keep((waiting) => waiting !== taken)
    return taken
  }

  /** Forgets all others. */
  keep(isKept: (waiting: Waiting) => boolean): void {
    this.#waiting = this.#waiting.filter(isKept)
  }
}
