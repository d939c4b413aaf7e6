/** An honest node of a simulation: a `NodeCore` with its tree at hand. */
import { portableAead, portableCurve } from "@satwire/crypto"
import { HeaderTree } from "@satwire/header-sync"
import type { Random } from "@satwire/machine"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { NodeCore, type V2Backends } from "@satwire/node-core"
import { type ChainParams, HEADER_SIZE } from "@satwire/primitives"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import { sha256 } from "./Sha256.ts"
import type { Actor, SimulatedNode, Simulation } from "./Simulation.ts"

/** A node that follows, serves, announces and mines headers, and its tree. */
export const headerNode = (
  params: ChainParams,
  random: Random,
  v2?: V2Backends
): { readonly core: NodeCore; readonly tree: HeaderTree } => {
  const tree = HeaderTree.fromGenesis(params, random.fork())
  const core = new NodeCore({
    params,
    roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
    tree,
    sha256,
    random,
    userAgent: "/satwire-simulator:0.0.0/",
    services: NODE_NETWORK | NODE_WITNESS,
    v2
  })
  return { core, tree }
}

const V2: V2Backends = { aead: portableAead, curve: portableCurve }

/** What invariants look at of a node. */
export type JudgedNode = Pick<HonestNode, "core" | "node" | "params" | "tree">

export class HonestNode {
  readonly params: ChainParams
  readonly tree: HeaderTree
  readonly core: NodeCore
  readonly node: SimulatedNode
  readonly #simulation: Simulation

  constructor(
    simulation: Simulation,
    name: string,
    params: ChainParams,
    options: {
      readonly skewSeconds?: number
      /** Speaks the encrypted transport too. */
      readonly v2?: boolean
      /** What stands between the node and the simulation: tests put a saboteur there. */
      readonly through?: (core: Actor) => Actor
    } = {}
  ) {
    const { core, tree } = headerNode(params, simulation.random.fork(), options.v2 === true ? V2 : undefined)
    this.params = params
    this.core = core
    this.tree = tree
    this.#simulation = simulation
    const { skewSeconds = 0, through = (inner) => inner } = options
    this.node = simulation.add(name, through(core), { skewSeconds })
  }

  /** Has the node mine a block on its own tip, from now on. */
  mine(): void {
    this.#simulation.input(this.node, { _tag: "MakeBlock" })
  }

  /** Gives the node headers as if it had read them from its store. */
  load(headers: Uint8Array): void {
    this.#simulation.input(this.node, { _tag: "SubmitHeaders", headers, count: headers.length / HEADER_SIZE })
  }
}
