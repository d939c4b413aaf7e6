import { ChaChaRandom } from "@satwire/crypto"
import { describe, expect, it } from "vitest"
import {
  AVG_FEEFILTER_BROADCAST_INTERVAL_MS,
  DEFAULT_MIN_RELAY_TX_FEE,
  FeeFilterRounder,
  MAX_FEEFILTER_CHANGE_DELAY_MS
} from "../src/index.ts"
import { RelayHarness } from "./RelayHarness.ts"

const HOUR = 60 * 60_000

const filters = (harness: RelayHarness, peer: number): ReadonlyArray<number> =>
  harness
    .sent(peer, "feefilter")
    .map((message) => (message._tag === "feefilter" ? Number(message.feeRateSatPerKvb) : -1))

describe("a fee rate that is told", () => {
  it("is a step of a tenth below or above, two times in three the one below", () => {
    const rounder = new FeeFilterRounder(ChaChaRandom.fromNumber(1))
    const rounded = (rate: number): ReadonlyMap<number, number> => {
      const counts = new Map<number, number>()
      for (let n = 0; n < 3000; n++) {
        const step = rounder.round(rate)
        counts.set(step, (counts.get(step) ?? 0) + 1)
      }
      return counts
    }
    // Half of the least rate, and by tenths on: 50, 55, 60.5, 66.55, 73.205, …
    const steps = rounded(70)
    expect([...steps.keys()].toSorted((a, b) => a - b)).toEqual([66, 73])
    expect(Math.abs((steps.get(66) ?? 0) - 2000)).toBeLessThan(120)
    expect([...rounded(0).keys()]).toEqual([0])
    expect([...rounded(2.1e15).keys()]).toEqual([rounder.most])
    expect([rounder.most > 9_090_000, rounder.most <= 10_000_000]).toEqual([true, true])
  })

  it("is told when a connection begins, and is never below what we relay at all", () => {
    const harness = new RelayHarness()
    harness.pool.minFeeRateSatPerKvb = 0
    expect(filters(harness.ready(1), 1)).toEqual([DEFAULT_MIN_RELAY_TX_FEE])
  })

  it("is not told again while it is the same, and is looked at every ten minutes in the mean", () => {
    const harness = new RelayHarness()
    harness.pool.minFeeRateSatPerKvb = 0
    for (let peer = 1; peer <= 200; peer++) harness.ready(peer)
    harness.take("Send")
    expect(harness.elapse(HOUR).take("Send").length).toBe(0)
    // A little more: nobody is told sooner for that.
    harness.pool.minFeeRateSatPerKvb = 121
    harness.input({ _tag: "TipChanged" }).elapse(AVG_FEEFILTER_BROADCAST_INTERVAL_MS)
    const told = new Set(harness.take("Send").map(({ peer }) => peer))
    expect([told.size > 80, told.size < 170]).toEqual([true, true])
  })

  it("is told within five minutes where it is very different, at times of each peer's own", () => {
    const harness = new RelayHarness()
    for (let peer = 1; peer <= 50; peer++) harness.ready(peer)
    harness.take("Send")
    harness.pool.minFeeRateSatPerKvb = 1000
    harness.input({ _tag: "TipChanged" })
    expect(harness.take("Send")).toEqual([])
    harness.elapse(MAX_FEEFILTER_CHANGE_DELAY_MS / 2)
    const told = new Set(harness.take("Send").map(({ peer }) => peer))
    expect([told.size > 10, told.size < 45]).toEqual([true, true])
    for (const { peer } of harness.elapse(MAX_FEEFILTER_CHANGE_DELAY_MS / 2).take("Send")) told.add(peer)
    expect(told.size).toBe(50)
  })

  it("is above all steps while we catch up, and the real one as soon as we have", () => {
    const harness = new RelayHarness()
    harness.isCatchingUp = true
    expect(filters(harness.ready(1), 1)).toEqual([new FeeFilterRounder(ChaChaRandom.fromNumber(1)).most])
    harness.isCatchingUp = false
    expect(filters(harness.input({ _tag: "TipChanged" }).elapse(0), 1)).toEqual([DEFAULT_MIN_RELAY_TX_FEE])
  })

  it("is told to none of whom all is taken, or nothing, and by no node of blocks only", () => {
    const harness = new RelayHarness().ready(1, { forceRelay: true }).outbound(2, { isBlockOnly: true })
    expect([filters(harness, 1), filters(harness, 2)]).toEqual([[], []])
    expect(filters(new RelayHarness({ isBlocksOnly: true }).ready(1), 1)).toEqual([])
    expect(filters(new RelayHarness({ fetches: false }).ready(1), 1)).toEqual([])
  })
})
