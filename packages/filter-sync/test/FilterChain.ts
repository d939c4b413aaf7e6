/** A chain of blocks of one transaction each with its filters, and peers that give them, as they are or otherwise. */
import { portableSha256 } from "@satwire/crypto"
import { buildBasicFilter, filterHash, filterHeaders } from "@satwire/filters"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import {
  type Block,
  type BlockHash,
  BlockView,
  type Satoshis,
  type Transaction,
  type Txid,
  blockMerkleRoot
} from "@satwire/primitives"
import { HashList, NODE_COMPACT_FILTERS, NODE_NETWORK } from "@satwire/wire"
import { FilterSync, type FilterSyncInput, type FilterSyncOptions, type FilterSyncOutput } from "../src/index.ts"

export type Output<Tag extends FilterSyncOutput["_tag"]> = Extract<FilterSyncOutput, { readonly _tag: Tag }>

/** The script that the block of this number pays to. */
export const scriptOf = (block: number): Uint8Array => Uint8Array.of(0x51, block & 0xff, block >>> 8)

const blockOf = (number: number, previousBlock: BlockHash): Block => {
  const coinbase: Transaction = {
    version: 1,
    inputs: [
      {
        previousOutput: { txid: new Uint8Array(32) as Txid, index: 0xffff_ffff },
        scriptSig: scriptOf(number),
        sequence: 0,
        witness: []
      }
    ],
    outputs: [{ amount: 1n as unknown as Satoshis, scriptPubKey: scriptOf(number) }],
    lockTime: 0
  }
  const merkleRoot = blockMerkleRoot(portableSha256, [coinbase]).root
  return {
    header: { version: 1, previousBlock, merkleRoot, time: number, bits: 0, nonce: 0 },
    transactions: [coinbase]
  }
}

interface Node {
  readonly parent: number
  readonly height: number
  readonly view: BlockView
  readonly hash: BlockHash
  readonly filter: Uint8Array
}

/** A tree of headers whose last is the best. */
export class FilterChain {
  readonly #nodes: Array<Node> = []
  readonly #byHash: Map<string, number> = new Map()
  best = 0

  constructor(blocks: number) {
    this.grow(-1, blocks)
  }

  /** So many blocks on top of one. The last is the best then. */
  grow(parent: number, count: number): number {
    let at = parent
    for (let i = 0; i < count; i++) {
      const number = this.#nodes.length
      const block = blockOf(number, at < 0 ? (new Uint8Array(32) as BlockHash) : this.hash(at))
      const view = BlockView.of(block)
      const hash = view.hash(portableSha256)
      const filter = buildBasicFilter(hash, block.transactions, []).bytes
      this.#nodes.push({ parent: at, height: at < 0 ? 0 : this.height(at) + 1, view, hash, filter })
      this.#byHash.set(hash.join(), number)
      at = number
    }
    this.best = at
    return at
  }

  #node(header: number): Node {
    return this.#nodes[header] as Node
  }
  block(header: number): BlockView {
    return this.#node(header).view
  }
  filter(header: number): Uint8Array {
    return this.#node(header).filter
  }
  height(header: number): number {
    return this.#node(header).height
  }
  hash(header: number): BlockHash {
    return this.#node(header).hash
  }
  find(hash: Uint8Array): number {
    return this.#byHash.get(hash.join()) ?? -1
  }
  ancestor(header: number, height: number): number {
    let at = header
    while (this.height(at) > height) at = this.#node(at).parent
    return at
  }
  isAncestor(before: number, header: number): boolean {
    return this.height(before) <= this.height(header) && this.ancestor(header, this.height(before)) === before
  }
  fork(a: number, b: number): number {
    let [x, y] = [a, b]
    while (x !== y) {
      if (this.height(x) >= this.height(y)) x = this.#node(x).parent
      else y = this.#node(y).parent
    }
    return x
  }
}

/** What a peer says the filter of a block is. */
export type Telling = (header: number, chain: FilterChain) => Uint8Array

export const honest: Telling = (header, chain) => chain.filter(header)
/** Leaves out what the block of this number pays to. */
export const hides =
  (number: number): Telling =>
  (header, chain) =>
    header === number ? Uint8Array.of(0) : chain.filter(header)
/** Adds to a filter what the block has not, which no block can disprove. */
export const adds =
  (number: number): Telling =>
  (header, chain) =>
    header === number
      ? buildBasicFilter(chain.hash(header), chain.block(header).materialise().transactions, [Uint8Array.of(1, 2, 3)])
          .bytes
      : chain.filter(header)
export const silent: Telling = () => new Uint8Array(0)

export class FilterHarness {
  readonly chain: FilterChain
  readonly sync: FilterSync
  /** All that came out, in order. */
  readonly outputs: Array<FilterSyncOutput> = []
  /** Whether blocks that are asked for come. */
  givesBlocks = true
  /** Questions of each peer. */
  readonly asked: Array<{
    readonly peer: PeerId
    readonly command: string
    readonly from: number
    readonly to: number
  }> = []
  readonly #peers: Map<PeerId, Telling> = new Map()
  #elapsedMs = 0

