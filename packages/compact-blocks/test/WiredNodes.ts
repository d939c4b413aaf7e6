/**
 * Nodes of nothing but compact blocks, wired to one another: each has a chain of whole blocks, a mempool, and the plainest way of asking for blocks.
 * What they say to each other passes over the wire's bytes, one message at a time, in the order in which it was said.
 */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { type BlockView, encodeHeader, headerHash } from "@satwire/primitives"
import {
  type Command,
  Inventory,
  MSG_CMPCT_BLOCK,
  MSG_WITNESS_BLOCK,
  type Message,
  PROTOCOL_VERSION,
  decodePayload,
  encodePayload,
  headersMessage
} from "@satwire/wire"
import * as Result from "effect/Result"
import { type BlockRequests, CompactBlocks, type CompactInput, type CompactOutput } from "../src/index.ts"
import { transactionsOf } from "./Blocks.ts"
import { TestChain, blockOf } from "./TestChain.ts"
import { TestPool } from "./TestPool.ts"

const NOW: Now = { instant: Instant(0), unix: UnixSeconds(0) }

interface Delivery {
  readonly from: WiredNode
  readonly to: WiredNode
  readonly command: Command
  readonly payload: Uint8Array
}

export interface NodeOptions {
  /** What its mempool lacks: the numbers of transactions in each block. */
  readonly lacks?: ReadonlyArray<number>
  /** Stands between it and the wire: what it sends instead, or nothing. */
  readonly says?: (message: Message) => Message | undefined
}

export class Network {
  readonly nodes: Array<WiredNode> = []
  #queue: Array<Delivery> = []
  /** Everything that was said, as words: `"1>2 cmpctblock"`. */
  #said: Array<string> = []
  bytes = 0

  node(options: NodeOptions = {}): WiredNode {
    const node = new WiredNode(this, this.nodes.length + 1, options)
    this.nodes.push(node)
    return node
  }

  connect(dialler: WiredNode, listener: WiredNode): void {
    dialler.ready(listener, true)
    listener.ready(dialler, false)
    this.run()
  }

  say(from: WiredNode, to: WiredNode, message: Message): void {
    const said = from.says(message)
    if (said === undefined) return
    this.#queue.push({ from, to, command: said._tag, payload: encodePayload(said) })
  }

  /** Delivers until all is said. */
  run(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { command, from, payload, to } = next
      this.#said.push(`${from.id}>${to.id} ${command}`)
      this.bytes += payload.length
      if (to.peers.has(from.id)) to.receive(from, Result.getOrThrow(decodePayload(command, payload)).value)
    }
  }

  /** What was said since this was last asked. */
  said(): ReadonlyArray<string> {
    const said = this.#said
    this.#said = []
    return said
  }
}

export class WiredNode implements BlockRequests {
  readonly id: PeerId
  readonly machine: CompactBlocks
  readonly peers: Map<PeerId, WiredNode> = new Map()
  readonly blocks: Map<number, BlockView> = new Map()
  readonly asked: Map<number, ReadonlyArray<PeerId>> = new Map()
  /** Who broke a rule, and in which message. */
  readonly blamed: Array<string> = []
  /** How many questions each block took. */
  readonly roundTrips: Map<number, number> = new Map()
  readonly says: (message: Message) => Message | undefined
  tip = 10
  readonly #chain: TestChain = new TestChain()
  readonly #network: Network
  readonly #has: Map<PeerId, number> = new Map()

  constructor(network: Network, id: number, { lacks = [], says = (message) => message }: NodeOptions) {
    this.#network = network
    this.id = PeerId(id)
    this.says = says
    for (let header = 1; header <= this.tip; header++) this.blocks.set(header, blockOf(header))
    this.machine = new CompactBlocks({
      random: ChaChaRandom.fromNumber(id),
      sha256: portableSha256,
      pools: [new TestPool(transactionsOf(blockOf(1)).filter((_, i) => i > 0 && !lacks.includes(i)))],
      headers: this.#chain,
      requests: this,
      hasHeader: (peer, header) => (this.#has.get(peer) ?? -1) >= header,
      hasWitness: () => true,
      canDirectFetch: () => true,
      serves: true,
      announces: true,
      isBlocksOnly: false
    })
  }

  isHere(header: number): boolean {
    return this.blocks.has(header)
  }
  askedOf(header: number): ReadonlyArray<PeerId> {
    return this.asked.get(header) ?? []
  }

  ready(peer: WiredNode, outbound: boolean): void {
    this.peers.set(peer.id, peer)
    this.#has.set(peer.id, peer.tip)
    this.#handle({ _tag: "PeerReady", peer: peer.id, outbound, protocolVersion: PROTOCOL_VERSION })
  }

  gone(peer: PeerId): void {
    this.peers.delete(peer)
    for (const header of this.asked.keys()) this.#answered(peer, header)
    this.#handle({ _tag: "PeerGone", peer })
  }

  /** It has found the next block. */
  mine(header: number): void {
    this.#take(header, blockOf(header), undefined)
    this.#network.run()
  }

  #handle(input: CompactInput): void {
    const outputs: Array<CompactOutput> = []
    this.machine.handle(input, NOW, outputs)
    for (const output of outputs) this.#perform(output)
  }

