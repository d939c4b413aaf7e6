/** Who dials whom, again and again with growing pauses, as a node's edge does; and what became of those who lie. */
import { type Random, shuffle } from "@satwire/machine"
import { Breach } from "./Breach.ts"
import type { LinkConditions } from "./Link.ts"
import type { SimulatedNode, Simulation } from "./Simulation.ts"

const REDIAL_FIRST_MS = 2000
const REDIAL_MOST_MS = 64_000
/** Who is connected already is dialled again after this. */
const REDIAL_CONNECTED_MS = 60_000

interface Dial {
  readonly from: SimulatedNode
  readonly to: SimulatedNode
  readonly conditions: LinkConditions
  pauseMs: number
}

export class Wiring {
  readonly #simulation: Simulation
  /** The addresses that a node discourages: it dials them no more. */
  readonly #discouraged: Map<SimulatedNode, Set<string>> = new Map()
  #stopped = false

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    simulation.onOutput((node, output) => {
      if (output._tag !== "PeerDisconnecting" || output.cost !== "discourage") return
      const addresses = this.#discouraged.get(node) ?? new Set()
      this.#discouraged.set(node, addresses.add(output.address))
    })
  }

  /** Everybody dials the next one, so that the network is connected, and some others. The others are dialled and dial. */
  dialAll(honest: ReadonlyArray<SimulatedNode>, others: ReadonlyArray<SimulatedNode>): void {
    const { random } = this.#simulation
    const dials: Array<readonly [SimulatedNode, SimulatedNode]> = []
    honest.forEach((node, i) => {
      const next = honest[(i + 1) % honest.length]
      if (next !== undefined && next !== node) dials.push([node, next])
      for (let k = random.below(3); k > 0; k--) {
        const other = honest[random.below(honest.length)]
        if (other !== undefined && other !== node) dials.push([node, other])
      }
    })
    for (const node of others) {
      const victims = shuffle(random, [...honest]).slice(0, 3)
      victims.forEach((victim, i) => dials.push(i % 2 === 0 ? [victim, node] : [node, victim]))
    }
    for (const [from, to] of dials) {
      this.#dial({
        from,
        to,
        conditions: anyConditions(random, from.isHonest && to.isHonest),
        pauseMs: REDIAL_FIRST_MS
      })
    }
  }

  /** Dials no more. */
  stop(): void {
    this.#stopped = true
  }

  /** These are connected to nobody any more: everyone who heard them has hung up. */
  nobodyKeeps(liars: ReadonlyArray<SimulatedNode>, honest: ReadonlyArray<SimulatedNode>): void {
    for (const liar of liars) {
      for (const victim of honest) {
        if (this.#simulation.isConnected(victim, liar)) throw new Breach(`${victim.name} keeps ${liar.name}`)
      }
    }
  }

  #dial(dial: Dial): void {
    const { from, to, conditions } = dial
    if (this.#stopped || this.#isRefused(from, to) || this.#isRefused(to, from)) return
    if (this.#simulation.isConnected(from, to)) return this.#again(dial, REDIAL_CONNECTED_MS)
    const openedMs = this.#simulation.timeMs
    this.#simulation.connect(from, to, conditions, () => {
      // Who kept the connection for a while is worth a quick try.
      const lasted = this.#simulation.timeMs - openedMs > REDIAL_MOST_MS
      dial.pauseMs = lasted ? REDIAL_FIRST_MS : Math.min(REDIAL_MOST_MS, 2 * dial.pauseMs)
      this.#again(dial, dial.pauseMs)
    })
  }

  #again(dial: Dial, pauseMs: number): void {
    this.#simulation.after(pauseMs, () => this.#dial(dial))
  }

  #isRefused(by: SimulatedNode, other: SimulatedNode): boolean {
    return this.#discouraged.get(by)?.has(other.name) === true
  }
}

/** Mostly a good line. One in eight between honest nodes cuts what it carries into crumbs; a flood in crumbs would take all our time. */
const anyConditions = (random: Random, mayCrumble: boolean): LinkConditions => ({
  latencyMs: 5 + random.below(300),
  jitterMs: random.below(50),
  chunkBytes: mayCrumble && random.below(8) === 0 ? 8 + random.below(200) : 500 + random.below(60_000)
})
