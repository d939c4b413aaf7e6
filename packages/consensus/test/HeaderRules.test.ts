import { type ChainParams, mainnet, regtest, retargetPeriod, testnet4 } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import {
  type HeaderFault,
  MAX_FUTURE_BLOCK_TIME,
  MAX_TIMEWARP,
  headerFault,
  minimumVersion,
  nextBits
} from "../src/index.ts"
import { ListView } from "./ListView.ts"

const BITS = 0x1d00ffff
const NOW = 1_700_000_000

/** Eleven headers a second apart, on a network whose periods are of twelve. */
const chain = (params: ChainParams): ListView => {
  const view = new ListView(retargetPeriod(params))
  for (let i = 0; i < 11; i++) view.add({ time: NOW + i, bits: BITS })
  return view
}

const params: ChainParams = { ...mainnet, powTargetTimespan: 12 * 600, bip34Height: 5, bip65Height: 11, bip66Height: 9 }
const good = { version: 4, time: NOW + 6, bits: BITS }
const faultOf = (header: Partial<typeof good>, unix = NOW, rules = params): HeaderFault | undefined =>
  headerFault(rules, chain(rules), 10, { ...good, ...header }, unix)

describe("a header that follows another", () => {
  it("breaks no rule when it is good", () => {
    expect(faultOf({})).toBeUndefined()
  })

  it("breaks bad-diffbits with any target but the one that is due, harder ones too", () => {
    expect(faultOf({ bits: BITS - 1 })).toBe("bad-diffbits")
    expect(faultOf({ bits: 0x1c00ffff })).toBe("bad-diffbits")
  })

  it("breaks time-too-old at the median time past, not a second after it", () => {
    expect(faultOf({ time: NOW + 5 })).toBe("time-too-old")
    expect(faultOf({ time: 0 })).toBe("time-too-old")
    expect(faultOf({ time: NOW + 6 })).toBeUndefined()
  })

  it("breaks time-too-new more than two hours ahead of our clock", () => {
    const unix = NOW - 1000
    expect(faultOf({ time: unix + MAX_FUTURE_BLOCK_TIME }, unix)).toBeUndefined()
    expect(faultOf({ time: unix + MAX_FUTURE_BLOCK_TIME + 1 }, unix)).toBe("time-too-new")
    expect(faultOf({ time: 0xffffffff }, Infinity)).toBeUndefined()
  })

  it("breaks bad-version with a version that its height retired; versions are signed", () => {
    expect(faultOf({ version: 3 })).toBe("bad-version")
    expect(faultOf({ version: -1 })).toBe("bad-version")
    expect(faultOf({ version: 0x7fffffff })).toBeUndefined()
  })

  it("is told the first rule that it breaks in the order of Core", () => {
    const all = { bits: 1, time: 0, version: 0 }
    expect(faultOf(all)).toBe("bad-diffbits")
    expect(faultOf({ ...all, bits: BITS })).toBe("time-too-old")
    expect(faultOf({ time: NOW + 9999, version: 0 }, NOW)).toBe("time-too-new")
  })
})

describe("BIP-0094's limit on time warps", () => {
  const bip94: ChainParams = { ...testnet4, powTargetTimespan: 12 * 600 }
  const first = (time: number, rules: ChainParams): HeaderFault | undefined => {
    const view = chain(rules)
    const parent = view.add({ time: NOW + 5000, bits: BITS })
    const header = { version: 4, time, bits: nextBits(rules, view, parent, time) }
    return headerFault(rules, view, parent, header, Infinity)
  }

  it("refuses the first header of a period more than ten minutes before its parent", () => {
    expect(first(NOW + 5000 - MAX_TIMEWARP, bip94)).toBeUndefined()
    expect(first(NOW + 5000 - MAX_TIMEWARP - 1, bip94)).toBe("time-timewarp-attack")
  })

  it("holds only where the network enforces it", () => {
    expect(first(NOW + 5000 - MAX_TIMEWARP - 1, { ...bip94, enforceBip94: false })).toBeUndefined()
  })

  it("holds only for the first header of a period", () => {
    const longer: ChainParams = { ...bip94, powTargetTimespan: 24 * 600 }
    expect(first(NOW + 5000 - MAX_TIMEWARP - 1, longer)).toBeUndefined()
  })
})

describe("the least version of a height", () => {
  it("is that of mainnet's history", () => {
    const at = (height: number): number => minimumVersion(mainnet, height)
    expect([0, 227_930].map(at)).toEqual([-0x80000000, -0x80000000])
    expect([227_931, 363_724].map(at)).toEqual([2, 2])
    expect([363_725, 388_380].map(at)).toEqual([3, 3])
    expect([388_381, 1_000_000].map(at)).toEqual([4, 4])
  })

  it("follows each BIP's own height, in whatever order a network has them", () => {
    const late34 = { ...regtest, bip34Height: 100, bip66Height: 10, bip65Height: 20 }
    expect([0, 10, 20, 100].map((height) => minimumVersion(late34, height))).toEqual([-0x80000000, 3, 4, 4])
  })
})
