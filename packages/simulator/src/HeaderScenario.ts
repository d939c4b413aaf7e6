/**
 * The standing scenario of header sync, drawn whole from a seed: a random network with latencies, miners that race, partitions, cut
 * connections and liars. When the storm is over one last block is mined, and every honest node must follow the chain of most work.
 */
import { shuffle } from "@satwire/machine"
import { type ChainParams, regtest } from "@satwire/primitives"
import { HonestNode } from "./HonestNode.ts"
import { agreeOnWork, honestInvariants } from "./invariants.ts"
import { LIES, Liar, type Lie, PUNISHED } from "./Liar.ts"
import type { LinkConditions } from "./Link.ts"
import { type SimulatedNode, Simulation } from "./Simulation.ts"

export interface ScenarioOptions {
  readonly seed: number
  /** Honest nodes; drawn from 2 to 12 where it is not given. */
  readonly nodes?: number
  readonly params?: ChainParams
}

export interface ScenarioResult {
  readonly seed: number
  readonly nodes: number
  readonly liars: ReadonlyArray<Lie>
  readonly blocks: number
  readonly height: number
  readonly reorganisations: number
  readonly deepestReorganisation: number
  readonly turns: number
  readonly virtualSeconds: number
  /** The same for the same seed, always. */
  readonly traceHash: string
}

const STORM_MS = 20 * 60 * 1000
/** Longer than any timeout that has to pass before a stuck sync moves on. */
const CALM_MS = 50 * 60 * 1000
const REDIAL_MS = 2000

export const runHeaderScenario = (options: ScenarioOptions): ScenarioResult => {
  const simulation = new Simulation(options.seed)
  const { random } = simulation
  const params = options.params ?? regtest
  const count = options.nodes ?? 2 + random.below(11)
  const honest: Array<HonestNode> = []
  for (let i = 0; i < count; i++) {
    honest.push(new HonestNode(simulation, `node-${i}`, params, { skewSeconds: random.below(121) - 60 }))
  }
  const liars: Array<{ readonly liar: Liar; readonly node: SimulatedNode }> = []
  for (let i = 0; i < 1 + Math.floor(count / 10); i++) {
    const liar = new Liar(LIES[random.below(LIES.length)] as Lie, params, random.fork())
    liars.push({ liar, node: simulation.add(`liar-${i}`, liar) })
  }
  simulation.always(honestInvariants(honest))
  const wiring = new Wiring(simulation, honest, liars)
  wiring.dialAll()
  const blocks = storm(simulation, honest)
  simulation.run(STORM_MS)
  simulation.partition(() => 0)
  simulation.run(STORM_MS + CALM_MS)
  // Chains of equal work are a tie that only the next block breaks.
  honest[random.below(honest.length)]?.mine()
  simulation.run(STORM_MS + 2 * CALM_MS)
  agreeOnWork(honest)
  wiring.checkLiars()
  wiring.stop()
  simulation.cut()
  simulation.run(STORM_MS + 2 * CALM_MS + 1000)
  for (const { core, node } of honest)
    if (!core.isEmpty) simulation.breach(`${node.name} remembers peers that are gone`)
  const [first] = honest
  return {
    seed: options.seed,
    nodes: count,
    liars: liars.map(({ liar }) => liar.lie),
    blocks: blocks() + 1,
    height: first === undefined ? 0 : first.tree.height(first.tree.best),
    ...wiring.reorganisations(),
    turns: simulation.turns,
    virtualSeconds: Math.round(simulation.timeMs / 1000),
    traceHash: simulation.trace.digest()
  }
}

/** Miners at work, partitions that come and go, connections that are pulled. Gives how many blocks were mined. */
const storm = (simulation: Simulation, honest: ReadonlyArray<HonestNode>): (() => number) => {
  const { random } = simulation
  let blocks = 0
  const miners = shuffle(random, [...honest]).slice(0, Math.min(3, honest.length))
  for (const miner of miners) {
    for (let at = random.below(60_000); at < STORM_MS; at += 1 + random.below(120_000)) {
      simulation.after(at, () => {
        blocks += 1
        miner.mine()
      })
    }
  }
  for (let at = random.below(STORM_MS / 4); at < STORM_MS; at += 30_000 + random.below(STORM_MS / 3)) {
    const groups = new Map(simulation.nodes.map((node) => [node, random.below(2)]))
    simulation.after(at, () => simulation.partition((node) => groups.get(node) ?? 0))
    simulation.after(at + 10_000 + random.below(180_000), () => simulation.partition(() => 0))
  }
  for (let i = random.below(4); i > 0; i--) {
    const victim = simulation.nodes[random.below(simulation.nodes.length)]
    simulation.after(random.below(STORM_MS), () => simulation.cut(victim))
  }
  return () => blocks
}

