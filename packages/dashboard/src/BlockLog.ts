/**
 * The last blocks as they came: when, from whom, put together of how much that was at hand, and how fast peers had them too. Of that the
 * only signs are those that peers give: a header that they send, an announcement, a request for what follows.
 */
import type { NodeFact } from "@satwire/node"
import { toHex } from "@satwire/primitives"
import type { BlockNote } from "@satwire/dashboard-page"

/**
 * @limit blocks, and reorganisations, of a dashboard's log
 */
export const BLOCKS_NOTED = 40
/** For how long it is looked how a block spreads. */
export const SPREAD_MS = 60_000

/** A note that is still being written. */
type Note = { -readonly [K in keyof BlockNote]: BlockNote[K] } & { spread: Array<BlockNote["spread"][number]> }

export class BlockLog {
  /** The last one first. */
  readonly #blocks: Array<Note> = []
  readonly #reorganisations: Array<Note> = []
  /** Whose headers came last, and what was rebuilt since the last tip. */
  #from: number | null = null
  #compact: BlockNote["compact"] = null
  readonly #hasBlocks: boolean

  /** @param hasBlocks in a node without, headers count as blocks */
  constructor(hasBlocks: boolean) {
    this.#hasBlocks = hasBlocks
  }

  heard(fact: NodeFact, unixMs: number): void {
    switch (fact._tag) {
      case "TipChanged":
        this.#from = fact.from ?? null
        // Where there are blocks, many headers may be here long before theirs.
        return this.#hasBlocks ? undefined : this.#tip(fact, unixMs)
      case "BlockTipChanged":
        return this.#tip(fact, unixMs)
      case "CompactReconstructed": {
        const { roundTrips, stats, tookMs } = fact
        const fromPool = stats.fromPools.reduce((sum, each) => sum + each, 0)
        this.#compact = {
          tookMs: Math.round(tookMs * 1000) / 1000,
          roundTrips,
          fromPool,
          transactions: stats.transactions
        }
        return
      }
      default:
        return
    }
  }

  get blocks(): ReadonlyArray<BlockNote> {
    return this.#blocks
  }

  get reorganisations(): ReadonlyArray<BlockNote> {
    return this.#reorganisations
  }

  /** The height of the last block, while it still spreads. */
  spreading(unixMs: number): number | undefined {
    const last = this.#blocks[0]
    return last === undefined || unixMs - last.unixMs > SPREAD_MS ? undefined : last.height
  }

  /** So many of so many peers have the last block, as far as we know. */
  spread(peers: number, of: number, unixMs: number): void {
    const last = this.#blocks[0]
    if (last === undefined || last.spread.at(-1)?.peers === peers) return
    if (last.spread.length < MOST_STEPS) last.spread.push({ afterMs: unixMs - last.unixMs, peers, of })
  }

  #tip(
    { added, removed, tip }: Extract<NodeFact, { readonly _tag: "TipChanged" | "BlockTipChanged" }>,
    unixMs: number
  ) {
    const hash = toHex(tip.hash)
    const note: Note = {
      ...{ height: tip.height, hash, time: tip.time, unixMs, removed, added },
      ...{ from: this.#from, compact: this.#compact, spread: [] }
    }
    this.#compact = null
    this.#blocks.unshift(note)
    if (removed > 0) this.#reorganisations.unshift(note)
    for (const list of [this.#blocks, this.#reorganisations]) list.length = Math.min(list.length, BLOCKS_NOTED)
  }
}

const MOST_STEPS = 30
