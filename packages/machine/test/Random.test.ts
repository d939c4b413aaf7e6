import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AssertionError, type Random, assert, exponentialMs, shuffle } from "../src/index.ts"

/** Draws from a list, over and over: the machine's own tests need no generator. */
const drawing = (units: ReadonlyArray<number>): Random => {
  let drawn = 0
  const unit = (): number => units[drawn++ % units.length] ?? 0
  const random: Random = {
    u32: () => Math.floor(unit() * 2 ** 32),
    u64: () => BigInt(Math.floor(unit() * 2 ** 53)),
    below: (bound) => Math.floor(unit() * bound),
    unit,
    bytes: (length) => Uint8Array.from({ length }, () => random.below(256)),
    fork: () => random
  }
  return random
}

const units = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 })

describe("an exponential delay", () => {
  it("is finite and never negative, whatever is drawn", () => {
    fc.assert(
      fc.property(units, fc.nat(1e9), (drawn, mean) => {
        const delay = exponentialMs(drawing(drawn), mean)
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(Number.isFinite(delay)).toBe(true)
      })
    )
  })

  it("has its mean and its median", () => {
    const even = Array.from({ length: 10_000 }, (_, i) => (i + 0.5) / 10_000)
    const random = drawing(even)
    const delays = even.map(() => exponentialMs(random, 1000)).toSorted((a, b) => a - b)
    expect(delays.reduce((sum, delay) => sum + delay, 0) / delays.length).toBeCloseTo(1000, -1)
    expect(delays[5000]).toBeCloseTo(1000 * Math.LN2, 0)
  })
})

describe("a shuffle", () => {
  it("keeps every item, in place", () => {
    fc.assert(
      fc.property(units, fc.array(fc.integer()), (drawn, items) => {
        const shuffled = [...items]
        expect(shuffle(drawing(drawn), shuffled)).toBe(shuffled)
        expect(shuffled.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b))
      })
    )
  })

  it("reaches each order of three items from one draw each", () => {
    const orders = new Set<string>()
    for (const first of [0, 0.4, 0.7]) {
      for (const second of [0, 0.6]) orders.add(shuffle(drawing([first, second]), ["a", "b", "c"]).join(""))
    }
    expect(orders.size).toBe(6)
  })
})

describe("an assertion", () => {
  it("throws where our own rule is broken, and says which", () => {
    expect(() => assert(true, "one is one")).not.toThrow()
    expect(() => assert(false, "a peer is known")).toThrow(new AssertionError("a peer is known"))
  })
})
