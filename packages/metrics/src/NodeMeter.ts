/** Watches a node, and says on request how it does: as metrics, and in short whether it is well. */
import type { NodeShape } from "@satwire/node"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import process from "node:process"
import { exposition } from "./Metric.ts"
import { NODE_METRICS, type Readings } from "./NodeMetrics.ts"
import { Tally } from "./Tally.ts"

/** What Prometheus wants to be told of the text. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

export interface NodeMeterOptions {
  readonly node: NodeShape
  /** Of the program. */
  readonly version: string
  /** Its name: `mainnet`, `regtest`, … */
  readonly network: string
}

/** Whether a node is well: for a load balancer, a container, a person in a hurry. */
export interface Health {
  readonly isWell: boolean
  /** What is not as it should be, a sentence each. */
  readonly problems: ReadonlyArray<string>
  readonly network: string
  readonly version: string
  readonly uptimeSeconds: number
  readonly peers: number
  readonly headersHeight: number | undefined
  readonly blocksHeight: number | undefined
}

export interface NodeMeter {
  readonly readings: Effect.Effect<Readings>
  /** In Prometheus' text format. */
  readonly metrics: Effect.Effect<string>
  readonly health: Effect.Effect<Health>
}

/** Watches while the scope is open. */
export const nodeMeter = (options: NodeMeterOptions): Effect.Effect<NodeMeter, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { node } = options
    const tally = new Tally()
    const unix = Effect.map(Clock.currentTimeMillis, (ms) => Math.floor(ms / 1000))
    // Not by the wall clock, which jumps where it is set.
    const startedAt = process.uptime()
    yield* Effect.forkScoped(
      Stream.runForEach(node.facts, (fact) =>
        Effect.map(Clock.monotonicTimeNanos, (nanos) => tally.note(fact, Number(nanos / 1000n) / 1000))
      ),
      { startImmediately: true }
    )
    const readings = Effect.gen(function* () {
      return {
        tally,
        peers: yield* node.query("peers"),
        headers: yield* node.query("headers"),
        blocks: yield* node.query("blocks"),
        pool: yield* node.query("pool"),
        compact: yield* node.query("compact"),
        bans: yield* node.query("bans"),
        addresses: yield* node.query("addresses"),
        upload: yield* node.query("upload"),
        traffic: yield* node.query("traffic"),
        turns: yield* node.turns,
        unix: yield* unix,
        uptimeSeconds: process.uptime() - startedAt,
        about: { version: options.version, network: options.network },
        process: ofProcess()
      }
    })
    return {
      readings,
      metrics: Effect.map(readings, (from) => exposition(NODE_METRICS, from)),
      health: Effect.map(readings, healthOf)
    }
  })

const ofProcess = (): Readings["process"] => {
  const { heapUsed, rss } = process.memoryUsage()
  const { system, user } = process.cpuUsage()
  return { residentBytes: rss, heapBytes: heapUsed, cpuSeconds: (system + user) / 1e6 }
}

/** So long after the start nobody need have been found. */
const PATIENCE_S = 300

const healthOf = ({ about, blocks, headers, peers, tally, uptimeSeconds }: Readings): Health => {
  const ready = peers.filter(({ state }) => state === "ready").length
  const problems: Array<string> = []
  if (tally.isStoreFull) problems.push("The disk is full: nothing more is kept until there is room.")
  if (tally.isStoreBehind) problems.push("The disk is slow: peers are read no further until it has caught up.")
  if (ready === 0 && uptimeSeconds > PATIENCE_S) problems.push("No peer is connected.")
  return {
    isWell: problems.length === 0,
    problems,
    ...about,
    uptimeSeconds: Math.floor(uptimeSeconds),
    peers: ready,
    headersHeight: headers?.tip.height,
    blocksHeight: blocks?.tip.height
  }
}
