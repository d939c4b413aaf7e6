/** What a node's dashboard tells, while its scope is open: samples are taken, blocks are noted, messages are looked on at when somebody asks. */
import type { NodeShape } from "@satwire/node"
import type { ChainParams } from "@satwire/primitives"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import process from "node:process"
import { BlockLog } from "./BlockLog.ts"
import { History, type ProcessReading, type Reading } from "./History.ts"
import { peerDetail } from "./PeerView.ts"
import { type About, readState } from "./ReadState.ts"
import type { PeerDetail, StateAnswer } from "@satwire/dashboard-page"
import { Tracer } from "./Tracer.ts"

export interface DashboardOptions {
  readonly node: NodeShape
  readonly params: ChainParams
  /** Of the program. */
  readonly version: string
}

export interface Dashboard {
  /** How things stand and the samples after this one, as the JSON of {@link StateAnswer}. */
  readonly state: (after: number) => Effect.Effect<string>
  readonly peer: (id: number) => Effect.Effect<PeerDetail | undefined>
  readonly tracer: Tracer
}

const SAMPLE_MS = 1000
/** How old an answer may be: many who look cost no more than two. */
const STATE_AGE_MS = 500
/**
 * Whatever a sample or an answer takes, so many times as long passes before the next. Rationale: with ten thousand peers each takes tens of
 * milliseconds, and who looks on must not be what a node is busy with.
 */
const REST = 50

export const makeDashboard = (options: DashboardOptions): Effect.Effect<Dashboard, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { node } = options
    const first = yield* reading(node)
    const log = new BlockLog(first.blocks !== undefined)
    const heard = Stream.runForEach(node.facts, (fact) =>
      Effect.map(Clock.currentTimeMillis, (unixMs) => log.heard(fact, unixMs))
    )
    yield* Effect.forkScoped(heard, { startImmediately: true })
    const history = new History(first)
    const sample = Effect.gen(function* () {
      const now = yield* reading(node)
      history.note(now)
      yield* noteSpread(node, log, now.unixMs)
    })
    const sampling = Effect.timed(sample).pipe(
      Effect.tap(([took]) => Effect.sleep(Math.max(SAMPLE_MS, REST * Duration.toMillis(took)))),
      Effect.forever
    )
    yield* Effect.forkScoped(Effect.delay(sampling, SAMPLE_MS))
    // Not by Effect's clock, which a test may set.
    const startedAt = process.uptime()
    const uptimeSeconds = (): number => process.uptime() - startedAt
    const about: About = { ...options, startedUnixMs: first.unixMs, uptimeSeconds, log }
    const tracer = yield* Tracer.make(node)
    return {
      state: stateOf(about, history),
      peer: (id) =>
        Effect.gen(function* () {
          const { instant } = yield* node.now
          const peer = (yield* node.query("peerDetails")).find((each) => each.peer === id)
          return peer === undefined ? undefined : peerDetail(peer, instant)
        }),
      tracer
    }
  })

const stateOf = (about: About, history: History): Dashboard["state"] => {
  let state = ""
  let readMs = Number.NEGATIVE_INFINITY
  let restMs = 0
  return (after) =>
    Effect.gen(function* () {
      const unixMs = yield* Clock.currentTimeMillis
      // The wall clock may have been set, or stand.
      const nowMs = 1000 * about.uptimeSeconds()
      if (nowMs - readMs > restMs) {
        const reading = Effect.map(readState(about, unixMs), (read) => JSON.stringify(read))
        const [took, text] = yield* Effect.timed(reading)
        state = text
        readMs = nowMs
        restMs = Math.max(STATE_AGE_MS, REST * Duration.toMillis(took))
      }
      const samples: StateAnswer["samples"] = history.after(after)
      return `{"state":${state},"samples":${JSON.stringify(samples)}}`
    })
}

const reading = (node: NodeShape): Effect.Effect<Reading> =>
  Effect.gen(function* () {
    return {
      unixMs: yield* Clock.currentTimeMillis,
      peers: yield* node.query("peers"),
      headers: yield* node.query("headers"),
      blocks: yield* node.query("blocks"),
      traffic: yield* node.query("traffic"),
      turns: yield* node.turns,
      process: ofProcess()
    }
  })

const ofProcess = (): ProcessReading => {
  const { heapUsed, rss } = process.memoryUsage()
  const { system, user } = process.cpuUsage()
  return { residentBytes: rss, heapBytes: heapUsed, cpuMs: (system + user) / 1000 }
}

/** Who has the last block, while that is new. */
const noteSpread = (node: NodeShape, log: BlockLog, unixMs: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const height = log.spreading(unixMs)
    if (height === undefined) return
    const ready = (yield* node.query("peerDetails")).filter(({ state }) => state === "ready")
    log.spread(ready.filter(({ headersHeight }) => headersHeight >= height).length, ready.length, unixMs)
  })
