import { describe, expect, it } from "@effect/vitest"
import { PeerId } from "@satwire/machine"
import type { NodeFact } from "@satwire/node"
import { type ChainParams, Height, blockHashFromHex, mainnet, regtest } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Progress } from "../src/node/Progress.ts"
import { somePeer } from "./SomePeer.ts"

const peer = PeerId(7)
const HASH = "00".repeat(31) + "ab"
const hash = blockHashFromHex(HASH)

const ready: NodeFact = {
  _tag: "PeerReady",
  peer,
  address: "192.0.2.1:8333",
  info: { ...somePeer, startHeight: 10_000 }
}

/** A batch of headers that makes the tip. */
const batch = (count: number, height: number, removed = 0, time = 0): ReadonlyArray<NodeFact> => [
  { _tag: "HeadersAccepted", count, from: peer },
  {
    _tag: "TipChanged",
    tip: { height: Height(height), hash, time },
    forkHeight: height - count,
    removed,
    added: count,
    from: peer
  }
]

/** Progress that is told of facts, and the lines that it has written. */
const watchOn = Effect.fnUntraced(function* (params: ChainParams) {
  const progress = new Progress(params)
  const lines: Array<string> = []
  yield* Effect.forkScoped(progress.lines((line) => Effect.sync(() => void lines.push(line))))
  yield* TestClock.adjust(0)
  const tell = (facts: ReadonlyArray<NodeFact>, ms = 0): Effect.Effect<void> =>
    Effect.suspend(() => {
      for (const fact of facts) progress.observe(fact)
      return TestClock.adjust(ms)
    })
  return { lines, tell }
})
const watch = watchOn(mainnet)

describe("the progress of a sync", () => {
  it.effect("is told at once, with how far it is and from whom", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* tell([ready, ...batch(2000, 2000)])
      expect(lines).toEqual([`Headers: height 2,000 of 10,000 (20 %) from 192.0.2.1:8333, tip ${HASH}.`])
    })
  )

  it.effect("is told at most once a second, with all that came since", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* tell([ready, ...batch(2000, 2000)])
      for (let i = 1; i <= 9; i++) yield* tell(batch(400, 2000 + 400 * i), 100)
      expect(lines).toHaveLength(1)
      yield* tell([], 100)
      const line = `Headers: height 5,600 of 10,000 (56 %), 3,600 headers/s from 192.0.2.1:8333, tip ${HASH}.`
      expect(lines.slice(1)).toEqual([line])
      yield* tell([], 10_000)
      expect(lines).toHaveLength(2)
    })
  )

  it.effect("names no rate for a single block, and what was replaced", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* tell([ready, ...batch(1, 10_000)], 60_000)
      yield* tell(batch(2, 10_001, 1))
      expect(lines[0]).toBe(`Headers: height 10,000 from 192.0.2.1:8333, tip ${HASH}.`)
      expect(lines[1]).toBe(`Headers: height 10,001 from 192.0.2.1:8333, 1 header left for another chain, tip ${HASH}.`)
    })
  )

  it.effect("names a peer that has left by then", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      const gone: NodeFact = {
        _tag: "PeerDisconnecting",
        peer,
        address: "192.0.2.1:8333",
        reason: { _tag: "PingTimeout" },
        cost: "disconnect",
        retryAsV1: false
      }
      yield* tell([ready, ...batch(1, 1)])
      yield* tell([...batch(1, 2), gone], 1000)
      expect(lines.slice(1)).toEqual([`Headers: height 2 from 192.0.2.1:8333, tip ${HASH}.`])
    })
  )
})

const GENESIS = mainnet.genesis.time
/** How long the chain is in time in the tests below: 500,000 spacings of ten minutes. */
const AGE = 300_000_000

/** A second of a sync that takes so many headers, ten minutes from one to the next. */
const second = (height: number, count = 2000): ReadonlyArray<NodeFact> =>
  batch(count, height, 0, GENESIS + 600 * height)

const atTheAge = TestClock.setTime((GENESIS + AGE) * 1000)

