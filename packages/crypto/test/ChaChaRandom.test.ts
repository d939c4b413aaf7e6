import { toHex } from "@satwire/bytes"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ChaChaRandom } from "../src/index.ts"

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })

type Draw = (random: ChaChaRandom) => unknown

const draws = fc.array(
  fc.oneof(
    fc.constant<Draw>((random) => random.u32()),
    fc.constant<Draw>((random) => random.u64()),
    fc.constant<Draw>((random) => random.unit()),
    fc.integer({ min: 1, max: 2 ** 32 }).map(
      (bound): Draw =>
        (random) =>
          random.below(bound)
    ),
    fc.nat(3000).map(
      (length): Draw =>
        (random) =>
          random.bytes(length)
    ),
    fc.constant<Draw>((random) => random.fork().u32())
  ),
  { maxLength: 30 }
)

describe("the ChaCha20 generator", () => {
  it("begins with the keystream of RFC 8439, appendix A.1, vectors 1 and 2", () => {
    const random = ChaChaRandom.fromNumber(0)
    expect(toHex(random.bytes(64))).toBe(
      "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
    )
    expect(toHex(random.bytes(64))).toBe(
      "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed" +
        "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"
    )
  })

  it("draws the same from the same seed, whatever is drawn", () => {
    fc.assert(
      fc.property(seeds, draws, (seed, run) => {
        const first = new ChaChaRandom(seed)
        const second = new ChaChaRandom(seed)
        expect(run.map((draw) => draw(first))).toEqual(run.map((draw) => draw(second)))
      })
    )
  })

  it("keeps its seed when the caller's array changes", () => {
    const seed = new Uint8Array(32)
    const random = new ChaChaRandom(seed)
    seed.fill(9)
    expect(random.u64()).toBe(ChaChaRandom.fromNumber(0).u64())
  })

  it("draws differently from different numbers, also beyond 2^32 and between integers", () => {
    const drawn = [0, 1, 2, 0.5, 2 ** 32, 2 ** 32 + 1, 2 ** 53].map((seed) => ChaChaRandom.fromNumber(seed).u64())
    expect(new Set(drawn).size).toBe(drawn.length)
  })

  it("goes on without repeating where its buffer ends", () => {
    const random = ChaChaRandom.fromNumber(7)
    const seen = new Set(Array.from({ length: 2000 }, () => random.u64()))
    expect(seen.size).toBe(2000)
  })

  it("lets a fork draw without a trace in its own sequence", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(500), (seed, drawnByFork) => {
        const one = ChaChaRandom.fromNumber(seed)
        const other = ChaChaRandom.fromNumber(seed)
        const fork = one.fork()
        other.fork()
        for (let i = 0; i < drawnByFork; i++) fork.u32()
        expect(one.bytes(100)).toEqual(other.bytes(100))
        expect(fork.bytes(100)).not.toEqual(one.bytes(100))
      })
    )
  })

  it("refuses a seed that has not 32 bytes, and a bound outside 1 .. 2^32", () => {
    expect(() => new ChaChaRandom(new Uint8Array(31))).toThrow(RangeError)
    for (const bound of [0, -1, 2 ** 32 + 1, Number.NaN]) {
      expect(() => ChaChaRandom.fromNumber(1).below(bound)).toThrow(RangeError)
    }
  })
})

describe("a draw below a bound", () => {
  it("lies in [0, bound), at any bound", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const random = ChaChaRandom.fromNumber(seed)
        for (let i = 0; i < 20; i++) {
          const drawn = random.below(bound)
          expect(Number.isInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true)
        }
      })
    )
    expect(ChaChaRandom.fromNumber(3).below(1)).toBe(0)
  })

  /** The sum of squared deviations over the expectation: about `cells` where every cell is as likely as the others. */
  const chiSquared = (counts: ReadonlyArray<number>, expected: number): number =>
    counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)

  it("favours none: the counts of 3, 10 and 1000 cells stay within five deviations of even", () => {
    const random = ChaChaRandom.fromNumber(11)
    for (const cells of [3, 10, 1000]) {
      const counts = new Array<number>(cells).fill(0)
      const total = 300 * cells
      for (let i = 0; i < total; i++) {
        const drawn = random.below(cells)
        counts[drawn] = (counts[drawn] ?? 0) + 1
      }
      const spread = Math.sqrt(2 * (cells - 1))
      expect(chiSquared(counts, 300)).toBeLessThan(cells - 1 + 5 * spread)
      expect(chiSquared(counts, 300)).toBeGreaterThan(cells - 1 - 5 * spread)
    }
  })

  it("favours none at a bound where taking the remainder would: 3/4 of 2^32", () => {
    // The remainder alone would give the lowest third twice as often as the others.
    const bound = 3 * 2 ** 30
    const random = ChaChaRandom.fromNumber(12)
    let lowest = 0
    for (let i = 0; i < 3000; i++) if (random.below(bound) < bound / 3) lowest += 1
    expect(lowest).toBeGreaterThan(1000 - 5 * 26)
    expect(lowest).toBeLessThan(1000 + 5 * 26)
  })
})

describe("a unit draw", () => {
  it("lies in [0, 1) and has its mean and 53 bits", () => {
    const random = ChaChaRandom.fromNumber(13)
    let sum = 0
    let fine = 0
    for (let i = 0; i < 4000; i++) {
      const drawn = random.unit()
      expect(drawn >= 0 && drawn < 1).toBe(true)
      sum += drawn
      if ((drawn * 2 ** 53) % 2 === 1) fine += 1
    }
    expect(sum / 4000).toBeCloseTo(0.5, 1)
    expect(fine).toBeGreaterThan(1800)
    expect(fine).toBeLessThan(2200)
  })
})
