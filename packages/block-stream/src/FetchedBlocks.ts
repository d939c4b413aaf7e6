/**
 * Blocks in memory around a reader: those that he has before him, and the last ones that he has taken, in case they are taken back.
 *
 * ```
 *        behind          ahead
 *   · · ● ● ● ● ● │ ● ● ● ◌ ● ● ◌        ◌ not here yet
 *              reader
 * ```
 */
import type { BlockView } from "@satwire/primitives"

/**
 * How many bytes of blocks that a reader has taken are at hand for a reorganisation; the oldest go.
 *
 * @limit bytes of blocks that a reader of a block stream has taken and that stay in memory
 */
export const MAX_BLOCK_BYTES_BEHIND = 8_000_000

export class FetchedBlocks {
  /** What a block counts at least, so that there are never too many of small ones. */
  readonly #leastBytes: number
  readonly #ahead: Map<number, BlockView> = new Map()
  readonly #behind: Map<number, BlockView> = new Map()
  #bytesAhead = 0
  #bytesBehind = 0

  constructor(leastBytes: number) {
    this.#leastBytes = leastBytes
  }

  /** The headers of those that are before the reader. */
  get ahead(): Iterable<number> {
    return this.#ahead.keys()
  }

  get countAhead(): number {
    return this.#ahead.size
  }

  /** What those that are before the reader count. */
  get bytesAhead(): number {
    return this.#bytesAhead
  }

  get(header: number): BlockView | undefined {
    return this.#ahead.get(header) ?? this.#behind.get(header)
  }

  /** A block is here that the reader may want. */
  add(header: number, block: BlockView): void {
    if (!this.#ahead.has(header)) this.#bytesAhead += this.#weight(block)
    this.#ahead.set(header, block)
  }

  /** The reader has taken a block, or wants it no more. */
  pass(header: number): void {
    const block = this.get(header)
    if (block === undefined) return
    if (this.#ahead.delete(header)) this.#bytesAhead -= this.#weight(block)
    // What is taken again is young again.
    if (!this.#behind.delete(header)) this.#bytesBehind += this.#weight(block)
    this.#behind.set(header, block)
    for (const [oldest, { bytes }] of this.#behind) {
      if (this.#bytesBehind <= MAX_BLOCK_BYTES_BEHIND) return
      this.#behind.delete(oldest)
      this.#bytesBehind -= Math.max(bytes.length, this.#leastBytes)
    }
  }

  #weight({ bytes }: BlockView): number {
    return Math.max(bytes.length, this.#leastBytes)
  }
}
