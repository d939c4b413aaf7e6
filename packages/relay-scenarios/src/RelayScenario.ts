/**
 * How long a block takes through a network of nodes that dial one another all over the world, whose pools have all of its transactions but for the
 * same few. The nodes are the machines of the real node; blocks, transactions and what is asked for pass as bytes over links.
 *
 * ```
 *   tower ── transactions ─▶ every pool, then hangs up
 *   miner ◀─ what nobody else has          miner ── block ─▶ its peers ─▶ theirs ─▶ …
 * ```
 *
 * Specification: nodes take transactions and pass none on; one that has no part in blocks, the tower, tells all of them, by the same relay, and
 * hangs up before a block is made. Rationale: what pools have is then known exactly, and half a million announcements for each block are spared.
 */
import { BlockNode } from "@satwire/block-scenarios"
import { ChaChaRandom } from "@satwire/crypto"
import { HeaderTree } from "@satwire/header-sync"
import type { Random } from "@satwire/machine"
import { ANYONE_CAN_SPEND_P2WSH } from "@satwire/mining"
import { NodeCore, type NodeCoreOutput, type ShortBlocks } from "@satwire/node-core"
import { Satoshis, TransactionView, Txid, regtest } from "@satwire/primitives"
import { Breach, type SimulatedNode, Simulation, sha256 } from "@satwire/simulator"
import { type Place, type Topology, linkBetween, topologyOf } from "./Topology.ts"

export interface RelayOptions {
  readonly seed: number
  readonly short: ShortBlocks
  readonly nodes?: number | undefined
  /** How many blocks are measured. */
  readonly blocks?: number | undefined
  /** How many transactions each has besides its coinbase, and how big they are. */
  readonly transactions?: number | undefined
  readonly transactionBytes?: number | undefined
  /** How many of the nodes find blocks, one of them by chance each time. */
  readonly miners?: number | undefined
}

export interface RelayResult {
  readonly short: ShortBlocks
  readonly nodes: number
  readonly blocks: number
  readonly blockBytes: number
  /** How long after it was made each node but its miner had each block, in milliseconds, rising. */
  readonly delaysMs: ReadonlyArray<number>
  /** Blocks that were put together of transactions at hand. */
  readonly rebuilt: number
  /** Those of which no transaction had to be asked for, and those that besides came unasked: no round trip at all. */
  readonly rebuiltOfPool: number
  readonly rebuiltAtOnce: number
  /** What all nodes wrote for a block, for each node. */
  readonly bytesPerNode: number
  readonly traceHash: string
  readonly turns: number
}

export const DEFAULT_NODES = 200
export const DEFAULT_BLOCKS = 1
export const DEFAULT_TRANSACTIONS = 300
export const DEFAULT_TRANSACTION_BYTES = 3200
/** Of a hundred transactions of a block one is in no pool but the miner's. */
const LACKED_OF = 100
/** A few pools find nearly all blocks. */
export const DEFAULT_MINERS = 5
/** Blocks of a coinbase alone before anything is measured: then everybody has chosen who sends blocks at once. */
const FIRST_BLOCKS = 15
/** After which a block or its transactions are not waited for any longer. */
const PATIENCE_MS = 10 * 60_000

export const runRelay = (options: RelayOptions): RelayResult => new RelayScenario(options).run()

class RelayScenario {
  readonly #options: Required<{ [Name in keyof RelayOptions]: NonNullable<RelayOptions[Name]> }>
  readonly #simulation: Simulation
  readonly #random: Random
  readonly #topology: Topology
  readonly #nodes: ReadonlyArray<BlockNode>
  readonly #tower: SimulatedNode
  /** When each node had the newest block. */
  #hadAt: Map<SimulatedNode, number> = new Map()
  #madeAt = 0
  #height = 0
  #blockBytes = 0
  #taken = 0
  #written = 0
  #rebuilt = 0
  #rebuiltOfPool = 0
  #rebuiltAtOnce = 0

  constructor({
    blocks = DEFAULT_BLOCKS,
    miners = DEFAULT_MINERS,
    nodes = DEFAULT_NODES,
    seed,
    short,
    transactionBytes = DEFAULT_TRANSACTION_BYTES,
    transactions = DEFAULT_TRANSACTIONS
  }: RelayOptions) {
    this.#options = { blocks, miners, nodes, seed, short, transactionBytes, transactions }
    const replay = `npm run simulate:relay -- --scenario compact --seed ${seed} --nodes ${nodes}`
    this.#simulation = new Simulation(seed, { replay })
    // Of its own, so that the network is the same however blocks move.
    this.#random = ChaChaRandom.fromNumber(seed)
    this.#topology = topologyOf(nodes, this.#random)
    this.#nodes = this.#topology.places.map(
      (_, i) => new BlockNode(this.#simulation, `node-${i}`, { short, transactions: { relays: false } })
    )
    this.#tower = this.#makeTower()
    this.#simulation.onOutput((node, output) => this.#note(node, output))
  }

