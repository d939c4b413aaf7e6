/** A machine of a block stream among peers that answer as they are told, with its clock in hand and a reader who takes step after step. */
import {
  BlockStreamMachine,
  type BlockStreamInput,
  type BlockStreamOutput,
  type StreamStart
} from "@satwire/block-stream"
import { ProofOfWork, checkBlock } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { Instant, PeerId, UnixSeconds } from "@satwire/machine"
import { concat } from "@satwire/bytes"
import { ANYONE_CAN_SPEND, ProofSearch, coinbase } from "@satwire/mining"
import {
  type BlockHash,
  BlockView,
  HEADER_SIZE,
  blockMerkleRoot,
  encodeHeader,
  headerHash,
  regtest
} from "@satwire/primitives"
import { MinedChain } from "@satwire/testkit"
import { Inventory, MSG_WITNESS_BLOCK, NODE_NETWORK, NODE_WITNESS, headersMessage } from "@satwire/wire"

/** A chain of so many blocks, or of so many more on the first ones of another. */
export const chainOf = (count: number, trunk = new MinedChain(regtest), height = trunk.best, salt = 0): MinedChain => {
  const chain = trunk.fork(height)
  for (let i = 0; i < count; i++) chain.mine({ extraNonce: salt })
  return chain
}

export const blockAt = (chain: TestChain, height: number): BlockView => {
  const block = chain.blocks[height - 1]
  if (block === undefined) throw new RangeError(`no block ${height}`)
  return BlockView.of(block)
}

/** The same block with another version of its coinbase, which is not under its merkle root. */
export const mutated = (block: BlockView): BlockView => {
  const bytes = block.bytes.slice()
  bytes[HEADER_SIZE + 1] = (bytes[HEADER_SIZE + 1] as number) ^ 1
  const decoded = BlockView.decode(bytes)
  if (decoded._tag === "Failure") throw decoded.failure
  return decoded.success.value
}

/** A block on a chain whose coinbase names another height than its own. */
export const spoilt = (chain: MinedChain): TestChain => {
  const height = chain.best + 1
  const first = coinbase({
    params: regtest,
    height: height + 1,
    extraNonce: 0,
    scriptPubKey: ANYONE_CAN_SPEND,
    fees: 0n,
    commitment: undefined
  })
  const merkleRoot = blockMerkleRoot(portableSha256, [first]).root
  const { bits } = regtest.genesis
  const previousBlock = chain.hash(chain.best)
  const fields = { version: 0x20000000, previousBlock, merkleRoot, time: chain.time(chain.best) + 600, bits }
  const search = new ProofSearch(portableSha256, encodeHeader({ ...fields, nonce: 0 }))
  search.step(1000)
  const block = { header: { ...fields, nonce: search.nonce }, transactions: [first] }
  const hash = headerHash(portableSha256, search.header)
  return {
    best: height,
    blocks: [...chain.blocks, block],
    hash: (at) => (at === height ? hash : chain.hash(at)),
    rawHeaders: (from, to) => {
      const below = chain.rawHeaders(from, Math.min(to, chain.best))
      return to === height ? concat([below, search.header]) : below
    }
  }
}

/** What a peer has. */
export type TestChain = Pick<MinedChain, "best" | "blocks" | "hash" | "rawHeaders">

export interface TestPeer {
  chain: TestChain
  readonly services?: bigint
  /** What it sends for the block of a height; that block where not given. */
  readonly gives?: (height: number) => BlockView | "nothing" | "notfound"
}

export interface Options {
  readonly start?: StreamStart
  readonly bytesAhead?: number
  readonly blockTimeoutMs?: number
  /** Chains whose headers are here from the beginning. */
  readonly stored?: ReadonlyArray<MinedChain>
}

type LetGo = Extract<BlockStreamOutput, { readonly _tag: "LetGo" }>

export class ReadBlocks {
  readonly tree: HeaderTree = HeaderTree.fromGenesis(regtest, ChaChaRandom.fromNumber(1))
  readonly machine: BlockStreamMachine
  /** What was asked of whom, as `peer:height`, in order. */
  readonly asked: Array<string> = []
  /** Who was let go, as `peer fault`. */
  readonly letGo: Array<string> = []
  readonly faults: Array<LetGo["fault"]> = []
  isPlaceUnknown = false
  readonly #peers: Map<number, TestPeer> = new Map()
  readonly #waiting: Array<BlockStreamInput> = []
  #isBusy = false
  #ms = 0

  constructor({ stored = [], start = {}, ...options }: Options = {}) {
    for (const chain of stored) {
      acceptHeaders(
        this.tree,
        new ProofOfWork(regtest),
        portableSha256,
        chain.rawHeaders(1, chain.best),
        chain.best,
        Infinity
      )
    }
    const random = ChaChaRandom.fromNumber(2)
    this.machine = new BlockStreamMachine({ ...options, tree: this.tree, sha256: portableSha256, random, start })
  }

