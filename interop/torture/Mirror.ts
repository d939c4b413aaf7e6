/** A copy of the chain in this process: to follow what the nodes agree on, and to mine in secret what none of them knows yet. */
import type { ChainView, PeriodFirst } from "@satwire/consensus"
import { portableSha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { BlockTemplates, ProofSearch, type TemplateOptions } from "@satwire/mining"
import {
  type Block,
  type BlockHash,
  type BlockHeader,
  type BlockView,
  type ChainParams,
  blockHashFromHex,
  encodeHeader,
  retargetPeriod,
  toHex
} from "@satwire/primitives"

/** How many nonces are tried: on regtest every second one does. */
const PATIENCE = 100_000

export type SecretBlock = Partial<Pick<TemplateOptions, "extraNonce" | "transactions" | "scriptPubKey">> & {
  /** The time that it claims, or a later one where consensus wants that. */
  readonly unix: number
}

/** A header's number is its height. */
export class Mirror implements ChainView {
  readonly params: ChainParams
  /** That at height h is `blocks[h - 1]`: of genesis there is a header alone. */
  readonly #blocks: Array<BlockView>
  readonly #headers: Array<BlockHeader>
  readonly #hashes: Array<BlockHash>
  /** Of the blocks above where it branched off. */
  readonly #txids: Set<string> = new Set()
  readonly #templates: BlockTemplates

  constructor(params: ChainParams, from?: { readonly of: Mirror; readonly height: number }) {
    this.params = params
    this.#blocks = from === undefined ? [] : from.of.#blocks.slice(0, from.height)
    this.#headers = from === undefined ? [genesisOf(params)] : from.of.#headers.slice(0, from.height + 1)
    this.#hashes = from === undefined ? [params.genesisHash] : from.of.#hashes.slice(0, from.height + 1)
    this.#templates = new BlockTemplates(params, this)
  }

  /** A chain that is the same up to a height and goes its own way from there. */
  branch(height: number): Mirror {
    return new Mirror(this.params, { of: this, height })
  }

  /** The height of its tip. */
  get best(): number {
    return this.#blocks.length
  }

  hash(height: number): BlockHash {
    return this.#hashes[height] as BlockHash
  }

  block(height: number): BlockView {
    const block = this.#blocks[height - 1]
    if (block === undefined) throw new RangeError(`no block at ${height}`)
    return block
  }

  header(height: number): BlockHeader {
    const header = this.#headers[height]
    if (header === undefined) throw new RangeError(`no header at ${height}`)
    return header
  }

  /** Whether a block of the chain has the transaction of this name. */
  has(txid: string): boolean {
    return this.#txids.has(txid)
  }

  /** Takes the next block. */
  add(block: BlockView): void {
    this.#blocks.push(block)
    this.#headers.push(block.header)
    this.#hashes.push(block.hash(platformSha256))
    for (const id of idsOf(block)) this.#txids.add(id)
  }

  /** Lets the tip go. */
  drop(): BlockView | undefined {
    if (this.best === 0) return undefined
    this.#headers.pop()
    this.#hashes.pop()
    const block = this.#blocks.pop()
    if (block !== undefined) for (const id of idsOf(block)) this.#txids.delete(id)
    return block
  }

  /** A block on the tip, which is not taken. */
  make({ extraNonce = 0, ...options }: SecretBlock): Block {
    const parent = this.best
    const template = this.#templates.make({
      sha256: platformSha256,
      parent,
      parentHash: this.hash(parent),
      extraNonce,
      ...options
    })
    return mined(template)
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
}

/** The block with a nonce that does. */
export const mined = ({ header, transactions }: Block): Block => {
  const search = new ProofSearch(portableSha256, encodeHeader(header))
  if (search.step(PATIENCE) !== "found") throw new RangeError("no nonce does")
  return { header: { ...header, nonce: search.nonce }, transactions }
}

const idsOf = (block: BlockView): ReadonlyArray<string> => {
  const txids = block.txids(platformSha256)
  return Array.from({ length: block.transactionCount }, (_, i) => toHex(txids.subarray(32 * i, 32 * i + 32)))
}

const genesisOf = ({ genesis }: ChainParams): BlockHeader => ({
  ...genesis,
  previousBlock: new Uint8Array(32) as BlockHash,
  merkleRoot: blockHashFromHex(genesis.merkleRoot)
})
