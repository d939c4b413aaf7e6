/** A node on a virtual clock, without any edge: inputs go in by hand, outputs are kept, and two nodes can be joined by a pipe. */
import { concat } from "@satwire/bytes"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { V1Framing } from "@satwire/framing"
import { HeaderTree } from "@satwire/header-sync"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import {
  NodeCore,
  type NodeCoreFact,
  type NodeCoreInput,
  type NodeCoreOutput,
  type Roles,
  type V2Backends
} from "@satwire/node-core"
import type { Direction } from "@satwire/peer"
import { type ChainParams, regtest } from "@satwire/primitives"
import { type Message, NODE_NETWORK, NO_ADDRESS, PROTOCOL_VERSION, VERACK, type Version } from "@satwire/wire"

export const START_UNIX = 1_750_000_000

/** A clock that several nodes share. */
export interface VirtualClock {
  ms: number
}

export interface NodeBenchOptions {
  readonly seed?: number
  readonly params?: ChainParams
  readonly roles?: Partial<Roles>
  readonly clock?: VirtualClock
  readonly v2?: V2Backends
  readonly maxReceivedBytes?: number
  readonly services?: bigint
}

export class NodeBench {
  readonly core: NodeCore
  readonly tree: HeaderTree
  readonly clock: VirtualClock
  #outputs: Array<NodeCoreOutput> = []
  #peers = 0
  /** What each turn put out, in order. */
  readonly turns: Array<ReadonlyArray<NodeCoreOutput>> = []

  constructor(options: NodeBenchOptions = {}) {
    const random = ChaChaRandom.fromNumber(options.seed ?? 1)
    this.clock = options.clock ?? { ms: 0 }
    this.tree = HeaderTree.fromGenesis(options.params ?? regtest, random.fork())
    this.core = new NodeCore({
      params: options.params ?? regtest,
      roles: {
        headers: { serve: true, announce: true },
        mining: undefined,
        connections: { maxInbound: Infinity, wantedServices: 0n },
        ...options.roles
      },
      tree: this.tree,
      sha256: portableSha256,
      random,
      userAgent: "/bench:1.0/",
      services: options.services ?? NODE_NETWORK,
      v2: options.v2,
      maxReceivedBytes: options.maxReceivedBytes
    })
  }

  get now(): Now {
    return { instant: Instant(this.clock.ms), unix: UnixSeconds(START_UNIX + Math.floor(this.clock.ms / 1000)) }
  }

  /** One turn. Gives what it put out. */
  input(input: NodeCoreInput): ReadonlyArray<NodeCoreOutput> {
    const outputs: Array<NodeCoreOutput> = []
    this.core.handle(input, this.now, outputs)
    this.#outputs.push(...outputs)
    this.turns.push(outputs)
    for (const output of outputs) if (output._tag === "Close") this.#closed(output.peer)
    return outputs
  }

  /** As the edge tells once it has closed a connection. */
  #closed(peer: PeerId): void {
    this.core.handle({ _tag: "ConnectionClosed", peer, how: "from here" }, this.now, this.#outputs)
  }

  open(direction: Direction, address: string = `peer-${this.#peers + 1}`): PeerId {
    const peer = PeerId(++this.#peers)
    const kind = direction === "inbound" ? "inbound" : "outbound-full-relay"
    this.input({ _tag: "ConnectionOpened", peer, kind, address })
    return peer
  }

  /** The connection that a dial came to. */
  dialled({ dial, endpoint, kind, transport }: Extract<NodeCoreOutput, { readonly _tag: "Dial" }>): PeerId {
    const peer = PeerId(++this.#peers)
    this.input({ _tag: "ConnectionOpened", peer, kind, address: endpoint, dial, transport })
    return peer
  }

  receive(peer: PeerId, bytes: Uint8Array): ReadonlyArray<NodeCoreOutput> {
    const chunk = Uint8Array.from(bytes)
    const outputs = this.input({ _tag: "BytesReceived", peer, chunk })
    chunk.fill(0xa5)
    return outputs
  }

  /** A connection whose handshake is done. What it took is forgotten. */
  ready(direction: Direction = "inbound"): PeerId {
    const peer = this.open(direction)
    this.receive(peer, framed(THEIR_VERSION, VERACK))
    this.outputs()
    return peer
  }

  /** Takes the timeouts that are due now. Gives how many turns that took. */
  settle(): number {
    for (let turns = 0; ; turns++) {
      const due = this.core.nextTimeout()
      if (due === undefined || due > this.clock.ms) return turns
      if (turns > 10_000) throw new Error("the node spins")
      this.input({ _tag: "Timeout" })
    }
  }

  /** Lets time pass, and settles at each instant at which the node wants a turn. */
  elapse(ms: number, settle: () => void): void {
    const until = this.clock.ms + ms
    for (let due = this.core.nextTimeout(); due !== undefined && due <= until;) {
      this.clock.ms = due
      settle()
      due = this.core.nextTimeout()
    }
    this.clock.ms = until
  }

  /** What it put out since the last call. */
  outputs(): ReadonlyArray<NodeCoreOutput> {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** The facts since the last call; commands are forgotten. */
  facts(): ReadonlyArray<NodeCoreFact> {
    return this.outputs().filter(isFact)
  }
}

const COMMANDS: ReadonlySet<string> = new Set(["Write", "Pause", "Close", "Dial", "QuerySeed"])

export const isFact = (output: NodeCoreOutput): output is NodeCoreFact => !COMMANDS.has(output._tag)

/** The messages written to `peer`. */
export const sentTo = (peer: PeerId, outputs: ReadonlyArray<NodeCoreOutput>): ReadonlyArray<Message> => {
  const framing = new V1Framing({ magic: regtest.magic, sha256: portableSha256 })
  const bytes = outputs.flatMap((output) => (output._tag === "Write" && output.peer === peer ? [output.bytes] : []))
  framing.receive(concat(bytes))
  const messages: Array<Message> = []
  for (let event = framing.next(); event !== undefined; event = framing.next()) {
    if (event._tag !== "Message") throw new Error(`we wrote a ${event._tag}`)
    messages.push(event.message)
  }
  return messages
}

/** These messages as a peer would send them. */
export const framed = (...messages: ReadonlyArray<Message>): Uint8Array => {
  const framing = new V1Framing({ magic: regtest.magic, sha256: portableSha256 })
  for (const message of messages) framing.send(message)
  return framing.takeOutput() ?? new Uint8Array(0)
}

export const THEIR_VERSION: Version = {
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: NODE_NETWORK,
  time: BigInt(START_UNIX),
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: 0x1234_5678n,
  userAgent: "/other:1.0/",
  startHeight: 0,
  relay: true
}
