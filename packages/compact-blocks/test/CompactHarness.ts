/** A machine of compact blocks with everything that it looks up in hand: inputs in sentences, outputs as lists and words. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import type { TransactionView } from "@satwire/primitives"
import { type CmpctBlock, CMPCTBLOCKS_VERSION, PROTOCOL_VERSION } from "@satwire/wire"
import {
  type BlockRequests,
  CompactBlocks,
  type CompactBlocksOptions,
  type CompactInput,
  type CompactOutput,
  type TransactionPool
} from "../src/index.ts"
import { compact, transactionsOf } from "./Blocks.ts"
import { TestChain, blockOf } from "./TestChain.ts"
import { TestPool } from "./TestPool.ts"

type Output<Tag extends CompactOutput["_tag"]> = Extract<CompactOutput, { readonly _tag: Tag }>

export interface HarnessOptions extends Partial<
  Pick<CompactBlocksOptions, "serves" | "announces" | "isBlocksOnly" | "prefills" | "unbroadcast">
> {
  /** The end of the followed chain. */
  readonly tip?: number
  /** What the mempool lacks of every block: the numbers of its transactions. */
  readonly lacks?: ReadonlyArray<number>
}

export class CompactHarness implements BlockRequests {
  readonly chain: TestChain = new TestChain()
  readonly machine: CompactBlocks
  readonly here: Set<number> = new Set()
  readonly asked: Map<number, ReadonlyArray<PeerId>> = new Map()
  /** Up to which header each peer has all. */
  readonly has: Map<number, number> = new Map()
  tip: number
  isRecent = true
  /** In milliseconds. */
  instant = 0
  hasWitness = true
  /** What each peer was asked for of each block last, by both numbers. */
  readonly asking: Map<string, ReadonlyArray<number>> = new Map()
  /** How often the mempool was looked through. */
  scans = 0
  #outputs: Array<CompactOutput> = []

  constructor({ lacks = [], tip = 10, ...options }: HarnessOptions = {}) {
    this.tip = tip
    for (let header = 0; header <= tip; header++) this.here.add(header)
    const pool = new TestPool(transactionsOf(blockOf(1)).filter((_, i) => i > 0 && !lacks.includes(i)))
    this.machine = new CompactBlocks({
      random: ChaChaRandom.fromNumber(1),
      sha256: portableSha256,
      pools: [this.#counted(pool)],
      headers: this.chain,
      requests: this,
      hasHeader: (peer, header) => header <= (this.has.get(peer) ?? -1),
      hasWitness: () => this.hasWitness,
      canDirectFetch: () => this.isRecent,
      serves: true,
      announces: true,
      isBlocksOnly: false,
      ...options
    })
  }

  #counted(pool: TestPool): TransactionPool {
    const seen = (): void => void (this.scans += 1)
    return {
      get count(): number {
        seen()
        return pool.count
      },
      wtxids: pool.wtxids,
      txids: pool.txids,
      transaction: (slot: number): TransactionView => pool.transaction(slot)
    }
  }

  isHere(header: number): boolean {
    return this.here.has(header)
  }
  askedOf(header: number): ReadonlyArray<PeerId> {
    return this.asked.get(header) ?? []
  }

  get now(): Now {
    return { instant: Instant(this.instant), unix: UnixSeconds(0) }
  }

