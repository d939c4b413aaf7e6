/**
 * The standing scenario of header sync, drawn whole from a seed: a random network with latencies, miners that race, partitions, cut
 * connections, liars and weak peers; sometimes on a chain that is thousands of headers long, sometimes with a target that changes. When
 * the storm is over one last block is mined, and every honest node must follow the chain of most work.
 */
import { type Random, shuffle } from "@satwire/machine"
import { type ChainParams, HEADER_SIZE } from "@satwire/primitives"
import { Breach } from "./Breach.ts"
import { ChainInvariants } from "./ChainInvariants.ts"
import { HonestNode, headerNode } from "./HonestNode.ts"
import { Impostor, WEAKNESSES, type Weakness } from "./Impostor.ts"
import { LIES, Liar, type Lie, PUNISHED } from "./Liar.ts"
import { MinedHeaders, mineChain } from "./MinedHeaders.ts"
import { NETWORKS, type SimulatedNetwork } from "./Networks.ts"
import { peerInvariants } from "./PeerInvariants.ts"
import { EPOCH_UNIX, type SimulatedNode, Simulation } from "./Simulation.ts"
import { wireInvariants } from "./WireInvariants.ts"
import { Wiring } from "./Wiring.ts"

export interface ScenarioOptions {
  readonly seed: number
  /** Honest nodes; drawn from 2 to 12 where it is not given. */
  readonly nodes?: number | undefined
  /** Drawn where it is not given. */
  readonly network?: SimulatedNetwork | undefined
  /** Who is there besides honest nodes; drawn where it is not given. */
  readonly others?: ReadonlyArray<Lie | Weakness> | undefined
  /** Fails where more headers than this leave a best chain at once: finds seeds that are worth a look. */
  readonly maxReorganisation?: number | undefined
}

export interface ScenarioResult {
  readonly seed: number
  readonly network: SimulatedNetwork
  readonly nodes: number
  /** Who is there besides honest nodes, by what is wrong with it. */
  readonly others: ReadonlyArray<Lie | Weakness>
  readonly blocks: number
  readonly height: number
  readonly reorganisations: number
  readonly deepestReorganisation: number
  readonly turns: number
  readonly virtualSeconds: number
  /** The same for the same seed, always. */
  readonly traceHash: string
}

/** The command that runs a scenario again. */
export const replayCommand = ({ seed, nodes, network, others, maxReorganisation }: ScenarioOptions): string => {
  const named = others === undefined ? undefined : `"${others.join(",")}"`
  const flags = { nodes, network, others: named, "max-reorganisation": maxReorganisation }
  const given = Object.entries(flags).filter(([, value]) => value !== undefined)
  return [`npm run simulate -- --seed ${seed}`, ...given.map(([name, value]) => `--${name} ${value}`)].join(" ")
}

const MINUTE_MS = 60_000
const STORM_MS = 20 * MINUTE_MS
/** Longer than any timeout that has to pass before a stuck sync moves on. */
const CALM_MS = 50 * MINUTE_MS
/** What liars still have to be heard and hung up on once the honest agree. */
const LAST_WORDS_MS = 4 * MINUTE_MS
/** One scenario in this many lasts to its end even if everybody agrees before. */
const FULL_LENGTH_ONE_IN = 25
/** Longer than a ping may wait, the pause before it included. */
const SILENCE_MS = 25 * MINUTE_MS

/** One scenario in this many starts with a long chain at one node. */
const LONG_CHAIN_ONE_IN = 25
const LONG_CHAIN_LEAST = 1500
const LONG_CHAIN_SPREAD = 1500

export const runHeaderScenario = (options: ScenarioOptions): ScenarioResult => {
  const simulation = new Simulation(options.seed, { replay: replayCommand(options) })
  return simulation.explain(() => new HeaderScenario(simulation, options).run())
}

interface Other {
  readonly node: SimulatedNode
  readonly what: Lie | Weakness
}

class HeaderScenario {
  readonly #simulation: Simulation
  readonly #network: SimulatedNetwork
  readonly #params: ChainParams
  readonly #mined: MinedHeaders = new MinedHeaders()
  readonly #honest: Array<HonestNode> = []
  readonly #others: Array<Other> = []
  readonly #chains: ChainInvariants
  readonly #maxReorganisation: number
  #blocks = 0
  #reorganisations = 0
  #deepest = 0

