/**
 * Honest nodes that follow a chain over both transports while nuisances take up their connections, their time and their mathematics. Whatever those do,
 * no honest connection is lost, memory stays bounded, and every block reaches everybody soon.
 */
import { Breach, HonestNode, type LinkConditions, NETWORKS, Simulation, peerInvariants } from "@satwire/simulator"
import { ANNOYANCES, type Annoyance, Nuisance } from "./Nuisance.ts"

export interface NuisanceResult {
  readonly turns: number
  readonly traceHash: string
  /** The most bytes that any node held of messages that were not whole. */
  readonly mostHeldBytes: number
  /** The longest that a block took to reach every honest node, in virtual milliseconds. */
  readonly slowestBlockMs: number
}

const HONEST = 4
const BLOCKS = 6
const BLOCK_EVERY_MS = 20_000
/** How many connections each nuisance opens to each node; those who buy exchanges come in a crowd. */
const CONNECTIONS: { readonly [Which in Annoyance]?: number } = { "buys an exchange": 25 }
const SOME_CONNECTIONS = 2
/** What one node may hold of messages that are not whole: far more than a few handshakes, far less than a flood. */
const MOST_HELD_BYTES = 4_000_000

/** Plays it once. Throws a breach that names the seed where something is wrong. */
export const runNuisanceScenario = (
  seed: number,
  annoyances: ReadonlyArray<Annoyance> = ANNOYANCES
): NuisanceResult => {
  const simulation = new Simulation(seed)
  return simulation.explain(() => new NuisanceScenario(simulation, annoyances).play())
}

class NuisanceScenario {
  readonly #simulation: Simulation
  readonly #honest: ReadonlyArray<HonestNode>
  readonly #nuisances: ReadonlyArray<Nuisance>
  #mostHeldBytes = 0
  #slowestBlockMs = 0

  constructor(simulation: Simulation, annoyances: ReadonlyArray<Annoyance>) {
    this.#simulation = simulation
    const params = NETWORKS.regtest
    this.#honest = Array.from(
      { length: HONEST },
      // One of them knows v1 alone.
      (_, i) => new HonestNode(simulation, `honest-${i}`, params, { v2: i > 0 })
    )
    this.#nuisances = annoyances.map((annoyance) => new Nuisance(annoyance, params, simulation.random.fork()))
    simulation.always(peerInvariants(this.#honest))
    simulation.always(({ node }) => {
      const honest = this.#honest[node.index]
      if (honest === undefined) return
      const held = honest.core.query("peers").reduce((sum, peer) => sum + peer.receivedBytesWaiting, 0)
      this.#mostHeldBytes = Math.max(this.#mostHeldBytes, held)
      if (held > MOST_HELD_BYTES) throw new Breach(`${node.name} holds ${held} bytes of unfinished messages`)
    })
    simulation.onOutput((node, output) => {
      if (output._tag !== "PeerDisconnecting" || !node.isHonest || output.retryAsV1) return
      if (output.address.startsWith("honest") && !this.#isOver) {
        throw new Breach(`${node.name} lost ${output.address}: ${JSON.stringify(output.reason)}`)
      }
    })
  }

  #isOver = false

  play(): NuisanceResult {
    const simulation = this.#simulation
    this.#connect()
    for (let i = 0; i < BLOCKS; i++) {
      simulation.run(simulation.timeMs + BLOCK_EVERY_MS)
      this.#mine(this.#honest[i % HONEST] as HonestNode)
    }
    this.#isOver = true
    simulation.cut()
    simulation.run(simulation.timeMs + 60_000)
    for (const { core, node } of this.#honest)
      if (!core.isEmpty) throw new Breach(`${node.name} holds something of nobody`)
    return {
      turns: simulation.turns,
      traceHash: simulation.trace.digest(),
      mostHeldBytes: this.#mostHeldBytes,
      slowestBlockMs: this.#slowestBlockMs
    }
  }

  #connect(): void {
    const simulation = this.#simulation
    const conditions = (): LinkConditions => ({
      latencyMs: 20 + simulation.random.below(100),
      jitterMs: 5,
      chunkBytes: simulation.random.below(3) === 0 ? 1 + simulation.random.below(40) : 1460
    })
    // Who knows v1 alone dials, so that nobody has to try twice.
    this.#honest.forEach(({ node }, i) => {
      for (const other of this.#honest.slice(i + 1)) simulation.connect(node, other.node, conditions())
    })
    for (const [i, nuisance] of this.#nuisances.entries()) {
      const node = simulation.add(`nuisance-${i}`, nuisance, { isHonest: false })
      const each = CONNECTIONS[nuisance.annoyance] ?? SOME_CONNECTIONS
      for (const victim of this.#honest) {
        for (let k = 0; k < each; k++) {
          simulation.after(simulation.random.below(60_000), () =>
            simulation.connect(node, victim.node, { ...conditions(), chunkBytes: 1460 })
          )
        }
      }
    }
  }

  /** One block, and how long it takes to everybody. */
  #mine(miner: HonestNode): void {
    const simulation = this.#simulation
    const before = miner.tree.height(miner.tree.best)
    miner.mine()
    const start = simulation.timeMs
    while (this.#honest.some(({ tree }) => tree.height(tree.best) <= before)) {
      if (simulation.timeMs - start > BLOCK_EVERY_MS) throw new Breach("a block does not reach everybody")
      simulation.run(simulation.timeMs + 50)
    }
    this.#slowestBlockMs = Math.max(this.#slowestBlockMs, simulation.timeMs - start)
  }
}
