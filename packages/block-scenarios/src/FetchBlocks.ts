/**
 * How long a node takes for all blocks from peers of different speed, of whom one may take what it is asked for and never answer. What counts
 * is what all links together could carry.
 */
import { MAX_BLOCKS_IN_TRANSIT_PER_PEER } from "@satwire/block-sync"
import { Breach, EPOCH_UNIX, Simulation, sha256 } from "@satwire/simulator"
import { FilledChain } from "@satwire/testkit"
import { BlockNode } from "./BlockNode.ts"
import type { SimulatedDiskOptions } from "./SimulatedDisk.ts"

/** One link: both ways. */
export interface LinkSpeed {
  readonly megabitsPerSecond: number
  readonly roundTripMs: number
}

/** Eight homes and data centres. */
export const EIGHT_LINKS: ReadonlyArray<LinkSpeed> = [
  { megabitsPerSecond: 1, roundTripMs: 300 },
  { megabitsPerSecond: 2, roundTripMs: 250 },
  { megabitsPerSecond: 5, roundTripMs: 200 },
  { megabitsPerSecond: 10, roundTripMs: 150 },
  { megabitsPerSecond: 20, roundTripMs: 100 },
  { megabitsPerSecond: 40, roundTripMs: 60 },
  { megabitsPerSecond: 70, roundTripMs: 40 },
  { megabitsPerSecond: 100, roundTripMs: 20 }
]

export interface FetchBlocksOptions {
  readonly seed: number
  readonly blocks: number
  readonly blockBytes: number
  readonly links?: ReadonlyArray<LinkSpeed>
  /** How many of them besides take requests for blocks and answer none. */
  readonly stalling?: number
  /** How many blocks each of those gives before. Who gives none leaves questions for headers behind his blocks unanswered too. */
  readonly stallsAfter?: number
  /** Whether the headers are there already. */
  readonly knowsHeaders?: boolean
}

export interface FetchBlocksResult {
  readonly blocks: number
  readonly megabytes: number
  readonly peers: number
  readonly stalling: number
  /** From the first dial until the last block was kept. */
  readonly virtualSeconds: number
  /** What the bytes take on all links that answer, if each is always full; or the round trips, if each always has sixteen blocks in flight. */
  readonly idealSeconds: number
  /** The most bytes that waited to be written. */
  readonly mostWaitingMB: number
  /** What was sent besides: blocks a second time, headers, and what a message takes around its block. */
  readonly wastedMB: number
  /** How many stalled: gave as many as they were to give, and were asked for more. */
  readonly stalled: number
  readonly turns: number
}

export const runFetchBlocks = (options: FetchBlocksOptions): FetchBlocksResult => {
  const { blockBytes, blocks, links = EIGHT_LINKS, seed, stalling = 0, stallsAfter = 0 } = options
  const simulation = new Simulation(seed, { replay: `npm run simulate:blocks -- --scenario fetch --seed ${seed}` })
  const chain = new FilledChain({ count: blocks, blockBytes, firstTime: EPOCH_UNIX - 600 * (blocks + 10) }, sha256)
  const fresh = new BlockNode(simulation, "fresh", {
    forgets: true,
    ...(options.knowsHeaders === true ? { knows: chain } : {})
  })
  const add = (
    name: string,
    { megabitsPerSecond, roundTripMs }: LinkSpeed,
    gives?: SimulatedDiskOptions["gives"]
  ): BlockNode => {
    const server = new BlockNode(simulation, name, { has: chain, gives })
    const bytesPerSecond = (megabitsPerSecond * 1e6) / 8
    simulation.connect(fresh.node, server.node, {
      latencyMs: roundTripMs / 2,
      jitterMs: 0,
      chunkBytes: 65_536,
      bytesPerSecond
    })
    return server
  }
  // Who stalls is nearest, so that it is asked for what comes first.
  const askedOf = Array.from({ length: stalling }, () => 0)
  askedOf.forEach((_, i) =>
    add(`stalling-${i}`, STALLING_LINK, (__, block) => {
      const asked = (askedOf[i] ?? 0) + 1
      askedOf[i] = asked
      return asked > stallsAfter ? "no answer" : block
    })
  )
  links.forEach((link, i) => add(`server-${i}`, link))
  let sent = 0
  let doneMs: number | undefined = undefined
  simulation.onOutput((from, output) => {
    if (from !== fresh.node && output._tag === "Write") sent += output.bytes.length
    if (from === fresh.node && output._tag === "BlockTipChanged" && fresh.height === blocks) {
      doneMs ??= simulation.timeMs
    }
  })
  const bytes = blocks * chain.bytes(blocks).length
  const idealSeconds = Math.max(
    bytes / links.reduce((sum, { megabitsPerSecond }) => sum + (megabitsPerSecond * 1e6) / 8, 0),
    blocks / links.reduce((sum, { roundTripMs }) => sum + (1000 * MAX_BLOCKS_IN_TRANSIT_PER_PEER) / roundTripMs, 0)
  )
  return simulation.explain(() => {
    const untilMs = PATIENCE * 1000 * idealSeconds + 120_000
    while (doneMs === undefined && simulation.timeMs < untilMs) simulation.run(simulation.timeMs + 1000)
    if (doneMs === undefined) {
      throw new Breach(`block ${fresh.height} of ${blocks} is there after ${Math.round(untilMs / 1000)} s`)
    }
    return {
      blocks,
      megabytes: Math.round(bytes / 1e6),
      peers: links.length,
      stalling,
      virtualSeconds: Math.round(doneMs) / 1000,
      idealSeconds: Math.round(1000 * idealSeconds) / 1000,
      mostWaitingMB: Math.round(fresh.disk.mostWaitingBytes / 1e5) / 10,
      wastedMB: Math.round((sent - bytes) / 1e5) / 10,
      stalled: askedOf.filter((asked) => asked > stallsAfter).length,
      turns: simulation.turns
    }
  })
}

const STALLING_LINK: LinkSpeed = { megabitsPerSecond: 50, roundTripMs: 10 }
/** By how much longer than it should a run may last until it is given up. */
const PATIENCE = 4
