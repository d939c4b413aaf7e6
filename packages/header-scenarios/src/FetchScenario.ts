/**
 * How long a node takes for a whole chain of headers over links of a given speed: from one peer after another's question, or along a
 * skeleton from several. Nothing is lost and nobody lies; what counts is round trips and bytes.
 */
import { ChaChaRandom } from "@satwire/crypto"
import { HeaderTree, acceptHeaders, headerPointsOf } from "@satwire/header-sync"
import { ProofOfWork } from "@satwire/consensus"
import { NodeCore } from "@satwire/node-core"
import { HEADER_SIZE } from "@satwire/primitives"
import { Breach, type SimulatedNode, Simulation, sha256 } from "@satwire/simulator"
import { generatedHeaders } from "@satwire/testkit"
import { MAX_HEADERS_RESULTS, NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"

export interface FetchOptions {
  readonly seed: number
  /** How long the chain is. */
  readonly headers: number
  readonly peers: number
  /** Whether it is fetched along a skeleton. */
  readonly skeleton: boolean
  /** There and back, in milliseconds. */
  readonly roundTripMs?: number
  /** Of each peer's link, both ways. */
  readonly megabitsPerSecond?: number
}

export interface FetchResult {
  readonly headers: number
  readonly peers: number
  readonly skeleton: boolean
  /** From the first dial until the last header was in the tree. */
  readonly virtualSeconds: number
  /** Round trip and transfer of each message of one peer, one after another. */
  readonly sequentialSeconds: number
  readonly turns: number
}

/** What an answer of 2,000 headers takes on the wire beside its headers: 24 bytes before it, its count, and a byte behind each. */
const messageBytes = (headers: number): number => 24 + 3 + headers * (HEADER_SIZE + 1)

/** Longer than the slowest should take. */
const PATIENCE = 5

export const runFetch = (options: FetchOptions): FetchResult => {
  const { headers: count, megabitsPerSecond = 50, peers, roundTripMs = 100, seed, skeleton } = options
  const simulation = new Simulation(seed, { replay: `npm run simulate:headers -- --seed ${seed}` })
  const { headers, params } = generatedHeaders(count, sha256)
  // One tree for all who serve: they only read.
  const served = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(seed))
  const proof = new ProofOfWork(params)
  for (let at = 0; at < headers.length; at += MAX_HEADERS_RESULTS * HEADER_SIZE) {
    const run = headers.subarray(at, at + MAX_HEADERS_RESULTS * HEADER_SIZE)
    acceptHeaders(served, proof, sha256, run, run.length / HEADER_SIZE, Infinity)
  }
  const add = (name: string, tree: HeaderTree, points: ReturnType<typeof headerPointsOf> | undefined): SimulatedNode =>
    simulation.add(
      name,
      new NodeCore({
        params,
        roles: { headers: { serve: true, announce: false }, mining: undefined },
        tree,
        sha256,
        random: simulation.random.fork(),
        userAgent: "/satwire-simulator:0.0.0/",
        services: NODE_NETWORK | NODE_WITNESS,
        skeleton: points
      })
    )
  const tree = HeaderTree.fromGenesis(params, simulation.random.fork())
  const node = add("fresh", tree, skeleton ? headerPointsOf(served) : undefined)
  const bytesPerSecond = (megabitsPerSecond * 1e6) / 8
  const conditions = { latencyMs: roundTripMs / 2, jitterMs: 0, chunkBytes: 65_536, bytesPerSecond }
  for (let i = 0; i < peers; i++) simulation.connect(node, add(`server-${i}`, served, undefined), conditions)
  const messages = Math.ceil(count / MAX_HEADERS_RESULTS)
  const oneMs = roundTripMs + (1000 * messageBytes(MAX_HEADERS_RESULTS)) / bytesPerSecond
  let doneMs: number | undefined = undefined
  simulation.onOutput((from, output) => {
    if (from === node && output._tag === "TipChanged" && output.tip.height === count) doneMs ??= simulation.timeMs
    if (output._tag === "PeerDisconnecting") throw new Breach(`${from.name} lets ${output.address} go`)
  })
  return simulation.explain(() => {
    const untilMs = PATIENCE * messages * oneMs + 10_000
    while (doneMs === undefined && simulation.timeMs < untilMs) simulation.run(simulation.timeMs + 1000)
    if (doneMs === undefined) throw new Breach(`the chain is not there after ${untilMs / 1000} s`)
    return {
      headers: count,
      peers,
      skeleton,
      virtualSeconds: Math.round(doneMs) / 1000,
      sequentialSeconds: Math.round(messages * oneMs) / 1000,
      turns: simulation.turns
    }
  })
}