  #send(peer: PeerId, message: Message): void {
    const to = this.peers.get(peer)
    if (to !== undefined) this.#network.say(this, to, message)
  }

  #perform(output: CompactOutput): void {
    switch (output._tag) {
      case "Send":
        return this.#send(output.peer, output.message)
      case "Claim":
        return this.#ask(output.peer, output.header)
      case "Release":
        return this.#answered(output.peer, output.header)
      case "AskWhole":
        return this.#getdata(output.peer, output.header, MSG_WITNESS_BLOCK)
      case "GiveWhole":
        return this.#send(output.peer, { _tag: "block", block: blockOf(output.header) })
      case "ReadBlock":
        return this.#handle({ _tag: "BlockTxnRead", peer: output.peer, block: this.blocks.get(output.header) })
      case "Rebuilt":
        return this.#take(output.header, output.block, output.peer)
      case "Announced":
        return void this.#has.set(output.peer, output.header)
      case "Misbehaved":
        this.blamed.push(`${output.peer} ${output.reason.command}`)
        this.peers.get(output.peer)?.gone(this.id)
        return this.gone(output.peer)
      case "CompactReconstructed":
        return void this.roundTrips.set(output.header, output.roundTrips)
      case "ReplyOwed":
      case "HighBandwidthChosen":
        return
    }
  }

  #ask(peer: PeerId, header: number): void {
    this.asked.set(header, [...(this.asked.get(header) ?? []), peer])
  }

  #answered(peer: PeerId, header: number): void {
    this.asked.set(
      header,
      (this.asked.get(header) ?? []).filter((id) => id !== peer)
    )
  }

  #getdata(peer: PeerId, header: number, type: number): void {
    this.#send(peer, { _tag: "getdata", inventory: Inventory.ofType(type, [this.#chain.hash(header)]) })
  }

  /** A block is here, and is followed. */
  #take(header: number, block: BlockView, from: PeerId | undefined): void {
    if (this.blocks.has(header)) return
    this.blocks.set(header, block)
    this.asked.delete(header)
    const before = this.tip
    // What it delivers first is the best there is.
    this.#chain.best = header
    this.#handle({ _tag: "BlockDelivered", header, peer: from })
    if (this.#chain.parent(header) === before) this.#handle({ _tag: "BlockValid", header, block, isOurs: false })
    if (this.#chain.compareWork(header, before) > 0) this.tip = header
    for (const [peer, has] of this.#has) {
      if (has < header) this.#send(peer, headersMessage(block.rawHeader.slice()))
      this.#has.set(peer, header)
    }
  }

  receive(from: WiredNode, message: Message): void {
    switch (message._tag) {
      case "headers":
        return this.#announced(from.id, this.#chain.find(headerHash(portableSha256, message.headers)))
      case "getdata":
        return this.#requested(from.id, message.inventory)
      case "block": {
        const header = this.#chain.find(message.block.hash(portableSha256))
        return this.#take(header, message.block, from.id)
      }
      case "cmpctblock": {
        const header = this.#chain.find(headerHash(portableSha256, encodeHeader(message.header)))
        this.#has.set(from.id, header)
        return this.#handle({ _tag: "CmpctBlockReceived", peer: from.id, header, message })
      }
      case "sendcmpct":
      case "getblocktxn":
      case "blocktxn":
        return this.#handle({ _tag: "Received", peer: from.id, message })
      default:
        throw new Error(`nobody says ${message._tag} here`)
    }
  }

  #announced(peer: PeerId, header: number): void {
    this.#has.set(peer, header)
    if (this.blocks.has(header) || (this.asked.get(header) ?? []).length > 0) return
    const isCompact = this.machine.shouldAskCompact(peer, header, NOW)
    this.#ask(peer, header)
    this.#getdata(peer, header, isCompact ? MSG_CMPCT_BLOCK : MSG_WITNESS_BLOCK)
  }

  #requested(peer: PeerId, inventory: Inventory): void {
    for (const { hash, type } of inventory) {
      const header = this.#chain.find(hash)
      const block = this.blocks.get(header)
      if (block === undefined) continue
      if (type === MSG_CMPCT_BLOCK) this.#handle({ _tag: "BlockRequested", peer, header, block })
      else this.#send(peer, { _tag: "block", block })
    }
  }
}