  input(input: CompactInput): this {
    this.machine.handle(input, this.now, { push: (output) => this.#perform(output) })
    return this
  }

  /** What a node does at once. */
  #perform(output: CompactOutput): void {
    this.#outputs.push(output)
    if (output._tag === "Claim") {
      const before = this.asked.get(output.header) ?? []
      if (before.includes(output.peer)) throw new Error("claimed twice")
      this.asked.set(output.header, [...before, output.peer])
    }
    if (output._tag === "AskWhole" && this.asked.get(output.header)?.includes(output.peer) !== true) {
      throw new Error("asked whole, and not claimed")
    }
    if (output._tag === "Send" && output.message._tag === "getblocktxn") {
      const { blockHash, indexes } = output.message
      this.asking.set(`${output.peer} ${this.chain.find(blockHash)}`, indexes)
    }
    if (output._tag === "Release" || output._tag === "Rebuilt") this.answered(output.peer, output.header)
    if (output._tag === "Rebuilt") this.here.add(output.header)
  }

  /** A peer is asked for a block no longer. */
  answered(peer: number, header: number): this {
    const rest = (this.asked.get(header) ?? []).filter((id) => id !== peer)
    if (rest.length === 0) this.asked.delete(header)
    else this.asked.set(header, rest)
    return this
  }

  /** A peer was asked for a block by `getdata`. */
  request(peer: number, header: number): this {
    this.asked.set(header, [...(this.asked.get(header) ?? []), PeerId(peer)])
    return this
  }

  ready(
    peer: number,
    { outbound = true, protocolVersion = PROTOCOL_VERSION, provides = true, wants = false } = {}
  ): this {
    this.input({ _tag: "PeerReady", peer: PeerId(peer), outbound, protocolVersion })
    return provides ? this.sendcmpct(peer, wants) : this
  }

  sendcmpct(peer: number, highBandwidth: boolean, version: bigint = CMPCTBLOCKS_VERSION): this {
    return this.input({
      _tag: "Received",
      peer: PeerId(peer),
      message: { _tag: "sendcmpct", highBandwidth, version }
    })
  }

  gone(peer: number): this {
    for (const header of this.asked.keys()) this.answered(peer, header)
    return this.input({ _tag: "PeerGone", peer: PeerId(peer) })
  }

  /** The peer was the first to deliver the tip, whatever that is, and so is asked to send blocks in short. */
  choose(...peers: ReadonlyArray<number>): this {
    this.chain.best = this.tip
    for (const peer of peers) this.input({ _tag: "BlockDelivered", header: this.tip, peer: PeerId(peer) })
    this.chain.best = 20
    return this
  }

  /** A peer sends a block in short, whose header is taken for the number given. */
  compact(peer: number, number: number, change: Partial<CmpctBlock> = {}, header: number = number): this {
    const message = { ...compact(blockOf(number)), ...change }
    return this.input({ _tag: "CmpctBlockReceived", peer: PeerId(peer), message, header })
  }

  blocktxn(peer: number, header: number, numbers: ReadonlyArray<number>): this {
    const transactions = numbers.map((i) => blockOf(header).transaction(i))
    const message = { _tag: "blocktxn", blockHash: this.chain.hash(header), transactions } as const
    return this.input({ _tag: "Received", peer: PeerId(peer), message })
  }

  getblocktxn(peer: number, header: number, indexes: ReadonlyArray<number>): this {
    const message = { _tag: "getblocktxn", blockHash: this.chain.hash(header), indexes } as const
    return this.input({ _tag: "Received", peer: PeerId(peer), message })
  }

  valid(header: number, isOurs: boolean = false): this {
    return this.input({ _tag: "BlockValid", header, block: blockOf(header), isOurs })
  }

  /** The outputs of one kind since this was last asked for that kind. */
  take<Tag extends CompactOutput["_tag"]>(tag: Tag): ReadonlyArray<Output<Tag>> {
    const taken = this.#outputs.filter((output): output is Output<Tag> => output._tag === tag)
    this.#outputs = this.#outputs.filter((output) => output._tag !== tag)
    return taken
  }

  /** All outputs since this was last asked, as words: `"3 Send getblocktxn 1,2"`, `"3 Claim 11"`, `"3 Misbehaved blocktxn"`. */
  words(): ReadonlyArray<string> {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs.flatMap((output) => {
      switch (output._tag) {
        case "Send":
          return `${output.peer} Send ${this.#message(output.message)}`
        case "Misbehaved":
          return `${output.peer} Misbehaved ${output.reason.command}`
        case "ReplyOwed":
          return `${output.peer} ReplyOwed ${output.owed}`
        case "HighBandwidthChosen":
          return `HighBandwidthChosen ${output.peers.join(",")}`
        case "CompactReconstructed":
          return []
        default:
          return `${output.peer} ${output._tag} ${output.header}`
      }
    })
  }

  #message(message: Output<"Send">["message"]): string {
    switch (message._tag) {
      case "sendcmpct":
        return `sendcmpct ${message.highBandwidth ? "high" : "low"}`
      case "getblocktxn":
        return `getblocktxn ${this.chain.find(message.blockHash)}: ${message.indexes.join(",")}`
      case "blocktxn":
        return `blocktxn ${this.chain.find(message.blockHash)}: ${message.transactions.length}`
      case "cmpctblock":
        return `cmpctblock, whole ${message.prefilled.map(({ index }) => index).join(",")}`
      case "block":
        return "block"
    }
  }
}
