/** An honest node of a simulation: a `NodeCore` with its tree at hand, and a miner on top. */
import { type Sha256, portableSha256 } from "@satwire/crypto"
import { HeaderTree } from "@satwire/header-sync"
import type { Random } from "@satwire/machine"
import { BlockTemplates, ProofSearch } from "@satwire/mining"
import { NodeCore } from "@satwire/node-core"
import { type ChainParams, encodeHeader } from "@satwire/primitives"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import type { SimulatedNode, Simulation } from "./Simulation.ts"

export class HonestNode {
  readonly tree: HeaderTree
  readonly core: NodeCore
  readonly node: SimulatedNode
  readonly #simulation: Simulation
  readonly #templates: BlockTemplates
  readonly #sha256: Sha256
  #mined = 0

  constructor(
    simulation: Simulation,
    name: string,
    params: ChainParams,
    options: { readonly skewSeconds?: number } = {}
  ) {
    const random: Random = simulation.random.fork()
    this.#sha256 = portableSha256
    this.#simulation = simulation
    this.tree = HeaderTree.fromGenesis(params, random.fork())
    this.#templates = new BlockTemplates(params, this.tree)
    this.core = new NodeCore({
      params,
      roles: { headers: { serve: true, announce: true } },
      tree: this.tree,
      sha256: this.#sha256,
      random,
      userAgent: "/satwire-simulator:0.0.0/",
      services: NODE_NETWORK | NODE_WITNESS
    })
    this.node = simulation.add(name, this.core, options.skewSeconds ?? 0)
  }

  /** Mines a block on the node's own tip, now, and gives the node its header. */
  mine(): void {
    const { best } = this.tree
    this.#mined += 1
    const block = this.#templates.make({
      sha256: this.#sha256,
      parent: best,
      parentHash: this.tree.hash(best),
      unix: this.#simulation.now(this.node).unix,
      extraNonce: this.node.index * 0x10000 + this.#mined
    })
    const search = new ProofSearch(this.#sha256, encodeHeader(block.header))
    while (search.step(1000) === "searching");
    this.#simulation.input(this.node, { _tag: "SubmitHeaders", headers: search.header, count: 1 })
  }
}