  #note(node: SimulatedNode, output: NodeCoreOutput): void {
    switch (output._tag) {
      case "Write":
        this.#written += output.bytes.length
        return
      case "BlockMade":
        this.#madeAt = this.#simulation.timeMs
        return
      case "StoreBlock":
        this.#blockBytes = output.block.bytes.length
        return
      case "TransactionAccepted":
        this.#taken += 1
        return
      case "BlockTipChanged":
        if (output.tip.height === this.#height) this.#hadAt.set(node, this.#simulation.timeMs)
        return
      case "CompactReconstructed":
        this.#rebuilt += 1
        if (output.stats.fetched === 0) this.#rebuiltOfPool += 1
        if (output.roundTrips === 0) this.#rebuiltAtOnce += 1
        return
      default:
    }
  }

  #makeTower(): SimulatedNode {
    const random = this.#simulation.random.fork()
    const core = new NodeCore({
      params: regtest,
      roles: { headers: undefined, mining: undefined, transactions: { relays: true, fetches: false } },
      tree: HeaderTree.fromGenesis(regtest, random.fork()),
      sha256,
      random,
      userAgent: "/tower:0.0.0/",
      services: 0n
    })
    return this.#simulation.add("tower", core)
  }

  run(): RelayResult {
    return this.#simulation.explain(() => {
      this.#connect()
      for (let i = 0; i < FIRST_BLOCKS; i++) this.#mine(this.#drawn())
      const { blocks, nodes, short } = this.#options
      const delaysMs: Array<number> = []
      let bytes = 0
      this.#rebuilt = 0
      this.#rebuiltOfPool = 0
      this.#rebuiltAtOnce = 0
      for (let i = 0; i < blocks; i++) {
        const miner = this.#drawn()
        this.#fillPools(miner)
        this.#written = 0
        this.#mine(miner)
        bytes += this.#written
        for (const [node, at] of this.#hadAt) if (node !== miner.node) delaysMs.push(at - this.#madeAt)
      }
      return {
        short,
        nodes,
        blocks,
        blockBytes: this.#blockBytes,
        delaysMs: delaysMs.toSorted((a, b) => a - b),
        rebuilt: this.#rebuilt,
        rebuiltOfPool: this.#rebuiltOfPool,
        rebuiltAtOnce: this.#rebuiltAtOnce,
        bytesPerNode: Math.round(bytes / blocks / nodes),
        traceHash: this.#simulation.trace.digest(),
        turns: this.#simulation.turns
      }
    })
  }

  /** Who finds the next block. */
  #drawn(): BlockNode {
    return this.#nodes[this.#random.below(Math.min(this.#options.miners, this.#nodes.length))] as BlockNode
  }

  #connect(): void {
    const { dials, places } = this.#topology
    dials.forEach((others, i) => {
      for (const j of others) {
        const [from, to] = [this.#nodes[i] as BlockNode, this.#nodes[j] as BlockNode]
        this.#simulation.connect(from.node, to.node, linkBetween(places[i] as Place, places[j] as Place))
      }
    })
    this.#pass(5000)
  }

  #pass(ms: number): void {
    this.#simulation.run(this.#simulation.timeMs + ms)
  }

  #until(what: string, holds: () => boolean): void {
    const giveUpMs = this.#simulation.timeMs + PATIENCE_MS
    while (!holds()) {
      if (this.#simulation.timeMs >= giveUpMs) throw new Breach(`${what} after ${PATIENCE_MS / 1000} s`)
      this.#pass(100)
    }
  }

  /** Has a node make a block, and waits until all have it. */
  #mine(miner: BlockNode): void {
    this.#height += 1
    this.#hadAt = new Map()
    miner.mine()
    this.#until(`not all have block ${this.#height}`, () => this.#hadAt.size === this.#nodes.length)
    this.#pass(2000)
  }

  #fillPools(miner: BlockNode): void {
    const { nodes, transactionBytes, transactions } = this.#options
    const lacked = Math.max(1, Math.round(transactions / LACKED_OF))
    const simulation = this.#simulation
    for (const { node } of this.#nodes) {
      simulation.connect(this.#tower, node, { latencyMs: 1, jitterMs: 0, chunkBytes: 65_536 })
    }
    this.#pass(1000)
    this.#taken = 0
    for (let i = 0; i < transactions - lacked; i++) this.#submit(this.#tower, transactionBytes)
    const wanted = (nodes + 1) * (transactions - lacked)
    this.#until("not all have all transactions", () => this.#taken === wanted)
    simulation.cut(this.#tower)
    for (let i = 0; i < lacked; i++) this.#submit(miner.node, transactionBytes)
    this.#pass(1000)
  }

  #submit(to: SimulatedNode, bytes: number): void {
    this.#simulation.input(to, { _tag: "SubmitTransaction", tx: anyTransaction(this.#random, bytes) })
  }
}

/** One of this size that spends what nobody knows of. */
const anyTransaction = (random: Random, bytes: number): TransactionView => {
  const txid = new Uint8Array(32)
  for (let i = 0; i < 8; i++) new DataView(txid.buffer).setUint32(4 * i, random.u32())
  const of = (filler: number): TransactionView =>
    TransactionView.of({
      version: 2,
      inputs: [
        {
          previousOutput: { txid: Txid(txid), index: 0 },
          scriptSig: new Uint8Array(0),
          sequence: 0xffffffff,
          witness: [new Uint8Array(filler)]
        }
      ],
      outputs: [{ amount: Satoshis(1000n), scriptPubKey: ANYONE_CAN_SPEND_P2WSH }],
      lockTime: 0
    })
  return of(Math.max(0, bytes - of(0).bytes.length))
}
