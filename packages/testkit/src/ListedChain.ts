/** The naive view of a chain: a list, in which a header's number is its height and nothing is looked up faster than by walking. */
import { Reader } from "@satwire/bytes"
import type { ChainView, PeriodFirst } from "@satwire/consensus"
import {
  type BlockHash,
  type BlockHeader,
  type ChainParams,
  genesisHeader,
  readHeader,
  retargetPeriod
} from "@satwire/primitives"

/** The headers of a chain from genesis on. Who extends it says where its blocks come from. */
export abstract class ListedChain implements ChainView {
  readonly params: ChainParams
  protected readonly headers: Array<BlockHeader>
  readonly #hashes: Array<BlockHash>

  constructor(params: ChainParams) {
    this.params = params
    this.headers = [readHeader(new Reader(genesisHeader(params)))]
    this.#hashes = [params.genesisHash]
  }

  /** The number of the tip, which is its height. */
  get best(): number {
    return this.headers.length - 1
  }

  header(number: number): BlockHeader {
    const header = this.headers[number]
    if (header === undefined) throw new RangeError(`no header ${number}`)
    return header
  }

  hash(number: number): BlockHash {
    return this.#hashes[number] as BlockHash
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

  /** Puts a header on the tip. */
  protected push(header: BlockHeader, hash: BlockHash): void {
    this.headers.push(header)
    this.#hashes.push(hash)
  }

  /** Takes the tip away. */
  protected pop(): void {
    this.headers.pop()
    this.#hashes.pop()
  }
}
