import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type ChainView, MEDIAN_TIME_SPAN, TimeWindow, medianTimePast } from "../src/index.ts"
import { ListView } from "./ListView.ts"

const chainOf = (times: ReadonlyArray<number>, rootHeight = 0): ListView => {
  const view = new ListView(2016, [], rootHeight)
  for (const time of times) view.add({ time })
  return view
}

const naiveMedian = (times: ReadonlyArray<number>): number => {
  const sorted = times.slice(-MEDIAN_TIME_SPAN).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

const times = fc.array(fc.oneof(fc.nat(40), fc.nat(0xffffffff)), { minLength: 1, maxLength: 25 })

describe("median time past", () => {
  it("is a header's own time at genesis and the later of two at height 1, as mainnet's first blocks have it", () => {
    const view = chainOf([1_231_006_505, 1_231_469_665, 1_231_469_744])
    expect([0, 1, 2].map((header) => medianTimePast(view, header))).toEqual([
      1_231_006_505, 1_231_469_665, 1_231_469_665
    ])
  })

  it("is the middle one of the last eleven times in order of time, not of height", () => {
    expect(medianTimePast(chainOf([9999, 11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6]), 11)).toBe(6)
  })

  it("agrees with sorting on any chain", () => {
    fc.assert(
      fc.property(times, (chain) => {
        expect(medianTimePast(chainOf(chain), chain.length - 1)).toBe(naiveMedian(chain))
      })
    )
  })

  it("is not known in a tree from mid-chain until eleven times are", () => {
    const byHeader = chainOf([...Array(12).keys()], 500)
    expect([8, 9, 10, 11].map((header) => medianTimePast(byHeader, header))).toEqual([undefined, undefined, 5, 6])
    const byHash = chainOf([-1, ...Array(12).keys()], 500)
    expect([9, 10, 11].map((header) => medianTimePast(byHash, header))).toEqual([undefined, undefined, 5])
  })
})

const windowAt = (view: ChainView, header: number): TimeWindow => {
  const window = new TimeWindow()
  window.begin(view, header)
  return window
}

describe("whether a time is later than the median time past", () => {
  it("agrees with the median on any chain and for any time", () => {
    fc.assert(
      fc.property(times, fc.oneof(fc.nat(45), fc.nat(0xffffffff)), fc.nat(), (chain, time, begun) => {
        // Looked up at its end, or looked up somewhere before it and carried along.
        const from = begun % chain.length
        for (const begin of [chain.length - 1, from]) {
          const window = windowAt(chainOf(chain), begin)
          for (const later of chain.slice(begin + 1)) window.push(later)
          expect(window.isBefore(time)).toBe(time > naiveMedian(chain))
        }
      }),
      { numRuns: 500 }
    )
  })

  it("is taken for granted where the median is not known, and only there", () => {
    const later = [...Array(12).keys()].map((i) => 1000 + i)
    const view = chainOf([-1, ...later], 500)
    for (let header = 0; header <= 10; header++) expect(windowAt(view, header).isBefore(1)).toBe(true)
    expect(windowAt(view, 11).isBefore(1)).toBe(false)
    const carried = windowAt(view, 0)
    for (const [i, time] of later.entries()) {
      expect(carried.isBefore(1)).toBe(i < 11)
      carried.push(time)
    }
    const byHeader = chainOf(later, 500)
    expect(windowAt(byHeader, 9).isBefore(1)).toBe(true)
    expect(windowAt(byHeader, 10).isBefore(1)).toBe(false)
  })
})
