/**
 * A chain that a test mines block by block, on a network whose target a few tries meet. It is the naive view of its own headers: a list,
 * in which a header's number is its height and nothing is looked up faster than by walking.
 */
import { concat } from "@satwire/bytes"
import type { ChainView, PeriodFirst } from "@satwire/consensus"
import { portableSha256 } from "@satwire/crypto"
import { BlockTemplates, ProofSearch, type TemplateOptions } from "@satwire/mining"
import {
  type Block,
  type BlockHash,
  type BlockHeader,
  type ChainParams,
  blockHashFromHex,
  encodeHeader,
  headerHash,
  retargetPeriod
} from "@satwire/primitives"

/** What a test may say of a block; by default it comes a spacing after its parent and holds nothing but its coinbase. */
export type MineOptions = Partial<
  Pick<TemplateOptions, "unix" | "extraNonce" | "transactions" | "fees" | "scriptPubKey">
>

/** How many nonces are tried before a test is told that its target is too hard: seconds. */
const PATIENCE = 1_000_000

export class MinedChain implements ChainView {
  readonly params: ChainParams
  /** The blocks above genesis: the one at height h is `blocks[h - 1]`. */
  readonly blocks: Array<Block> = []
  readonly #headers: Array<BlockHeader> = []
  readonly #hashes: Array<BlockHash> = []
  readonly #templates: BlockTemplates

  constructor(params: ChainParams) {
    this.params = params
    const { version, time, bits, nonce, merkleRoot } = params.genesis
    const previousBlock = new Uint8Array(32) as BlockHash
    this.#add({ version, previousBlock, merkleRoot: blockHashFromHex(merkleRoot), time, bits, nonce })
    this.#templates = new BlockTemplates(params, this)
  }

  /** The number of the tip, which is its height. */
  get best(): number {
    return this.#headers.length - 1
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

  header(number: number): BlockHeader {
    const header = this.#headers[number]
    if (header === undefined) throw new RangeError(`no header ${number}`)
    return header
  }

  hash(number: number): BlockHash {
    return this.#hashes[number] as BlockHash
  }

  /** The raw headers at the heights from `from` to `to`, both included, one after another. */
  rawHeaders(from: number, to: number): Uint8Array {
    return concat(this.#headers.slice(from, to + 1).map(encodeHeader))
  }

  height(header: number): number {
    return header
  }

  version(header: number): number {
    return this.header(header).version
  }

  time(header: number): number {
    return this.header(header).time
  }

  bits(header: number): number {
    return this.header(header).bits
  }

  parent(header: number): number {
    return header - 1
  }

  ancestor(header: number, height: number): number {
    return height <= header ? height : -1
  }

  periodFirst(header: number): PeriodFirst {
    return this.header(header - (header % retargetPeriod(this.params)))
  }

  #add(header: BlockHeader): void {
    this.#headers.push(header)
    this.#hashes.push(headerHash(portableSha256, encodeHeader(header)))
  }
}
