import {
  type ChainParams,
  bitsFromTarget,
  mainnet,
  networks,
  regtest,
  retargetPeriod,
  targetFromBits,
  testnet3,
  testnet4
} from "@satwire/primitives"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nextBits, retargetedBits } from "../src/index.ts"
import { ListView } from "./ListView.ts"

const EASIEST = 0x1d00ffff

describe("a retarget", () => {
  // Bitcoin Core's src/test/pow_tests.cpp: heights and times of mainnet.
  it.each([
    ["follows the time that a period took", 0x1d00ffff, 1_261_130_161, 1_262_152_739, 0x1d00d86a],
    ["stops at the easiest target of the network", 0x1d00ffff, 1_231_006_505, 1_233_061_996, 0x1d00ffff],
    ["makes the target at most four times as hard", 0x1c05a3f4, 1_279_008_237, 1_279_297_671, 0x1c0168fd],
    ["makes the target at most four times as easy", 0x1c387f6f, 1_263_163_443, 1_269_211_443, 0x1d00e1fd]
  ])("%s", (_, bits, firstTime, lastTime, expected) => {
    expect(retargetedBits(mainnet, bits, lastTime - firstTime)).toBe(expected)
  })

  it("takes a period that went back in time for one of a quarter of the timespan", () => {
    const quarter = retargetedBits(mainnet, 0x1c05a3f4, mainnet.powTargetTimespan / 4)
    expect(retargetedBits(mainnet, 0x1c05a3f4, -5_000_000)).toBe(quarter)
  })

  it("never leaves a quarter and four times of the target before, and never the network's limit", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n << 180n, max: mainnet.powLimit }),
        fc.integer({ min: -(2 ** 31), max: 2 ** 32 }),
        (wanted, took) => {
          const before = targetFromBits(bitsFromTarget(wanted)) as bigint
          const after = targetFromBits(retargetedBits(mainnet, bitsFromTarget(wanted), took)) as bigint
          expect(after <= before * 4n && after <= mainnet.powLimit).toBe(true)
          // Compact targets are rounded down, by less than one part in 2^15.
          expect(after >= before / 4n - before / 2n ** 17n).toBe(true)
        }
      )
    )
  })

  it("never multiplies beyond 256 bits on any network that retargets, so that Core's words do not wrap", () => {
    for (const params of Object.values(networks).filter(({ powNoRetargeting }) => !powNoRetargeting)) {
      expect(params.powLimit * BigInt(4 * params.powTargetTimespan) < 2n ** 256n).toBe(true)
      expect(params.powTargetTimespan % params.powTargetSpacing).toBe(0)
    }
  })
})

/** A chain of `bits` from genesis on, ten minutes apart. */
const chainOf = (params: ChainParams, bits: ReadonlyArray<number>): ListView => {
  const view = new ListView(retargetPeriod(params))
  bits.forEach((value, i) => view.add({ bits: value, time: 600 * i }))
  return view
}

/** A network like `params` whose targets change every `period` headers. */
const withPeriod = (params: ChainParams, period: number): ChainParams => ({
  ...params,
  powTargetTimespan: period * params.powTargetSpacing
})

describe("the target of the next header", () => {
  it("stays within a period and changes at the period's end", () => {
    const params = withPeriod(mainnet, 4)
    const view = chainOf(params, [0x1c05a3f4, 0x1c05a3f4, 0x1c05a3f4, 0x1c05a3f4])
    expect([0, 1, 2].map((parent) => nextBits(params, view, parent, 10 ** 9))).toEqual(Array(3).fill(0x1c05a3f4))
    // Three spacings of four.
    expect(nextBits(params, view, 3, 10 ** 9)).toBe(retargetedBits(params, 0x1c05a3f4, 1800))
    expect(nextBits(params, view, 3, 10 ** 9)).not.toBe(0x1c05a3f4)
  })

  it("never changes on regtest", () => {
    const params = withPeriod(regtest, 2)
    const view = chainOf(params, Array(5).fill(0x207fffff))
    for (let parent = 0; parent < 5; parent++) expect(nextBits(params, view, parent, 600 * parent)).toBe(0x207fffff)
  })
})

describe("the 20-minute rule of the testnets", () => {
  const params = withPeriod(testnet3, 8)
  const real = 0x1c05a3f4
  const view = chainOf(params, [real, real, EASIEST, EASIEST])

  it("gives the easiest target to a header that comes more than 20 minutes after its parent, not to one of exactly 20", () => {
    expect(nextBits(params, view, 3, view.time(3) + 1201)).toBe(EASIEST)
    expect(nextBits(params, view, 3, view.time(3) + 1200)).toBe(real)
  })

  it("returns to the last target that was no exception, however many exceptions stand between", () => {
    expect(nextBits(params, view, 1, 0)).toBe(real)
    expect(nextBits(params, view, 2, 0)).toBe(real)
    expect(nextBits(params, view, 3, 0)).toBe(real)
  })

  it("has no say at the end of a period, whose retarget takes an exception for the target (testnet3's resets)", () => {
    const full = chainOf(params, [real, real, real, real, real, real, real, EASIEST])
    expect(nextBits(params, full, 7, full.time(7) + 10 ** 6)).toBe(retargetedBits(params, EASIEST, 7 * 600))
  })

  it("is kept from the retarget by BIP-0094, which takes the target of the period's first header", () => {
    const bip94 = withPeriod(testnet4, 8)
    const full = chainOf(bip94, [real, real, real, real, real, real, real, EASIEST])
    expect(nextBits(bip94, full, 7, full.time(7) + 10 ** 6)).toBe(retargetedBits(bip94, real, 7 * 600))
  })

  it("agrees on every chain with a walk back over the exceptions, as Core does it", () => {
    const walk = (chain: ListView, parent: number): number => {
      let at = parent
      while (chain.parent(at) >= 0 && chain.height(at) % 8 !== 0 && chain.bits(at) === EASIEST) at = chain.parent(at)
      return chain.bits(at)
    }
    const gaps = fc.array(fc.constantFrom(1, 600, 1200, 1201, 5000), { minLength: 20, maxLength: 40 })
    fc.assert(
      fc.property(gaps, fc.boolean(), (between, enforceBip94) => {
        const rules = { ...params, enforceBip94 }
        const chain = new ListView(8)
        chain.add({ bits: real, time: 0 })
        for (const gap of between) {
          const parent = chain.headers.length - 1
          const time = chain.time(parent) + gap
          const bits = nextBits(rules, chain, parent, time)
          if ((parent + 1) % 8 !== 0) expect(bits).toBe(gap > 1200 ? EASIEST : walk(chain, parent))
          chain.add({ bits, time })
        }
      })
    )
  })
})
