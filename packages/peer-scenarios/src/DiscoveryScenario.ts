/**
 * A network of nodes that know nobody but one seed: a node that knows all the others, or a DNS seed that gives some of them at each question.
 * They find one another by the ordinary means, over simulated connections that carry the ordinary bytes.
 */
import { AddrMan } from "@satwire/addrman"
import { LocalAddresses, MAX_ADDRESSES_OF_SEED } from "@satwire/discovery"
import { HeaderTree } from "@satwire/header-sync"
import { type Random, UnixSeconds, shuffle } from "@satwire/machine"
import { NETWORKS, NetGroups, type NodeAddress, formatNode } from "@satwire/netaddress"
import { NodeCore, type NodeCoreOutput } from "@satwire/node-core"
import { type ChainParams, regtest } from "@satwire/primitives"
import { EPOCH_UNIX, type SimulatedNode, Simulation, sha256 } from "@satwire/simulator"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import { type Graph, type Spread, diameter, spreadOf } from "./Found.ts"

/** Core's: beyond it a node wants no more full-relay peers. */
const FULL_RELAY = 8
const SERVICES = NODE_NETWORK | NODE_WITNESS
const PORT = 8333
const DNS_SEED = "seed.example"
const START_WITHIN_MS = 1000

export interface DiscoveryOptions {
  readonly seed: number
  /** {@link DEFAULT_NODES} where not given. */
  readonly nodes?: number | undefined
  /** One way; 100 where not given. */
  readonly latencyMs?: number | undefined
  readonly through?: "seed node" | "DNS seed" | undefined
  /** When it is looked at; a minute after the start where not given. */
  readonly untilMs?: number | undefined
}

export const DEFAULT_NODES = 1000

export interface DiscoveryResult {
  readonly seed: number
  readonly nodes: number
  readonly through: "seed node" | "DNS seed"
  /** From a node's start to its eighth full-relay peer, over all nodes that have as many. */
  readonly eightPeersMs: Spread
  /** Nodes that have fewer. */
  readonly lacking: number
  /** Of the network in the end; `undefined` where it is in pieces. */
  readonly diameter: number | undefined
  readonly inbound: Spread
  readonly known: Spread
  readonly turns: number
  /** The same seed gives the same. */
  readonly trace: string
}

/** Each in a /16 of its own. */
const addressOf = (n: number): NodeAddress => ({
  network: "ipv4",
  address: Uint8Array.of(20 + (n >> 8), n & 255, 1, 1),
  port: PORT
})

/** The chain is at its tip from the start: it is not what this is about. */
const PARAMS: ChainParams = {
  ...regtest,
  genesis: { ...regtest.genesis, time: UnixSeconds(EPOCH_UNIX - 600) },
  dnsSeeds: [DNS_SEED]
}

/** A node, and what is noted of it. */
class Inhabitant {
  readonly core: NodeCore
  readonly book: AddrMan
  readonly address: NodeAddress
  readonly node: SimulatedNode
  /** Full-relay peers that have shaken hands. */
  readonly fullRelay: Set<number> = new Set()
  startedMs = 0
  eightAtMs: number | undefined = undefined

  constructor(simulation: Simulation, number: number, seeding: "seed node" | "DNS seed" | undefined) {
    const random = simulation.random.fork()
    const reachable = new Set(NETWORKS.map(({ network }) => network))
    this.address = addressOf(number)
    this.book = new AddrMan({ random: random.fork(), sha256, groups: new NetGroups() })
    const own = new LocalAddresses({ random: random.fork(), reachable, discovers: true, port: PORT })
    own.add(this.address, "manual")
    const [host = "", port = ""] = formatNode(addressOf(0)).split(":")
    this.core = new NodeCore({
      params: PARAMS,
      roles: {
        headers: undefined,
        mining: undefined,
        connections: { maxInbound: number === 0 ? Infinity : 114, isAutomatic: seeding !== undefined },
        addresses: {
          book: this.book,
          own,
          announceSelf: true,
          seeding:
            seeding === undefined
              ? undefined
              : {
                  dnsSeeds: seeding === "DNS seed" ? PARAMS.dnsSeeds : [],
                  defaultPort: PORT,
                  resolvesThroughProxy: false,
                  seedNodes: seeding === "seed node" ? [{ host, port: Number(port) }] : [],
                  fixedSeeds: [],
                  hasAddedNodes: false
                }
        }
      },
      tree: HeaderTree.fromGenesis(PARAMS, random.fork()),
      sha256,
      random,
      userAgent: "/satwire-simulator:0.0.0/",
      services: SERVICES
    })
    this.node = simulation.add(formatNode(this.address), this.core)
  }
}

class Town {
  readonly #simulation: Simulation
  readonly #inhabitants: ReadonlyArray<Inhabitant>
  readonly #byEndpoint: ReadonlyMap<string, Inhabitant>
  readonly #byNode: ReadonlyMap<SimulatedNode, Inhabitant>
  readonly #random: Random
  readonly #latencyMs: number

