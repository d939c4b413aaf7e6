/** A chain that a test mines block by block, on a network whose target a few tries meet. */
import { concat } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { BlockTemplates, ProofSearch, type TemplateOptions } from "@satwire/mining"
import { type Block, type BlockHeader, type ChainParams, encodeHeader, headerHash } from "@satwire/primitives"
import { ListedChain } from "./ListedChain.ts"

/** What a test may say of a block; by default it comes a spacing after its parent and holds nothing but its coinbase. */
export type MineOptions = Partial<
  Pick<TemplateOptions, "unix" | "extraNonce" | "transactions" | "fees" | "scriptPubKey">
>

/** How many nonces are tried before a test is told that its target is too hard: seconds. */
const PATIENCE = 1_000_000

export class MinedChain extends ListedChain {
  /** The blocks above genesis: the one at height h is `blocks[h - 1]`. */
  readonly blocks: Array<Block> = []
  readonly #templates: BlockTemplates

  constructor(params: ChainParams) {
    super(params)
    this.#templates = new BlockTemplates(params, this)
  }

  /** Mines a block on the tip. */
  mine(options: MineOptions = {}): Block {
    const parent = this.best
    const template = this.#templates.make({
      sha256: portableSha256,
      parent,
      parentHash: this.hash(parent),
      unix: this.time(parent) + this.params.powTargetSpacing,
      extraNonce: 0,
      ...options
    })
    const search = new ProofSearch(portableSha256, encodeHeader(template.header))
    if (search.step(PATIENCE) !== "found") throw new RangeError("the target is too hard for a test")
    const block = { ...template, header: { ...template.header, nonce: search.nonce } }
    this.blocks.push(block)
    this.#add(block.header)
    return block
  }

  /** A chain that has the same blocks up to a height and goes its own way from there. */
  fork(height: number): MinedChain {
    const other = new MinedChain(this.params)
    for (const block of this.blocks.slice(0, height)) {
      other.blocks.push(block)
      other.#add(block.header)
    }
    return other
  }

  /** The raw headers at the heights from `from` to `to`, both included, one after another. */
  rawHeaders(from: number, to: number): Uint8Array {
    return concat(this.headers.slice(from, to + 1).map(encodeHeader))
  }

  #add(header: BlockHeader): void {
    this.push(header, headerHash(portableSha256, encodeHeader(header)))
  }
}
