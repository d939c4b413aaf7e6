/** An honest node of a simulation: a `NodeCore` with its tree at hand. */
import { portableSha256 } from "@satwire/crypto"
import { HeaderTree } from "@satwire/header-sync"
import type { Random } from "@satwire/machine"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { NodeCore } from "@satwire/node-core"
import type { ChainParams } from "@satwire/primitives"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import type { SimulatedNode, Simulation } from "./Simulation.ts"

export class HonestNode {
  readonly tree: HeaderTree
  readonly core: NodeCore
  readonly node: SimulatedNode
  readonly #simulation: Simulation

  constructor(
    simulation: Simulation,
    name: string,
    params: ChainParams,
    options: { readonly skewSeconds?: number } = {}
  ) {
    const random: Random = simulation.random.fork()
    this.#simulation = simulation
    this.tree = HeaderTree.fromGenesis(params, random.fork())
    this.core = new NodeCore({
      params,
      roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
      tree: this.tree,
      sha256: portableSha256,
      random,
      userAgent: "/satwire-simulator:0.0.0/",
      services: NODE_NETWORK | NODE_WITNESS
    })
    this.node = simulation.add(name, this.core, options.skewSeconds ?? 0)
  }

  /** Has the node mine a block on its own tip, from now on. */
  mine(): void {
    this.#simulation.input(this.node, { _tag: "MakeBlock" })
  }
}