  constructor(simulation: Simulation, nodes: number, through: "seed node" | "DNS seed", latencyMs: number) {
    this.#simulation = simulation
    this.#random = simulation.random.fork()
    this.#latencyMs = latencyMs
    // The first one is the seed: it looks for nobody.
    this.#inhabitants = Array.from(
      { length: nodes },
      (_, n) => new Inhabitant(simulation, n, n === 0 ? undefined : through)
    )
    this.#byEndpoint = new Map(this.#inhabitants.map((one) => [one.node.name, one]))
    this.#byNode = new Map(this.#inhabitants.map((one) => [one.node, one]))
    simulation.onOutput((node, output) => this.#perform(this.#byNode.get(node) as Inhabitant, output))
  }

  start(): void {
    const [seed, ...others] = this.#inhabitants
    for (const { address } of others) {
      const time = UnixSeconds(EPOCH_UNIX - 3600)
      seed?.book.add([{ ...address, services: SERVICES, time }], address, UnixSeconds(EPOCH_UNIX))
    }
    for (const one of others) {
      one.startedMs = this.#random.below(START_WITHIN_MS)
      this.#simulation.after(one.startedMs, () => this.#simulation.input(one.node, { _tag: "Timeout" }))
    }
  }

  /** Without the seed, which only tells of others. */
  get graph(): Graph {
    const { inhabitants } = this
    const numbers = new Map(inhabitants.map(({ node }, n) => [node.name, n]))
    const graph = inhabitants.map(() => new Set<number>())
    inhabitants.forEach(({ core }, n) => {
      for (const { endpoint, isReady, kind } of core.query("connections")) {
        const other = kind === "inbound" || !isReady ? undefined : numbers.get(endpoint)
        if (other === undefined) continue
        graph[n]?.add(other)
        graph[other]?.add(n)
      }
    })
    return graph
  }

  get inhabitants(): ReadonlyArray<Inhabitant> {
    return this.#inhabitants.slice(1)
  }

  /** What a node's edge does. */
  #perform(one: Inhabitant, output: NodeCoreOutput): void {
    const simulation = this.#simulation
    switch (output._tag) {
      case "Dial": {
        const { dial, endpoint, kind, transport } = output
        const to = this.#byEndpoint.get(endpoint)
        if (to === undefined || to === one) {
          simulation.after(this.#latencyMs, () =>
            simulation.input(one.node, { _tag: "DialFailed", dial, isOurs: false })
          )
          return
        }
        const port = 30_000 + (dial % 30_000)
        simulation.connect(one.node, to.node, this.#conditions, undefined, [
          { kind, address: endpoint, dial, transport },
          { kind: "inbound", address: formatNode({ ...one.address, port }) }
        ])
        return
      }
      case "QuerySeed": {
        const some = shuffle(this.#random, [...this.inhabitants]).slice(0, MAX_ADDRESSES_OF_SEED)
        const addresses = some.map(({ address }) => address)
        simulation.after(2 * this.#latencyMs, () =>
          simulation.input(one.node, { _tag: "SeedAnswered", host: output.host, addresses })
        )
        return
      }
      case "PeerReady":
        if (output.info.kind !== "outbound-full-relay") return
        one.fullRelay.add(output.peer)
        if (one.fullRelay.size === FULL_RELAY) one.eightAtMs ??= simulation.timeMs
        return
      case "PeerDisconnecting":
        one.fullRelay.delete(output.peer)
        return
      default:
        return
    }
  }

  get #conditions() {
    return { latencyMs: this.#latencyMs, jitterMs: Math.floor(this.#latencyMs / 10), chunkBytes: 65_536 }
  }
}

export const runDiscovery = (options: DiscoveryOptions): DiscoveryResult => {
  const { latencyMs = 100, nodes = DEFAULT_NODES, seed, through = "seed node", untilMs = 60_000 } = options
  const simulation = new Simulation(seed, {
    replay: `npm run simulate:peers -- --scenario discovery --seed ${seed} --nodes ${nodes}`
  })
  const town = new Town(simulation, nodes, through, latencyMs)
  town.start()
  simulation.run(untilMs)
  const { inhabitants } = town
  const eight = inhabitants.flatMap(({ eightAtMs, startedMs }) =>
    eightAtMs === undefined ? [] : [eightAtMs - startedMs]
  )
  const inboundOf = ({ core }: Inhabitant): number =>
    core.query("connections").filter(({ kind }) => kind === "inbound").length
  return {
    seed,
    nodes,
    through,
    eightPeersMs: spreadOf(eight),
    lacking: inhabitants.length - eight.length,
    diameter: diameter(town.graph),
    inbound: spreadOf(inhabitants.map(inboundOf)),
    known: spreadOf(inhabitants.map(({ book }) => book.count())),
    turns: simulation.turns,
    trace: simulation.trace.digest()
  }
}