  constructor(simulation: Simulation, options: ScenarioOptions) {
    const { random } = simulation
    const drawnNetwork = random.below(4) === 0 ? "fast" : "regtest"
    const drawnNodes = 2 + random.below(11)
    const isLong = random.below(LONG_CHAIN_ONE_IN) === 0
    this.#simulation = simulation
    this.#network = options.network ?? drawnNetwork
    this.#params = NETWORKS[this.#network]
    this.#maxReorganisation = options.maxReorganisation ?? Infinity
    const count = options.nodes ?? drawnNodes
    for (let i = 0; i < count; i++) {
      const skewSeconds = random.below(121) - 60
      this.#honest.push(new HonestNode(simulation, `node-${i}`, this.#params, { skewSeconds }))
    }
    const longChain = isLong ? this.#longChain(random) : undefined
    const others = options.others ?? Array.from({ length: 1 + Math.floor(count / 10) }, () => anyOther(random))
    others.forEach((what, i) => this.#others.push({ what, node: this.#other(what, i, longChain) }))
    this.#chains = new ChainInvariants(this.#honest, this.#mined)
    this.#watch()
    if (longChain !== undefined) this.#honest[0]?.load(longChain)
  }

  run(): ScenarioResult {
    const simulation = this.#simulation
    const honest = this.#honest.map(({ node }) => node)
    const wiring = new Wiring(simulation)
    wiring.dialAll(
      honest,
      this.#others.map(({ node }) => node)
    )
    this.#storm()
    simulation.run(STORM_MS)
    simulation.partition(() => 0)
    this.#calmDown()
    // Chains of equal work are a tie that only the next block breaks. And who has a long chain whose tip is old tells nobody of it until
    // somebody mines on it, as Core does in its initial download: here that happens at the latest now.
    this.#mine(mostWork(this.#honest))
    this.#calmDown()
    this.#chains.atEnd()
    const punished = this.#others.filter(({ what }) => isPunished(what))
    wiring.nobodyKeeps(
      punished.map(({ node }) => node),
      honest
    )
    wiring.stop()
    this.#forget()
    return this.#result()
  }

  /** Lets things settle: until the honest agree and a little longer, at most for {@link CALM_MS}. */
  #calmDown(): void {
    const simulation = this.#simulation
    const untilMs = simulation.timeMs + CALM_MS
    const isPatient = simulation.random.below(FULL_LENGTH_ONE_IN) === 0
    while (simulation.timeMs < untilMs && (isPatient || !this.#chains.isAgreed)) {
      simulation.run(Math.min(untilMs, simulation.timeMs + MINUTE_MS))
    }
    simulation.run(simulation.timeMs + LAST_WORDS_MS)
  }

  /** A node forgets peers that are gone, whether it was told so or has to notice it by their silence. */
  #forget(): void {
    const simulation = this.#simulation
    if (simulation.random.below(4) > 0) simulation.cut()
    else simulation.partition((node) => node.index)
    simulation.run(simulation.timeMs + SILENCE_MS)
    for (const { core, node } of this.#honest) {
      if (!core.isEmpty) throw new Breach(`${node.name} remembers peers that are gone`)
      if (core.nextTimeout() !== undefined) throw new Breach(`${node.name} waits for something, and nobody is there`)
    }
  }

