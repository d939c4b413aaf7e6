/** A copy of the chain in this process: to follow what the nodes agree on, and to mine in secret what none of them knows yet. */
import { portableSha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { BlockTemplates, ProofSearch, type TemplateOptions } from "@satwire/mining"
import { type Block, type BlockHash, type BlockView, type ChainParams, encodeHeader, toHex } from "@satwire/primitives"
import { ListedChain } from "@satwire/testkit"

/** How many nonces are tried: on regtest every second one does. */
const PATIENCE = 100_000

export type SecretBlock = Partial<Pick<TemplateOptions, "extraNonce" | "transactions" | "scriptPubKey">> & {
  /** The time that it claims, or a later one where consensus wants that. */
  readonly unix: number
}

export class Mirror extends ListedChain {
  /** That at height h is `blocks[h - 1]`: of genesis there is a header alone. */
  readonly #blocks: Array<BlockView> = []
  /** Of the blocks above where it branched off. */
  readonly #txids: Set<string> = new Set()
  readonly #templates: BlockTemplates

  constructor(params: ChainParams) {
    super(params)
    this.#templates = new BlockTemplates(params, this)
  }

  /** A chain that is the same up to a height and goes its own way from there. */
  branch(height: number): Mirror {
    const other = new Mirror(this.params)
    for (let at = 1; at <= height; at++) other.#take(this.block(at), this.hash(at))
    return other
  }

  block(height: number): BlockView {
    const block = this.#blocks[height - 1]
    if (block === undefined) throw new RangeError(`no block at ${height}`)
    return block
  }

  /** Whether a block of the chain has the transaction of this name. */
  has(txid: string): boolean {
    return this.#txids.has(txid)
  }

  /** Takes the next block. */
  add(block: BlockView): void {
    this.#take(block, block.hash(platformSha256))
    for (const id of idsOf(block)) this.#txids.add(id)
  }

  /** Lets the tip go. */
  drop(): BlockView | undefined {
    if (this.best === 0) return undefined
    this.pop()
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

  #take(block: BlockView, hash: BlockHash): void {
    this.#blocks.push(block)
    this.push(block.header, hash)
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