  constructor(blocks: number, options: Partial<FilterSyncOptions> = {}) {
    this.chain = new FilterChain(blocks)
    this.sync = new FilterSync({
      sha256: portableSha256,
      headers: this.chain,
      chains: { bestOf: () => this.chain.best },
      range: () => ({ from: 0, to: undefined }),
      scripts: [],
      leastPeers: 1,
      ...options
    })
  }

  get #now(): Now {
    return { instant: Instant(this.#elapsedMs), unix: UnixSeconds(1_700_000_000) }
  }

  peer(id: number, telling: Telling, services: bigint = NODE_COMPACT_FILTERS | NODE_NETWORK): this {
    this.#peers.set(PeerId(id), telling)
    return this.input({ _tag: "PeerReady", peer: PeerId(id), services })
  }

  leave(id: number): this {
    this.#peers.delete(PeerId(id))
    return this.input({ _tag: "PeerGone", peer: PeerId(id) })
  }

  /** An input and all that follows from it. */
  input(input: FilterSyncInput): this {
    const waiting: Array<FilterSyncInput> = [input, { _tag: "TurnEnds" }]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const out: Array<FilterSyncOutput> = []
      this.sync.handle(next, this.#now, out)
      for (const output of out) {
        this.outputs.push(output)
        const answers = this.#answers(output)
        for (const answer of answers) waiting.push(answer, { _tag: "TurnEnds" })
      }
    }
    return this
  }

  elapse(ms: number): this {
    const until = this.#elapsedMs + ms
    for (let at = this.sync.nextTimeout(); at !== undefined && at <= until; at = this.sync.nextTimeout()) {
      this.#elapsedMs = Math.max(this.#elapsedMs, at)
      this.input({ _tag: "Timeout" })
    }
    this.#elapsedMs = until
    return this
  }

  of<Tag extends FilterSyncOutput["_tag"]>(tag: Tag): ReadonlyArray<Output<Tag>> {
    return this.outputs.filter((output): output is Output<Tag> => output._tag === tag)
  }

  /** The last verdict on each block that was judged. */
  get verdicts(): ReadonlyMap<number, boolean> {
    return new Map(this.of("BlockJudged").map(({ header, matches }) => [header, matches]))
  }

  get matching(): ReadonlyArray<number> {
    return [...this.verdicts].filter(([, matches]) => matches).map(([header]) => header)
  }

  #answers(output: FilterSyncOutput): ReadonlyArray<FilterSyncInput> {
    const { chain } = this
    if (output._tag === "FetchBlock" && this.givesBlocks) {
      return [{ _tag: "BlockSeen", header: output.header, block: chain.block(output.header) }]
    }
    if (output._tag === "Misbehaved" || output._tag === "TooSlow") {
      this.#peers.delete(output.peer)
      return [{ _tag: "PeerGone", peer: output.peer }]
    }
    if (output._tag !== "Send") return []
    const telling = this.#peers.get(output.peer)
    const { message, peer } = output
    const stop = chain.find(message.stopHash)
    const to = chain.height(stop)
    const from = message._tag === "getcfcheckpt" ? 0 : message.startHeight
    this.asked.push({ peer, command: message._tag, from, to })
    if (telling === undefined || telling === silent) return []
    const at = (height: number): number => chain.ancestor(stop, height)
    const hashes = (first: number, last: number): Uint8Array => {
      const all = new Uint8Array(32 * (last - first + 1))
      for (let h = first; h <= last; h++) all.set(filterHash(portableSha256, telling(at(h), chain)), 32 * (h - first))
      return all
    }
    const headers = filterHeaders(portableSha256, hashes(0, to), new Uint8Array(32))
    const header = (height: number): Uint8Array =>
      height < 0 ? new Uint8Array(32) : headers.subarray(32 * height, 32 * height + 32)
    const about = { filterType: 0, stopHash: message.stopHash }
    switch (message._tag) {
      case "getcfcheckpt": {
        const every = Array.from({ length: Math.floor(to / 1000) }, (_, i) => header(1000 * (i + 1)))
        return [{ _tag: "Received", peer, message: { _tag: "cfcheckpt", ...about, filterHeaders: HashList.of(every) } }]
      }
      case "getcfheaders":
        return [
          {
            _tag: "Received",
            peer,
            message: {
              _tag: "cfheaders",
              ...about,
              previousFilterHeader: header(from - 1),
              filterHashes: new HashList(hashes(from, to))
            }
          }
        ]
      case "getcfilters":
        return Array.from({ length: to - from + 1 }, (_, i): FilterSyncInput => {
          const block = at(from + i)
          const filter = telling(block, chain)
          return {
            _tag: "Received",
            peer,
            message: { _tag: "cfilter", filterType: 0, blockHash: chain.hash(block), filter }
          }
        })
    }
  }
}
