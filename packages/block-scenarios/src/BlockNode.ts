/** A node of a simulation that has blocks: its machine, its tree and its disk. */
import { HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { ProofOfWork } from "@satwire/consensus"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { NodeCore, type BlocksRole, type TransactionsRole } from "@satwire/node-core"
import { type ChainParams, HEADER_SIZE, regtest } from "@satwire/primitives"
import { type Actor, type JudgedNode, type SimulatedNode, type Simulation, sha256 } from "@satwire/simulator"
import type { FilledChain } from "@satwire/testkit"
import { NODE_NETWORK, NODE_NETWORK_LIMITED, NODE_WITNESS } from "@satwire/wire"
import { SimulatedDisk, type SimulatedDiskOptions } from "./SimulatedDisk.ts"

export interface BlockNodeOptions extends SimulatedDiskOptions {
  /** A chain that it has from the beginning. */
  readonly has?: FilledChain
  /** A chain of which it has the headers alone. */
  readonly knows?: FilledChain
  readonly wanted?: BlocksRole["wanted"]
  readonly short?: BlocksRole["short"]
  readonly transactions?: TransactionsRole
  readonly services?: bigint
  readonly through?: (core: Actor) => Actor
  readonly isHonest?: boolean
}

export class BlockNode implements JudgedNode {
  readonly params: ChainParams = regtest
  readonly #simulation: Simulation
  readonly tree: HeaderTree
  readonly core: NodeCore
  readonly node: SimulatedNode
  readonly disk: SimulatedDisk

  constructor(simulation: Simulation, name: string, options: BlockNodeOptions = {}) {
    const { has, services = NODE_NETWORK | NODE_NETWORK_LIMITED | NODE_WITNESS, through = (core) => core } = options
    this.#simulation = simulation
    this.tree = HeaderTree.fromGenesis(regtest, simulation.random.fork())
    const { headers } = has ?? options.knows ?? { headers: new Uint8Array(0) }
    acceptHeaders(this.tree, new ProofOfWork(regtest), sha256, headers, headers.length / HEADER_SIZE, Infinity)
    this.core = new NodeCore({
      params: regtest,
      roles: {
        headers: { serve: true, announce: true },
        blocks: {
          wanted: options.wanted,
          short: options.short,
          serve: true,
          isLimited: (services & NODE_NETWORK) === 0n,
          kept: has === undefined ? [] : Array.from({ length: has.count }, (_, i) => i + 1)
        },
        transactions: options.transactions,
        mining: { payTo: ANYONE_CAN_SPEND }
      },
      tree: this.tree,
      sha256,
      random: simulation.random.fork(),
      userAgent: "/satwire-simulator:0.0.0/",
      services
    })
    this.node = simulation.add(name, through(this.core), { isHonest: options.isHonest ?? true })
    const read = (header: number): Uint8Array | undefined =>
      has === undefined || header < 1 || header > has.count ? undefined : has.bytes(header)
    const shelf = has === undefined ? undefined : { read }
    this.disk = new SimulatedDisk(simulation, this.node, { ...options, ...(shelf === undefined ? {} : { shelf }) })
  }

  /** The height of the chain of which it has all blocks. */
  get height(): number {
    return this.tree.height(this.core.blockTip)
  }

  /** Has the node mine a block on its own chain, from now on. */
  mine(): void {
    this.#simulation.input(this.node, { _tag: "MakeBlock" })
  }
}
