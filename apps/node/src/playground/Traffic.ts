/**
 * What moved on the playground since it began, told by the facts of its nodes: transactions made and relayed, and blocks in short. It counts
 * and has no clock.
 *
 * Specification: bytes are payloads; a block's are those of a `block` message, and what it moved in are those of `cmpctblock`, `getblocktxn` and
 * `blocktxn`. Rationale: frames and encryption come to both.
 *
 * Specification: a whole block costs one round trip, `getdata` and `block`, after it was announced. One in short costs none where its
 * `cmpctblock` came unasked and all else was at hand, and one more for each question that was asked: what is avoided is the difference of the
 * sums. Rationale: a `cmpctblock` that was asked for, and then lacked something, cost more than the whole block; that has to count too.
 */
import type { NodeFact } from "@satwire/node"

/** Blocks that were put together of messages. */
export interface ShortBlocks {
  readonly count: number
  readonly blockBytes: number
  readonly messageBytes: number
  /** Questions that were asked and waited for. */
  readonly roundTrips: number
  readonly tookMs: number
}

export type ShortBlock = Pick<
  Extract<NodeFact, { readonly _tag: "CompactReconstructed" }>,
  "stats" | "roundTrips" | "tookMs"
>

export interface TrafficFrame {
  /** Transactions that were made here, and that a node took of another. */
  readonly made: number
  readonly relayed: number
  /** Blocks that a node took of another, in whatever way, and those of them that came in short. */
  readonly blocks: number
  readonly short: ShortBlocks
  readonly last: ShortBlock | undefined
}

/** A whole block's: it is announced, asked for, and comes. */
const WHOLE_ROUND_TRIPS = 1

export class Traffic {
  /** Blocks up to this height were there before it began. */
  readonly #base: number
  #made = 0
  #relayed = 0
  #blocks = 0
  #short: ShortBlocks = { count: 0, blockBytes: 0, messageBytes: 0, roundTrips: 0, tookMs: 0 }
  #last: ShortBlock | undefined = undefined
  /** Whether the blocks that were there before have all moved. */
  #hasBegun = false

  constructor(base: number) {
    this.#base = base
  }

  /** Takes in a fact of a node that mines, or of one that has its blocks of others. */
  observe(fact: NodeFact, mines: boolean): void {
    switch (fact._tag) {
      case "TransactionAccepted":
        if (fact.from === undefined) this.#made += 1
        else this.#relayed += 1
        return
      case "BlockTipChanged":
        if (mines) return
        this.#hasBegun = fact.tip.height >= this.#base
        this.#blocks += Math.max(0, Math.min(fact.added, fact.tip.height - this.#base))
        return
      case "CompactReconstructed":
        if (this.#hasBegun) this.#add(fact)
        return
      default:
        return
    }
  }

  #add({ roundTrips, stats, tookMs }: ShortBlock): void {
    const before = this.#short
    this.#last = { roundTrips, stats, tookMs }
    this.#short = {
      count: before.count + 1,
      blockBytes: before.blockBytes + stats.blockBytes,
      messageBytes: before.messageBytes + stats.messageBytes,
      roundTrips: before.roundTrips + roundTrips,
      tookMs: before.tookMs + tookMs
    }
  }

  get frame(): TrafficFrame {
    return { made: this.#made, relayed: this.#relayed, blocks: this.#blocks, short: this.#short, last: this.#last }
  }
}

/** How much of so many bytes did not have to move, in percent; below nothing where more did. */
export const savedPercent = (blockBytes: number, messageBytes: number): number =>
  blockBytes === 0 ? 0 : (100 * (blockBytes - messageBytes)) / blockBytes

/** Round trips that the blocks did without, of those that whole ones take. */
export const avoidedRoundTrips = ({
  count,
  roundTrips
}: Pick<ShortBlocks, "count" | "roundTrips">): { readonly avoided: number; readonly of: number } => ({
  avoided: count * WHOLE_ROUND_TRIPS - roundTrips,
  of: count * WHOLE_ROUND_TRIPS
})
