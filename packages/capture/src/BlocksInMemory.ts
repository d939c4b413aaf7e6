/** Does for a core that is replayed what a disk and its checks do for one that runs, in memory, at once. */
import { checkBlock } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import type { BlocksCommand, NodeCoreInput } from "@satwire/node-core"
import type { BlockView } from "@satwire/primitives"

/**
 * How many bytes of blocks are kept; the oldest make room, and are given to nobody any more.
 *
 * @limit bytes of blocks in memory while a capture is replayed
 */
export const REPLAYED_BLOCK_BYTES = 268_435_456

export class BlocksInMemory {
  readonly #sha256: Sha256
  readonly #blocks: Map<number, BlockView> = new Map()
  #bytes = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** The answer. */
  perform(command: BlocksCommand): NodeCoreInput {
    switch (command._tag) {
      case "CheckBlock": {
        const { block, context, header } = command
        return { _tag: "BlockChecked", header, block, fault: checkBlock(this.#sha256, block, context) }
      }
      case "StoreBlock":
        this.#keep(command.header, command.block)
        return { _tag: "BlocksStored", headers: [command.header] }
      case "ReadBlock": {
        const { hasWitness, header, isForTransactions = false, peer } = command
        const block = this.#blocks.get(header)
        const given = hasWitness ? block : block?.withoutWitness()
        return { _tag: "BlockRead", peer, block: given, isForTransactions }
      }
    }
  }

  #keep(header: number, block: BlockView): void {
    this.#blocks.set(header, block)
    this.#bytes += block.bytes.length
    for (const [oldest, { bytes }] of this.#blocks) {
      if (this.#bytes <= REPLAYED_BLOCK_BYTES || oldest === header) return
      this.#blocks.delete(oldest)
      this.#bytes -= bytes.length
    }
  }
}
