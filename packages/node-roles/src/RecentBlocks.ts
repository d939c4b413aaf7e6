/** The blocks that were looked at last, whole: what moves the followed chain is nearly always among them. */
import type { BlockView } from "@satwire/primitives"

/**
 * @limit bytes of blocks that were looked at last and are at hand
 */
export const RECENT_BLOCK_BYTES = 24_000_000
/**
 * @limit blocks that were looked at last and are at hand
 */
export const RECENT_BLOCKS = 64

export class RecentBlocks {
  /** The oldest first. */
  readonly #blocks: Map<number, BlockView> = new Map()
  #bytes = 0

  /** By the number of its header. */
  get(header: number): BlockView | undefined {
    return this.#blocks.get(header)
  }

  add(header: number, block: BlockView): void {
    this.#delete(header)
    this.#blocks.set(header, block)
    this.#bytes += block.bytes.length
    // The newest stays, however big it is.
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size === 1 || (this.#blocks.size <= RECENT_BLOCKS && this.#bytes <= RECENT_BLOCK_BYTES)) return
      this.#delete(oldest)
    }
  }

  #delete(header: number): void {
    this.#bytes -= this.#blocks.get(header)?.bytes.length ?? 0
    this.#blocks.delete(header)
  }
}
