/** What block sync keeps of a peer: what it was asked for and how fast it delivers. Nobody but the peer itself changes what it is asked for. */
import { type Instant, type PeerId, after } from "@satwire/machine"

/**
 * Core's `MAX_BLOCKS_IN_TRANSIT_PER_PEER`.
 *
 * @limit blocks that one peer is asked for at once
 */
export const MAX_BLOCKS_IN_TRANSIT_PER_PEER = 16

/** How far ahead a peer is asked, in what it is measured to deliver: longer than any round trip, and as short as one big block allows. */
const QUEUE_MS = 3000
/** How soon what was measured is half forgotten. */
const HALF_LIFE_MS = 5000
/** How many blocks a peer is asked for before anything is known of its speed. */
const FIRST_BLOCKS = 4
/** What a block takes at least: several come in one chunk, and the clock stands still meanwhile. */
const LEAST_MS = 0.1
/** How long a peer is not asked for a block that it said it has not. */
export const LACKING_MS: number = 60 * 1000
/** How late a block must be before it is asked of another: less is what the measure may be wrong by. */
export const LATE_MS = 500

/** How far the chain of a peer is that which is fetched: looked up anew when one of both has changed. */
export interface Reach {
  readonly best: number
  readonly target: number
  /** The height of the last header of both. */
  readonly common: number
  /** Whether its chain has the work that a chain of this network must have. */
  readonly isEnough: boolean
}

/** Up to where a peer's own chain was looked through, and at which state of affairs. */
export interface Aside {
  readonly best: number
  readonly epoch: number
  readonly height: number
}

export class PeerBlocks {
  readonly id: PeerId
  /** We chose it, or our user trusts it: while we catch up others are asked only where there is none of these. */
  readonly isPreferred: boolean
  /** It keeps the last 288 blocks only (BIP-0159). */
  readonly isLimited: boolean
  /** What it was asked for and has not sent, in the order in which it was asked, and when. */
  readonly asked: Map<number, Instant> = new Map()
  /** Blocks that it said it has not, or of which it sent another, and when it may be asked for them again. */
  readonly lacks: Map<number, Instant> = new Map()
  reach: Reach | undefined = undefined
  aside: Aside | undefined = undefined
  /** Since when the block is waited for that it was asked for first, and since when for any. */
  #firstSince: Instant | undefined = undefined
  #anySince: Instant | undefined = undefined
  /** What it sent while it was waited for, and how long that was; old news count less. */
  #bytes = 0
  #ms = 0

  constructor(id: PeerId, isPreferred: boolean, isLimited: boolean) {
    this.id = id
    this.isPreferred = isPreferred
    this.isLimited = isLimited
  }

  /** Since when the block is waited for that it was asked for first. */
  get firstSince(): Instant | undefined {
    return this.#firstSince
  }

  /** Since when a block is waited for: it was asked while it had nothing to do, or sent one. */
  get anySince(): Instant | undefined {
    return this.#anySince
  }

  /** Bytes in a millisecond; `undefined` while nothing is known. */
  get rate(): number | undefined {
    return this.#ms > 0 ? this.#bytes / this.#ms : undefined
  }

  /** How many more blocks of such a size it may be asked for. */
  room(blockBytes: number): number {
    const { rate } = this
    const most =
      rate === undefined
        ? FIRST_BLOCKS
        : Math.min(MAX_BLOCKS_IN_TRANSIT_PER_PEER, Math.max(1, Math.ceil((rate * QUEUE_MS) / blockBytes)))
    return most - this.asked.size
  }

  ask(header: number, now: Instant): void {
    if (this.asked.size === 0) {
      this.#firstSince = now
      this.#anySince = now
    }
    this.asked.set(header, now)
  }

  /**
   * It said that it has not the block, or sent another.
   *
   * Specification: it is asked again after {@link LACKING_MS}. Rationale: it may be about to fetch it itself, or have found its bytes damaged; who
   * was never asked again would keep a node from its chain for ever where nobody else has the block.
   */
  lack(header: number, now: Instant): void {
    this.lacks.set(header, after(now, LACKING_MS))
  }

  /** Forgets what may be asked for again. Gives whether there was anything. */
  forgive(now: Instant): boolean {
    const before = this.lacks.size
    for (const [header, until] of this.lacks) if (until <= now) this.lacks.delete(header)
    if (this.lacks.size === before) return false
    this.aside = undefined
    return true
  }

  /** Nothing could come of it for a while, by our doing: what is waited for is waited for from now on. */
  beginAgain(now: Instant): void {
    if (this.#firstSince !== undefined) this.#firstSince = now
    if (this.#anySince !== undefined) this.#anySince = now
    for (const header of this.asked.keys()) this.asked.set(header, now)
  }

  /**
   * A block that it was asked for is here, or will not come (of no bytes).
   *
   * Specification: the time allowed for the first begins anew only when that comes. Rationale: as in Core; who sends all others is late too.
   */
  answered(header: number, sizeBytes: number, now: Instant): boolean {
    const isFirst = this.asked.keys().next().value === header
    if (!this.asked.delete(header)) return false
    const ms = Math.max(LEAST_MS, now - (this.#anySince ?? now))
    this.#anySince = this.asked.size === 0 ? undefined : now
    if (isFirst) this.#firstSince = this.#anySince
    if (sizeBytes === 0) return true
    const kept = 0.5 ** (ms / HALF_LIFE_MS)
    this.#bytes = this.#bytes * kept + sizeBytes
    this.#ms = this.#ms * kept + ms
    return true
  }

  /**
   * When the block may be expected that it was asked for as the `place`th of those that have not come, from 1 on, if it goes on as it did;
   * `Infinity` while nothing is known, and where the first is so late that nobody knows when it comes.
   */
  expected(place: number, blockBytes: number, now: Instant): number {
    const { rate } = this
    const since = this.#anySince
    if (rate === undefined || since === undefined) return Infinity
    const each = blockBytes / rate
    if (now - since - each > Math.max(LATE_MS, each / 2)) return Infinity
    return Math.max(now, since + place * each)
  }

  /** When it would send a block that it is asked for now. */
  expectedNext(blockBytes: number, now: Instant): number {
    const { rate } = this
    return rate === undefined ? now : now + ((this.asked.size + 1) * blockBytes) / rate
  }
}
