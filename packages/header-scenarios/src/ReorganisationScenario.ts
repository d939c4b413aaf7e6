/**
 * Reorganisations of 1 to 200 headers: a network that is split in two or three, each part with miners of its own, some of whom end with as
 * much work as others; between them peers that lie, hang up in the middle, or answer slowly. When the parts meet, and one block more is
 * mined, every honest node follows the chain of most work within an hour.
 */
import type { Random } from "@satwire/machine"
import { shuffle } from "@satwire/machine"
import {
  Breach,
  ChainInvariants,
  HonestNode,
  Impostor,
  LIES,
  Liar,
  type Lie,
  MinedHeaders,
  NETWORKS,
  type SimulatedNode,
  Simulation,
  WEAKNESSES,
  type Weakness,
  Wiring,
  headerNode,
  mineApart
} from "@satwire/simulator"

export interface ReorganisationResult {
  readonly seed: number
  /** How many headers each part mined while it was alone. */
  readonly branches: ReadonlyArray<number>
  readonly others: ReadonlyArray<Lie | Weakness>
  /** The most headers that left a best chain at once. */
  readonly deepest: number
  /** From when the parts met until all agreed, after one block more. */
  readonly agreedAfterSeconds: number
  readonly traceHash: string
}

const MINUTE_MS = 60_000
const SPLIT_MS = 2 * MINUTE_MS
const MEET_MS = 10 * MINUTE_MS
const MOST_PATIENCE_MS = 60 * MINUTE_MS
const MOST_BRANCH = 200

export const runReorganisation = (seed: number): ReorganisationResult => {
  const simulation = new Simulation(seed, {
    replay: `npm run simulate:headers -- --scenario reorganisations --seed ${seed}`
  })
  return simulation.explain(() => new Reorganisation(simulation).run())
}

class Reorganisation {
  readonly #simulation: Simulation
  readonly #mined: MinedHeaders = new MinedHeaders()
  readonly #honest: ReadonlyArray<HonestNode>
  readonly #others: ReadonlyArray<Lie | Weakness>
  readonly #chains: ChainInvariants
  readonly #wiring: Wiring
  #deepest = 0

  constructor(simulation: Simulation) {
    const { random } = simulation
    const params = NETWORKS["regtest"]
    this.#simulation = simulation
    this.#honest = Array.from(
      { length: 3 + random.below(5) },
      (_, i) => new HonestNode(simulation, `node-${i}`, params, { skewSeconds: random.below(121) - 60 })
    )
    const kinds = [...LIES, ...WEAKNESSES]
    this.#others = shuffle(random, kinds).slice(0, random.below(3))
    this.#chains = new ChainInvariants(this.#honest, this.#mined)
    simulation.always(this.#chains.afterTurn)
    simulation.onOutput((node, output) => {
      if (node.isHonest && output._tag === "TipChanged") this.#deepest = Math.max(this.#deepest, output.removed)
    })
    this.#wiring = new Wiring(simulation)
    this.#wiring.dialAll(
      this.#honest.map(({ node }) => node),
      this.#others.map((what, i) => this.#other(what, i, random))
    )
  }

  run(): ReorganisationResult {
    const simulation = this.#simulation
    const branches = this.#split()
    simulation.run(MEET_MS)
    simulation.partition(() => 0)
    const metMs = simulation.timeMs
    this.#untilAgreed(metMs)
    // What is a tie is decided by the next block.
    this.#longest().mine()
    this.#untilAgreed(metMs)
    this.#chains.atEnd()
    this.#wiring.stop()
    return {
      seed: simulation.seed,
      branches,
      others: this.#others,
      deepest: this.#deepest,
      agreedAfterSeconds: Math.round((simulation.timeMs - metMs) / 1000),
      traceHash: simulation.trace.digest()
    }
  }

  #other(what: Lie | Weakness, index: number, random: Random): SimulatedNode {
    const params = NETWORKS["regtest"]
    const isWeak = (WEAKNESSES as ReadonlyArray<string>).includes(what)
    const actor = isWeak
      ? new Impostor(what as Weakness, headerNode(params, random.fork()).core, random)
      : new Liar(what as Lie, params, random.fork(), this.#mined)
    return this.#simulation.add(`other-${index}`, actor, { isHonest: false })
  }

  /** Has each part mine alone, on some blocks that all have in common. */
  #split(): ReadonlyArray<number> {
    const simulation = this.#simulation
    const { random } = simulation
    const before = random.below(20)
    for (let i = 0; i < before; i++) simulation.after(1000 + 100 * i, () => this.#honest[0]?.mine())
    return mineApart(simulation, this.#honest, { splitMs: SPLIT_MS, meetMs: MEET_MS, mostBlocks: MOST_BRANCH })
  }

  #longest(): HonestNode {
    return this.#honest.reduce((most, node) =>
      node.tree.chainWork(node.tree.best) > most.tree.chainWork(most.tree.best) ? node : most
    )
  }

  #untilAgreed(sinceMs: number): void {
    const simulation = this.#simulation
    do simulation.run(simulation.timeMs + MINUTE_MS / 2)
    while (!this.#chains.isAgreed && simulation.timeMs - sinceMs < MOST_PATIENCE_MS)
    if (!this.#chains.isAgreed) throw new Breach("honest nodes follow different chains an hour after they met")
  }
}
