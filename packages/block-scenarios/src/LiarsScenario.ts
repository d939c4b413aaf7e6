/**
 * Honest nodes that have all blocks, and some that have none, among peers that lie about blocks, give none, or vanish: all honest ones
 * have the same whole chain in the end, and blame nobody who is honest.
 */
import { type Random, shuffle } from "@satwire/machine"
import {
  Breach,
  type ChainInvariants,
  EPOCH_UNIX,
  Simulation,
  type SimulatedNode,
  type Weakness,
  Wiring,
  sha256
} from "@satwire/simulator"
import { FilledChain } from "@satwire/testkit"
import type { BlockInvariants } from "./BlockInvariants.ts"
import { BLOCK_TROUBLES, type BlockLie, DRIBBLE_BYTES_PER_SECOND, blockLiar } from "./BlockLiar.ts"
import { BlockNode } from "./BlockNode.ts"
import { judged } from "./Judged.ts"

export interface LiarsOptions {
  readonly seed: number
  /** Who lies and who is weak; some by chance where not given. */
  readonly others?: ReadonlyArray<BlockLie | Weakness>
}

export interface LiarsResult {
  readonly seed: number
  readonly blocks: number
  readonly honest: number
  readonly others: ReadonlyArray<BlockLie | Weakness>
  /** How often an honest node discouraged somebody for what it sent. */
  readonly discouraged: number
  /** How often one was let go because it took too long. */
  readonly tooSlow: number
  /** When all had all blocks, from the first dial, and those that were mined meanwhile. */
  readonly agreedAfterSeconds: number
  readonly traceHash: string
}

const MINUTE_MS = 60_000
/** Three who send nothing are let go one after another. */
const MOST_PATIENCE_MS: number = 90 * MINUTE_MS
const REDIAL_MS = 60_000
const MINED = 5

export const runLiars = ({ others, seed }: LiarsOptions): LiarsResult => {
  const simulation = new Simulation(seed, { replay: `npm run simulate:blocks -- --scenario liars --seed ${seed}` })
  return simulation.explain(() => new Liars(simulation, others).run())
}

class Liars {
  readonly #simulation: Simulation
  readonly #chain: FilledChain
  readonly #honest: ReadonlyArray<BlockNode>
  readonly #troubles: ReadonlyArray<BlockLie | Weakness>
  readonly #headers: ChainInvariants
  readonly #blocks: BlockInvariants
  readonly #wiring: Wiring
  #discouraged = 0
  #tooSlow = 0

  constructor(simulation: Simulation, others: ReadonlyArray<BlockLie | Weakness> | undefined) {
    const { random } = simulation
    this.#simulation = simulation
    const count = 20 + random.below(130)
    const blockBytes = random.below(3) === 0 ? 0 : 1000 + random.below(20_000)
    this.#chain = new FilledChain({ count, blockBytes, firstTime: EPOCH_UNIX - 600 * (count + 1) }, sha256)
    this.#honest = this.#makeHonest(random)
    this.#troubles = others ?? shuffle(random, [...BLOCK_TROUBLES]).slice(0, 1 + random.below(4))
    const { blocks, headers } = judged(simulation, this.#honest, this.#chain)
    this.#headers = headers
    this.#blocks = blocks
    this.#count(new Set(this.#honest.map(({ node }) => node)))
    this.#wiring = new Wiring(simulation)
    this.#dial()
  }

  run(): LiarsResult {
    const simulation = this.#simulation
    const { random } = simulation
    for (let i = 1; i <= MINED; i++) {
      simulation.after(i * MINUTE_MS, () => this.#honest[random.below(this.#honest.length)]?.mine())
    }
    do simulation.run(simulation.timeMs + MINUTE_MS / 4)
    while (
      !(simulation.timeMs > (MINED + 1) * MINUTE_MS && this.#blocks.isAgreed) &&
      simulation.timeMs < MOST_PATIENCE_MS
    )
    const agreedMs = simulation.timeMs
    if (!this.#blocks.isAgreed) {
      const heights = this.#honest.map(({ height, node }) => `${node.name} ${height}`).join(", ")
      throw new Breach(`of ${this.#chain.count} blocks there are ${heights} after ${agreedMs / MINUTE_MS} minutes`)
    }
    this.#headers.atEnd()
    this.#wiring.stop()
    return {
      seed: simulation.seed,
      blocks: this.#chain.count,
      honest: this.#honest.length,
      others: this.#troubles,
      discouraged: this.#discouraged,
      tooSlow: this.#tooSlow,
      agreedAfterSeconds: Math.round(agreedMs / 1000),
      traceHash: simulation.trace.digest()
    }
  }

  #makeHonest(random: Random): ReadonlyArray<BlockNode> {
    const having = 1 + random.below(2)
    const fresh = 1 + random.below(3)
    return Array.from(
      { length: having + fresh },
      (_, i) =>
        new BlockNode(this.#simulation, `${i < having ? "server" : "fresh"}-${i}`, {
          checks: sha256,
          ...(i < having ? { has: this.#chain } : {})
        })
    )
  }

  #dial(): void {
    const simulation = this.#simulation
    const fast: Array<SimulatedNode> = []
    const honest = this.#honest.map(({ node }) => node)
    this.#troubles.forEach((trouble, i) => {
      const { node } = blockLiar(simulation, `other-${i}`, trouble, this.#chain)
      if (trouble === "dribbles") for (const victim of honest) this.#dialSlowly(victim, node)
      else fast.push(node)
    })
    this.#wiring.dialAll(honest, fast)
  }

  /** What it sends takes hours, which nobody waits for: it is let go, and dialled again. */
  #dialSlowly(from: SimulatedNode, to: SimulatedNode): void {
    const simulation = this.#simulation
    const conditions = {
      latencyMs: 50,
      jitterMs: 10,
      chunkBytes: 500,
      bytesPerSecond: DRIBBLE_BYTES_PER_SECOND
    }
    simulation.connect(from, to, conditions, () => simulation.after(REDIAL_MS, () => this.#dialSlowly(from, to)))
  }

  #count(honest: ReadonlySet<SimulatedNode>): void {
    this.#simulation.onOutput((node, output) => {
      if (output._tag !== "PeerDisconnecting" || !honest.has(node)) return
      if (output.cost === "discourage") this.#discouraged += 1
      if (output.reason._tag === "BlockStalling" || output.reason._tag === "BlockTimeout") this.#tooSlow += 1
    })
  }
}
