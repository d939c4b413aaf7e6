import { Instant } from "@satwire/machine"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_ADDR_PROCESSING_TOKEN_BUCKET, TokenBucket } from "../src/TokenBucket.ts"

const PER_MS = 0.0001

describe("the tokens of a peer", () => {
  it("are as many as its silence has filled, up to a thousand, and what was granted above it", () => {
    const step = fc.oneof(
      fc.record({ _tag: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 20_000_000 }) }),
      fc.record({ _tag: fc.constant("take" as const), times: fc.integer({ min: 1, max: 1500 }) }),
      fc.record({ _tag: fc.constant("add" as const) })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const bucket = new TokenBucket(Instant(0))
        let [now, tokens] = [0, 1]
        for (const one of steps) {
          if (one._tag === "wait") {
            now += one.ms
            bucket.fill(Instant(now))
            const cap = MAX_ADDR_PROCESSING_TOKEN_BUCKET
            tokens = tokens >= cap ? tokens : Math.min(cap, tokens + one.ms * PER_MS)
          } else if (one._tag === "add") {
            bucket.add(1000)
            tokens += 1000
          } else {
            let taken = 0
            for (let i = 0; i < one.times; i++) if (bucket.take()) taken++
            const expected = Math.min(one.times, Math.floor(tokens))
            // A sum of fractions may be a hair beside a whole number.
            expect(Math.abs(taken - expected)).toBeLessThanOrEqual(Math.abs(tokens - Math.round(tokens)) < 1e-6 ? 1 : 0)
            tokens -= taken
          }
        }
      })
    )
  })
})
