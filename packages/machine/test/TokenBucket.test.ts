import { TokenBucket } from "@satwire/machine"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const PER_MS = 0.0001
const RATE = { perSecond: 0.1, burst: 1000 }

describe("a bucket", () => {
  it("has as many as time has filled, up to a burst, and what was added above it", () => {
    const step = fc.oneof(
      fc.record({ _tag: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 20_000_000 }) }),
      fc.record({ _tag: fc.constant("take" as const), times: fc.integer({ min: 1, max: 1500 }) }),
      fc.record({ _tag: fc.constant("add" as const) })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const bucket = new TokenBucket(RATE, 0, 1)
        let [now, tokens] = [0, 1]
        for (const one of steps) {
          if (one._tag === "wait") {
            now += one.ms
            expect(bucket.has(0, now)).toBe(true)
            tokens = tokens >= RATE.burst ? tokens : Math.min(RATE.burst, tokens + one.ms * PER_MS)
          } else if (one._tag === "add") {
            bucket.add(1000)
            tokens += 1000
          } else {
            let taken = 0
            for (let i = 0; i < one.times; i++) if (bucket.take(1, now)) taken++
            const expected = Math.min(one.times, Math.floor(tokens))
            // A sum of fractions may be a hair beside a whole number.
            expect(Math.abs(taken - expected)).toBeLessThanOrEqual(Math.abs(tokens - Math.round(tokens)) < 1e-6 ? 1 : 0)
            tokens -= taken
          }
        }
      })
    )
  })
  it("gives a burst at once, then so much a second, and lets debts be paid first", () => {
    const bucket = new TokenBucket({ perSecond: 100, burst: 50 }, 1000)
    expect(bucket.take(51, 1000)).toBe(false)
    expect(bucket.spend(80, 1000)).toBe(-30)
    expect(bucket.tokens(1300)).toBe(0)
    expect(bucket.tokens(10_000)).toBe(50)
    expect(bucket.take(50, 10_000)).toBe(true)
    expect(bucket.take(1, 10_000)).toBe(false)
  })
})