/** Who dials whom, again and again, as a node's edge does; and what became of the liars. */
class Wiring {
  readonly #simulation: Simulation
  readonly #honest: ReadonlyArray<HonestNode>
  readonly #liars: ReadonlyArray<{ readonly liar: Liar; readonly node: SimulatedNode }>
  readonly #byName: Map<string, SimulatedNode>
  /** Addresses that a node discourages: it dials them no more. */
  readonly #discouraged: Map<SimulatedNode, Set<string>> = new Map()
  readonly #conditions: Map<string, LinkConditions> = new Map()
  readonly #dials: Array<readonly [SimulatedNode, SimulatedNode]> = []
  #reorganisations = 0
  #deepest = 0
  #stopped = false

  constructor(
    simulation: Simulation,
    honest: ReadonlyArray<HonestNode>,
    liars: ReadonlyArray<{ readonly liar: Liar; readonly node: SimulatedNode }>
  ) {
    this.#simulation = simulation
    this.#honest = honest
    this.#liars = liars
    this.#byName = new Map(simulation.nodes.map((node) => [node.name, node]))
    const isHonest = new Set(honest.map(({ node }) => node))
    simulation.onOutput((node, output) => {
      if (!isHonest.has(node)) return
      if (output._tag === "TipChanged" && output.removed > 0) {
        this.#reorganisations += 1
        this.#deepest = Math.max(this.#deepest, output.removed)
      }
      if (output._tag !== "PeerDisconnected") return
      const other = this.#byName.get(output.address)
      if (output.cost === "discourage") {
        if (other !== undefined && isHonest.has(other)) {
          simulation.breach(`${node.name} discourages honest ${output.address}: ${JSON.stringify(output.reason)}`)
        }
        this.#discouragedBy(node).add(output.address)
      }
    })
  }

  /** Everybody dials the next one, so that the network is connected, and some others. Liars are dialled and dial. */
  dialAll(): void {
    const { random } = this.#simulation
    this.#honest.forEach(({ node }, i) => {
      const next = this.#honest[(i + 1) % this.#honest.length]
      if (next !== undefined && next.node !== node) this.#dials.push([node, next.node])
      for (let k = random.below(3); k > 0; k--) {
        const other = this.#honest[random.below(this.#honest.length)]
        if (other !== undefined && other.node !== node) this.#dials.push([node, other.node])
      }
    })
    for (const { node } of this.#liars) {
      const victims = shuffle(random, [...this.#honest]).slice(0, 3)
      victims.forEach((victim, i) => this.#dials.push(i % 2 === 0 ? [victim.node, node] : [node, victim.node]))
    }
    for (const [from, to] of this.#dials) {
      const conditions = {
        latencyMs: 5 + random.below(300),
        jitterMs: random.below(50),
        chunkBytes: 1 + random.below(4000)
      }
      this.#conditions.set(`${from.name}>${to.name}`, conditions)
      this.#keepDialling(from, to, conditions)
    }
  }

  /** Liars whose lie is punished are connected to nobody who heard it; nobody else paid for it. */
  checkLiars(): void {
    for (const { liar, node } of this.#liars) {
      if (!PUNISHED.has(liar.lie)) continue
      for (const { node: victim } of this.#honest) {
        if (this.#simulation.isConnected(victim, node)) {
          this.#simulation.breach(`${victim.name} keeps ${node.name}, which tells "${liar.lie}"`)
        }
      }
    }
  }

  stop(): void {
    this.#stopped = true
  }

  reorganisations(): { readonly reorganisations: number; readonly deepestReorganisation: number } {
    return { reorganisations: this.#reorganisations, deepestReorganisation: this.#deepest }
  }

  #discouragedBy(node: SimulatedNode): Set<string> {
    let discouraged = this.#discouraged.get(node)
    if (discouraged === undefined) this.#discouraged.set(node, (discouraged = new Set()))
    return discouraged
  }

  #keepDialling(from: SimulatedNode, to: SimulatedNode, conditions: LinkConditions): void {
    if (this.#stopped) return
    const refused = this.#discouragedBy(from).has(to.name) || this.#discouragedBy(to).has(from.name)
    if (!refused && !this.#simulation.isConnected(from, to)) this.#simulation.connect(from, to, conditions)
    this.#simulation.after(refused ? STORM_MS : REDIAL_MS + 5 * conditions.latencyMs, () =>
      this.#keepDialling(from, to, conditions)
    )
  }
}