  /** Miners at work, partitions that come and go, connections that are pulled. */
  #storm(): void {
    const simulation = this.#simulation
    const { random } = simulation
    for (const miner of shuffle(random, [...this.#honest]).slice(0, 3)) {
      for (let at = random.below(MINUTE_MS); at < STORM_MS; at += 1 + random.below(2 * MINUTE_MS)) {
        simulation.after(at, () => this.#mine(miner))
      }
    }
    for (let at = random.below(STORM_MS / 4); at < STORM_MS; at += 30_000 + random.below(STORM_MS / 3)) {
      const groups = new Map(simulation.nodes.map((node) => [node, random.below(2)]))
      simulation.after(at, () => simulation.partition((node) => groups.get(node) ?? 0))
      simulation.after(at + 10_000 + random.below(3 * MINUTE_MS), () => simulation.partition(() => 0))
    }
    for (let i = random.below(4); i > 0; i--) {
      const victim = simulation.nodes[random.below(simulation.nodes.length)]
      simulation.after(random.below(STORM_MS), () => simulation.cut(victim))
    }
  }

  #mine(miner: HonestNode | undefined): void {
    if (miner === undefined) return
    this.#blocks += 1
    miner.mine()
  }

  /** A chain at the network's own pace that ends some time before the simulation begins. */
  #longChain(random: Random): Uint8Array {
    const count = LONG_CHAIN_LEAST + random.below(LONG_CHAIN_SPREAD)
    const pace = this.#network === "fast" ? 64 : 1 + random.below(600)
    const end = EPOCH_UNIX - (random.below(2) === 0 ? 3600 : 2 * 24 * 3600)
    const chain = mineChain(this.#params, count, (height) => end - pace * (count - height), random.u32())
    this.#mined.add(chain)
    return chain
  }

  #other(what: Lie | Weakness, index: number, longChain: Uint8Array | undefined): SimulatedNode {
    const { random } = this.#simulation
    if (!isWeakness(what)) {
      const liar = new Liar(what, this.#params, random.fork(), this.#mined)
      return this.#simulation.add(`liar-${index}`, liar, { isHonest: false })
    }
    const { core } = headerNode(this.#params, random.fork())
    const node = this.#simulation.add(`weak-${index}`, new Impostor(what, core, random), { isHonest: false })
    // It has the long chain as well, so that it can leave others in the middle of it.
    if (longChain !== undefined) {
      this.#simulation.input(node, { _tag: "SubmitHeaders", headers: longChain, count: longChain.length / HEADER_SIZE })
    }
    return node
  }

  #watch(): void {
    const simulation = this.#simulation
    simulation.always(this.#chains.afterTurn)
    const blameless = this.#others.filter(({ what }) => what !== "garbage" && !isBlamed(what))
    const nodes = blameless.map(({ node }) => node)
    simulation.always(peerInvariants(this.#honest, nodes))
    simulation.always(wireInvariants(this.#honest))
    simulation.onOutput((node, output) => {
      if (!node.isHonest || output._tag !== "TipChanged" || output.removed === 0) return
      this.#reorganisations += 1
      this.#deepest = Math.max(this.#deepest, output.removed)
      if (output.removed > this.#maxReorganisation)
        throw new Breach(`${node.name}: ${output.removed} headers left its best chain at once`)
    })
  }

  #result(): ScenarioResult {
    const [first] = this.#honest
    return {
      seed: this.#simulation.seed,
      network: this.#network,
      nodes: this.#honest.length,
      others: this.#others.map(({ what }) => what),
      blocks: this.#blocks,
      height: first === undefined ? 0 : first.tree.height(first.tree.best),
      reorganisations: this.#reorganisations,
      deepestReorganisation: this.#deepest,
      turns: this.#simulation.turns,
      virtualSeconds: Math.round(this.#simulation.timeMs / 1000),
      traceHash: this.#simulation.trace.digest()
    }
  }
}

/** The first of those that follow a chain of the most work. */
const mostWork = (nodes: ReadonlyArray<HonestNode>): HonestNode | undefined => {
  const workOf = ({ tree }: HonestNode): bigint => tree.chainWork(tree.best)
  return nodes.reduce<HonestNode | undefined>(
    (most, node) => (most === undefined || workOf(node) > workOf(most) ? node : most),
    undefined
  )
}

const EVERY_OTHER: ReadonlyArray<Lie | Weakness> = [...LIES, ...WEAKNESSES]

const anyOther = (random: Random): Lie | Weakness => EVERY_OTHER[random.below(EVERY_OTHER.length)] as Lie | Weakness

const isPunished = (what: Lie | Weakness): boolean => (PUNISHED as ReadonlySet<string>).has(what)

/** Whom some blame and others pass over. */
const isBlamed = (what: Lie | Weakness): boolean => isPunished(what) || what === "wrong bits" || what === "too old"

const isWeakness = (what: Lie | Weakness): what is Weakness => (WEAKNESSES as ReadonlyArray<string>).includes(what)
