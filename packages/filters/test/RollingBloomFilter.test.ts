import { ChaChaRandom } from "@satwire/crypto"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RollingBloomFilter, murmur3 } from "../src/index.ts"

const numbered = (n: number): Uint8Array => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)
const filterOf = (elements: number, rate: number, seed = 1): RollingBloomFilter =>
  new RollingBloomFilter(elements, rate, ChaChaRandom.fromNumber(seed))

describe("a rolling bloom filter", () => {
  it("has each of its last elements, however many came before", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(300), fc.nat(1000), (elements, count, seed) => {
        const filter = filterOf(elements, 0.01, seed)
        for (let n = 0; n < count; n++) filter.insert(numbered(n))
        for (let n = Math.max(0, count - elements); n < count; n++) expect(filter.contains(numbered(n))).toBe(true)
      })
    )
  })

  it("has forgotten what came before the last one and a half times as many, but for mistakes", () => {
    const filter = filterOf(1000, 1e-3)
    for (let n = 0; n < 20_000; n++) filter.insert(numbered(n))
    let found = 0
    for (let n = 0; n < 18_500; n++) if (filter.contains(numbered(n))) found += 1
    expect(found / 18_500).toBeLessThan(2e-3)
  })

  it("errs about as often as it was made for when it is full, and less before", () => {
    const filter = filterOf(1000, 0.01)
    const rate = (): number => {
      let found = 0
      for (let n = 1_000_000; n < 1_050_000; n++) if (filter.contains(numbered(n))) found += 1
      return found / 50_000
    }
    for (let n = 0; n < 500; n++) filter.insert(numbered(n))
    expect(rate()).toBeLessThan(0.001)
    for (let n = 500; n < 1500; n++) filter.insert(numbered(n))
    expect(rate()).toBeGreaterThan(0.004)
    expect(rate()).toBeLessThan(0.014)
  })

  it("takes no memory before its first element, and gives it back when it is reset", () => {
    const filter = filterOf(50_000, 1e-6)
    expect(filter.contains(numbered(1))).toBe(false)
    expect(filter.sizeBytes).toBe(0)
    filter.insert(numbered(1))
    // As much as Core's: 2 bits for each of 20 · 75,000 / -ln(1 - 10^(-6/20)) positions.
    expect(filter.sizeBytes).toBe(16 * Math.ceil(Math.ceil((20 * 75_000) / -Math.log(1 - 10 ** (-6 / 20))) / 64))
    filter.reset()
    expect([filter.sizeBytes, filter.contains(numbered(1))]).toEqual([0, false])
  })

  it("errs on other elements under another seed, so that nobody can aim at it", () => {
    const mistakes = (seed: number): ReadonlyArray<number> => {
      const filter = filterOf(100, 0.05, seed)
      for (let n = 0; n < 150; n++) filter.insert(numbered(n))
      return Array.from({ length: 5000 }, (_, n) => n + 1000).filter((n) => filter.contains(numbered(n)))
    }
    expect(mistakes(1)).toEqual(mistakes(1))
    expect(mistakes(1)).not.toEqual(mistakes(2))
  })

  it("errs on other elements after a reset", () => {
    const filter = filterOf(10, 0.2)
    const mistakes = (): ReadonlyArray<number> => {
      for (let n = 0; n < 15; n++) filter.insert(numbered(n))
      return Array.from({ length: 500 }, (_, n) => n + 1000).filter((n) => filter.contains(numbered(n)))
    }
    const before = mistakes()
    filter.reset()
    expect(mistakes()).not.toEqual(before)
  })
})

/** Core's `CRollingBloomFilter` step by step, its bits as `bigint`s of 64. */
class Naive {
  readonly data: Array<bigint>
  readonly hashes: number
  readonly perGeneration: number
  readonly tweak: number
  generation = 1
  entries = 0

  constructor(elements: number, rate: number, tweak: number) {
    const log = Math.log(rate)
    this.hashes = Math.max(1, Math.min(Math.round(log / Math.log(0.5)), 50))
    this.perGeneration = Math.floor((elements + 1) / 2)
    const bits = Math.ceil((-1 * this.hashes * 3 * this.perGeneration) / Math.log(1 - Math.exp(log / this.hashes)))
    this.data = Array.from({ length: 2 * Math.ceil(bits / 64) }, () => 0n)
    this.tweak = tweak
  }

  places(key: Uint8Array): ReadonlyArray<readonly [position: number, bit: bigint]> {
    return Array.from({ length: this.hashes }, (_, n) => {
      const hash = murmur3(Number((BigInt(n) * 0xfba4c795n + BigInt(this.tweak)) & 0xffffffffn), key)
      return [Number((BigInt(hash) * BigInt(this.data.length)) >> 32n), BigInt(hash & 63)] as const
    })
  }

  insert(key: Uint8Array): void {
    if (this.entries === this.perGeneration) {
      this.entries = 0
      this.generation = (this.generation % 3) + 1
      const all = (1n << 64n) - 1n
      const first = this.generation & 1 ? all : 0n
      const second = this.generation >> 1 ? all : 0n
      for (let p = 0; p < this.data.length; p += 2) {
        const [one = 0n, two = 0n] = this.data.slice(p, p + 2)
        const mask = (one ^ first) | (two ^ second)
        this.data[p] = one & mask
        this.data[p + 1] = two & mask
      }
    }
    this.entries += 1
    for (const [position, bit] of this.places(key)) {
      const even = position & ~1
      this.data[even] = ((this.data[even] ?? 0n) & ~(1n << bit)) | (BigInt(this.generation & 1) << bit)
      this.data[even + 1] = ((this.data[even + 1] ?? 0n) & ~(1n << bit)) | (BigInt(this.generation >> 1) << bit)
    }
  }

  contains(key: Uint8Array): boolean {
    return this.places(key).every(([position, bit]) => {
      const even = position & ~1
      return ((((this.data[even] ?? 0n) | (this.data[even + 1] ?? 0n)) >> bit) & 1n) === 1n
    })
  }
}

describe("beside a naive model of Core's", () => {
  it("gives the same answers, mistakes and all, at every step", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.constantFrom(0.5, 0.1, 0.001), fc.nat(99), (size, rate, seed) => {
        const ours = filterOf(size, rate, seed)
        const naive = new Naive(size, rate, ChaChaRandom.fromNumber(seed).u32())
        for (let n = 0; n < 120; n++) {
          ours.insert(numbered(n))
          naive.insert(numbered(n))
          for (let k = 0; k < 150; k += 7) expect(ours.contains(numbered(k))).toBe(naive.contains(numbered(k)))
        }
      }),
      { numRuns: 20 }
    )
  })
})
