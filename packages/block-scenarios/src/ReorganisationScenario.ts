/**
 * Parts of a network that mine up to 100 blocks each while they hear nothing of each other, and meet again, with peers among them that lie,
 * hang up or are slow: every honest node goes over to the chain of most work once it is whole, and tells in order what left and what joined.
 */
import { shuffle } from "@satwire/machine"
import {
  Breach,
  type ChainInvariants,
  EPOCH_UNIX,
  Simulation,
  type Weakness,
  Wiring,
  mineApart,
  sha256
} from "@satwire/simulator"
import { FilledChain } from "@satwire/testkit"
import type { BlockInvariants } from "./BlockInvariants.ts"
import { BLOCK_TROUBLES, type BlockLie, blockLiar } from "./BlockLiar.ts"
import { BlockNode } from "./BlockNode.ts"
import { judged } from "./Judged.ts"

export interface BlockReorganisationResult {
  readonly seed: number
  /** How many blocks each part mined while it was alone. */
  readonly branches: ReadonlyArray<number>
  readonly others: ReadonlyArray<BlockLie | Weakness>
  /** The most blocks that left a followed chain at once. */
  readonly deepest: number
  /** From when the parts met until all agreed, after one block more. */
  readonly agreedAfterSeconds: number
  readonly traceHash: string
}

const MINUTE_MS = 60_000
const SPLIT_MS: number = 2 * MINUTE_MS
const MEET_MS: number = 10 * MINUTE_MS
const MOST_PATIENCE_MS: number = 60 * MINUTE_MS
const MOST_BRANCH = 100
/** Blocks that all have in common. */
const COMMON = 10

export const runBlockReorganisation = (seed: number): BlockReorganisationResult => {
  const simulation = new Simulation(seed, {
    replay: `npm run simulate:blocks -- --scenario reorganisations --seed ${seed}`
  })
  return simulation.explain(() => new Reorganisation(simulation).run())
}

class Reorganisation {
  readonly #simulation: Simulation
  readonly #honest: ReadonlyArray<BlockNode>
  readonly #others: ReadonlyArray<BlockLie | Weakness>
  readonly #headers: ChainInvariants
  readonly #blocks: BlockInvariants
  readonly #wiring: Wiring

  constructor(simulation: Simulation) {
    const { random } = simulation
    this.#simulation = simulation
    const has = new FilledChain({ count: COMMON, firstTime: EPOCH_UNIX - 600 * (COMMON + 1) }, sha256)
    this.#honest = Array.from(
      { length: 3 + random.below(4) },
      (_, i) => new BlockNode(simulation, `node-${i}`, { has, checks: sha256 })
    )
    const { blocks, headers } = judged(simulation, this.#honest, has)
    this.#headers = headers
    this.#blocks = blocks
    this.#others = shuffle(random, [...BLOCK_TROUBLES])
      .filter((trouble) => trouble !== "dribbles")
      .slice(0, random.below(3))
    this.#wiring = new Wiring(simulation)
    this.#wiring.dialAll(
      this.#honest.map(({ node }) => node),
      this.#others.map((trouble, i) => blockLiar(simulation, `other-${i}`, trouble, has).node)
    )
  }

  run(): BlockReorganisationResult {
    const simulation = this.#simulation
    const branches = mineApart(simulation, this.#honest, {
      splitMs: SPLIT_MS,
      meetMs: MEET_MS,
      mostBlocks: MOST_BRANCH
    })
    simulation.run(MEET_MS)
    simulation.partition(() => 0)
    const metMs = simulation.timeMs
    this.#untilAgreed(metMs)
    // What is a tie is decided by the next block.
    this.#longest().mine()
    this.#untilAgreed(metMs)
    this.#headers.atEnd()
    this.#wiring.stop()
    return {
      seed: simulation.seed,
      branches,
      others: this.#others,
      deepest: this.#blocks.deepest,
      agreedAfterSeconds: Math.round((simulation.timeMs - metMs) / 1000),
      traceHash: simulation.trace.digest()
    }
  }

  #longest(): BlockNode {
    return this.#honest.reduce((most, node) =>
      node.tree.chainWork(node.core.blockTip) > most.tree.chainWork(most.core.blockTip) ? node : most
    )
  }

  #untilAgreed(sinceMs: number): void {
    const simulation = this.#simulation
    do simulation.run(simulation.timeMs + MINUTE_MS / 4)
    while (!this.#blocks.isAgreed && simulation.timeMs - sinceMs < MOST_PATIENCE_MS)
    if (!this.#blocks.isAgreed) throw new Breach("honest nodes follow different chains an hour after they met")
  }
}