  /** Peers that come in one breath: none of them answers before all are there. */
  joinAll(...peers: ReadonlyArray<TestPeer>): void {
    this.#isBusy = true
    for (const [i, peer] of peers.entries()) this.join(i + 1, peer)
    this.#isBusy = false
    this.#goOn()
  }

  /** A peer is there. */
  join(id: number, peer: TestPeer): void {
    this.#peers.set(id, peer)
    const services = peer.services ?? NODE_NETWORK | NODE_WITNESS
    this.input({ _tag: "PeerReady", peer: PeerId(id), outbound: true, services })
  }

  leave(id: number): void {
    if (this.#peers.delete(id)) this.input({ _tag: "PeerGone", peer: PeerId(id) })
  }

  /** A peer follows another chain from now on, and tells it. */
  announce(id: number, chain: TestChain): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) throw new RangeError(`no peer ${id}`)
    const shared = peer.chain.blocks.findIndex((block, i) => block !== chain.blocks[i])
    peer.chain = chain
    const from = shared < 0 ? chain.best : shared + 1
    const message = headersMessage(chain.rawHeaders(from, chain.best))
    this.input({ _tag: "Received", peer: PeerId(id), message })
  }

  /** Takes all steps that there are, up to so many, as `+height` and `-height`; `-height?` where the bytes are gone. */
  read(most = Infinity): Array<string> {
    const { machine, tree } = this
    const steps: Array<string> = []
    while (steps.length < most && machine.at >= 0 && machine.at !== machine.tip) {
      const { at, tip } = machine
      if (tree.isAncestor(at, tip)) {
        const next = tree.ancestor(tip, tree.height(at) + 1)
        if (machine.block(next) === undefined) this.input({ _tag: "BlockLost", header: next })
        if (machine.block(next) === undefined) break
        steps.push(`+${tree.height(next)}`)
        this.input({ _tag: "ReaderAt", header: next })
      } else {
        steps.push(`-${tree.height(at)}${machine.block(at) === undefined ? "?" : ""}`)
        this.input({ _tag: "ReaderAt", header: tree.parent(at) })
      }
    }
    return steps
  }

  /** Lets time pass, every timeout at its instant. */
  elapse(ms: number): void {
    const until = this.#ms + ms
    const next = (): number => this.machine.nextTimeout() ?? Infinity
    for (let at = next(), same = 0; at <= until; at = next(), same++) {
      if (same > 10_000) throw new Error("its timeouts do not end")
      this.#ms = Math.max(this.#ms, at)
      this.input({ _tag: "Timeout" })
    }
    this.#ms = until
  }

  input(input: BlockStreamInput): void {
    this.#waiting.push(input)
    if (!this.#isBusy) this.#goOn()
  }

  #goOn(): void {
    this.#isBusy = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#turn(next)
    this.#isBusy = false
  }

  #turn(input: BlockStreamInput): void {
    const out: Array<BlockStreamOutput> = []
    const now = { instant: Instant(this.#ms), unix: UnixSeconds(1_767_225_600 + Math.floor(this.#ms / 1000)) }
    this.machine.handle(input, now, out)
    for (const output of out) this.#perform(output)
  }

  #perform(output: BlockStreamOutput): void {
    switch (output._tag) {
      case "Send":
        return this.#answer(output.peer, output.message)
      case "LetGo":
        this.letGo.push(`${output.peer} ${output.fault._tag}`)
        this.faults.push(output.fault)
        return this.leave(output.peer)
      case "CheckBlock": {
        const { block, context, header } = output
        const fault = checkBlock(portableSha256, block, context)
        return this.input({ _tag: "BlockChecked", header, block, fault })
      }
      case "PlaceUnknown":
        this.isPlaceUnknown = true
        return
      case "HeadersAccepted":
      case "TipChanged":
      case "Moved":
        return
    }
  }

  #answer(id: PeerId, message: Extract<BlockStreamOutput, { readonly _tag: "Send" }>["message"]): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    const { chain, gives = (height: number) => blockAt(chain, height) } = peer
    if (message._tag === "getheaders") {
      const known = message.locator.map((hash) => heightOf(chain, hash)).find((height) => height >= 0) ?? 0
      const headers = chain.rawHeaders(known + 1, chain.best)
      return this.input({ _tag: "Received", peer: id, message: headersMessage(headers) })
    }
    if (message._tag !== "getdata") return
    for (let i = 0; i < message.inventory.count; i++) {
      const hash = message.inventory.hashAt(i) as BlockHash
      const height = heightOf(chain, hash)
      this.asked.push(`${id}:${height}`)
      const block = gives(height)
      if (block === "nothing") continue
      const answer =
        block === "notfound"
          ? ({ _tag: "notfound", inventory: Inventory.ofType(MSG_WITNESS_BLOCK, [hash]) } as const)
          : ({ _tag: "block", block } as const)
      this.input({ _tag: "Received", peer: id, message: answer })
    }
  }
}

const heightOf = (chain: TestChain, hash: Uint8Array): number => {
  for (let height = 0; height <= chain.best; height++) {
    if (chain.hash(height).every((byte, i) => byte === hash[i])) return height
  }
  return -1
}
