/**
 * What peers are given in short: the newest block, which is at hand for whoever was told of it, and the `cmpctblock` of it and of those shortly
 * before it, each built once.
 *
 * Specification: one message of a block for all peers, under a nonce of its own. Rationale: BIP-0152 §"Implementation Notes"; and to build one
 * hashes all of a block, which a peer could else have done for every 37 bytes that it sends.
 *
 * Specification: what this node had not of a block, and so was sent whole or had to fetch, it sends whole with it; and of a block that was made here,
 * those transactions of its own that nobody has asked for. Rationale: others will not have them either. Who made the block cannot be told from who
 * fetched the same for it.
 */
import type { Sha256 } from "@satwire/crypto"
import { type Random, keepLast } from "@satwire/machine"
import type { BlockView } from "@satwire/primitives"
import type { CmpctBlock } from "@satwire/wire"
import { buildCompactBlock } from "./BuildCompactBlock.ts"

/** Core's limit on the depth of blocks that are given in short: deeper ones are given whole. */
export const MAX_CMPCTBLOCK_DEPTH = 5
/**
 * As many as are given in short.
 *
 * @limit compact blocks that are kept for those who ask again
 */
const MAX_KEPT_MESSAGES: number = MAX_CMPCTBLOCK_DEPTH + 1
/**
 * How many blocks may be looked at, after they were put together or made, before others may be told.
 *
 * @limit rebuilt blocks of which the hashes are kept until others are told
 */
const MAX_REMEMBERED = 3

interface Remembered {
  readonly lacked: ReadonlyArray<number>
  readonly wtxids: Uint8Array
}

export class CompactServing {
  readonly #sha256: Sha256
  readonly #random: Random
  /** Those given out last come last. */
  readonly #messages: Map<number, CmpctBlock> = new Map()
  readonly #remembered: Map<number, Remembered> = new Map()
  #recent: { readonly header: number; readonly block: BlockView } | undefined = undefined

  constructor(sha256: Sha256, random: Random) {
    this.#sha256 = sha256
    this.#random = random
  }

  /** A block was put together or made here: what others will lack of it, and its hashes, are of use when it is told on. */
  rebuilt(header: number, lacked: ReadonlyArray<number>, wtxids: Uint8Array): void {
    keepLast(this.#remembered, header, { lacked, wtxids }, MAX_REMEMBERED)
  }

  /** The newest block. */
  setRecent(header: number, block: BlockView): void {
    this.#recent = { header, block }
  }

  /** The block, if it is the newest. */
  recent(header: number): BlockView | undefined {
    return this.#recent?.header === header ? this.#recent.block : undefined
  }

  /** The block in short. */
  message(header: number, block: BlockView): CmpctBlock {
    const remembered = this.#remembered.get(header)
    this.#remembered.delete(header)
    const message =
      this.#messages.get(header) ??
      buildCompactBlock(this.#sha256, block, {
        nonce: this.#random.u64(),
        ...(remembered === undefined ? {} : { prefill: remembered.lacked, wtxids: remembered.wtxids })
      })
    keepLast(this.#messages, header, message, MAX_KEPT_MESSAGES)
    return message
  }
}
