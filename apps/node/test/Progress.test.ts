import { describe, expect, it } from "@effect/vitest"
import { PeerId } from "@satwire/machine"
import type { NodeFact } from "@satwire/node"
import { Height, blockHashFromHex } from "@satwire/primitives"
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
const batch = (count: number, height: number, removed = 0): ReadonlyArray<NodeFact> => [
  { _tag: "HeadersAccepted", count, from: peer },
  {
    _tag: "TipChanged",
    tip: { height: Height(height), hash, time: 0 },
    forkHeight: height - count,
    removed,
    added: count,
    from: peer
  }
]

/** Progress that is told of facts, and the lines that it has written. */
const watch = Effect.gen(function* () {
  const progress = new Progress()
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
      expect(lines[1]).toBe(
        `Headers: height 10,001 from 192.0.2.1:8333, 1 header replaced by a chain with more work, tip ${HASH}.`
      )
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