describe("the progress of a sync that is far behind", () => {
  it.effect("says up to which day the chain goes, and which share of the time since genesis that is", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* atTheAge
      yield* tell([ready, ...second(5000)], 1000)
      expect(lines).toEqual([
        `Headers: height 5,000 of 10,000, up to 2009-02-07 (~1 % of the time) from 192.0.2.1:8333, tip ${HASH}.`
      ])
      yield* tell(second(251_000), 1000)
      expect(lines[1]).toMatch(/^Headers: height 251,000, up to 2013-10-12 \(~50 % of the time\), /)
    })
  )

  it.effect("says how long the rest takes, once that can be told, and no more when it is nearly there", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* atTheAge
      yield* tell([ready])
      for (let i = 1; i <= 250; i++) yield* tell(second(2000 * i), 1000)
      expect(lines).toHaveLength(250)
      const told = lines.map((line) => /, ([^,]+ left), tip/.exec(line)?.[1])
      expect(told.slice(0, 5)).toEqual([undefined, undefined, undefined, undefined, undefined])
      expect([5, 20, 100, 150, 200, 220, 240, 246].map((i) => told[i])).toEqual([
        "about 4 minutes left",
        "about 4 minutes left",
        "about 2 minutes left",
        "about 2 minutes left",
        "about 50 seconds left",
        "about 30 seconds left",
        "a few seconds left",
        "a few seconds left"
      ])
      expect(lines[6]).toMatch(/, 2,000 headers\/s from 192\.0\.2\.1:8333, about 4 minutes left, tip [0-9a-f]{64}\.$/)
      // The tip is a day old and less.
      expect(lines[249]).toBe(`Headers: height 500,000, 2,000 headers/s from 192.0.2.1:8333, tip ${HASH}.`)
    })
  )

  it.effect("follows a pace that changes within half a minute, and forgets it after a pause", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* atTheAge
      let height = 0
      for (let i = 0; i < 40; i++) yield* tell(second((height += 2000)), 1000)
      expect(lines.at(-1)).toContain("about 4 minutes left")
      for (let i = 0; i < 40; i++) yield* tell(second((height += 20), 20), 1000)
      expect(lines.at(-1)).toContain("about 6 hours left")
      yield* tell([], 60_000)
      for (let i = 0; i < 6; i++) yield* tell(second((height += 1000), 1000), 1000)
      expect(lines.at(-6)).not.toContain("left")
      expect(lines.at(-1)).toContain("about 7 minutes left")
    })
  )

  it.effect("says nothing of time on a network where it says nothing", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watchOn(regtest)
      yield* atTheAge
      for (let i = 1; i <= 8; i++) yield* tell([ready, ...second(1000 * i)], 1000)
      expect(lines.at(-1)).toBe(
        `Headers: height 8,000 of 10,000 (80 %), 2,000 headers/s from 192.0.2.1:8333, tip ${HASH}.`
      )
    })
  )
})

describe("the progress of a chain that has yet to show its work", () => {
  const looked = (phase: "presync" | "redownload", height: number, by = peer): NodeFact => ({
    _tag: "Presynced",
    peer: by,
    phase,
    height
  })
  const claims: NodeFact = { ...ready, info: { ...somePeer, startHeight: 400_000 } }

  it.effect("is told both times that it is fetched, with all that is left", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* atTheAge
      yield* tell([claims])
      for (let i = 1; i <= 20; i++) yield* tell([looked("presync", 2000 * i)], 500)
      expect(lines).toHaveLength(11)
      const checking = "Headers: checking the work of the chain of 192.0.2.1:8333: height"
      expect(lines[0]).toBe(`${checking} 2,000 of 400,000 (~0 %).`)
      expect(lines[10]).toBe(`${checking} 40,000 of 400,000 (~10 %), 4,000 headers/s, about 3 minutes left.`)
      yield* tell([looked("redownload", 2000)], 1000)
      for (let i = 2; i <= 6; i++) yield* tell([looked("redownload", 2000 * i)], 1000)
      const fetching = "Headers: fetching the chain of 192.0.2.1:8333 again, to keep it: height"
      expect(lines[11]).toBe(`${fetching} 2,000 of 400,000 (~0 %).`)
      expect(lines[16]).toBe(`${fetching} 12,000 of 400,000 (~3 %), 2,000 headers/s, about 3 minutes left.`)
      // What is kept of it is told of from then on.
      yield* tell([looked("redownload", 14_000), ...second(1000)], 1000)
      expect(lines).toHaveLength(18)
      expect(lines[17]).toMatch(/^Headers: height 1,000 of 400,000, up to 2009-01-10 \(~0 % of the time\), /)
    })
  )

  it.effect("is reckoned by time where its peer has named no height beyond it", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* atTheAge
      yield* tell([{ ...ready, info: { ...somePeer, startHeight: 0 } }, looked("presync", 60_000)])
      expect(lines[0]).toBe("Headers: checking the work of the chain of 192.0.2.1:8333: height 60,000 (~12 %).")
    })
  )

  it.effect("is told of whoever is furthest, until that one has left", () =>
    Effect.gen(function* () {
      const { lines, tell } = yield* watch
      yield* atTheAge
      const other = PeerId(8)
      yield* tell([claims, looked("presync", 20_000), looked("presync", 2000, other)], 1000)
      yield* tell([looked("presync", 4000, other)], 1000)
      const gone: NodeFact = {
        _tag: "PeerDisconnecting",
        peer,
        address: "192.0.2.1:8333",
        reason: { _tag: "PingTimeout" },
        cost: "disconnect",
        retryAsV1: false
      }
      yield* tell([gone, looked("presync", 6000, other)], 1000)
      expect(lines.map((line) => /chain of (.*): height ([\d,]+)/.exec(line)?.slice(1))).toEqual([
        ["192.0.2.1:8333", "20,000"],
        ["peer 8", "6,000"]
      ])
    })
  )
})
