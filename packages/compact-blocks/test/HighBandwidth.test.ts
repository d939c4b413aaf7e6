/** Who is asked to send new blocks in short at once. */
import { SHORT_IDS_BLOCKS_VERSION } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { CompactHarness, type HarnessOptions } from "./CompactHarness.ts"

/** Peers of these numbers, of whom those below ten are of our choice. */
const withPeers = (peers: ReadonlyArray<number>, options: HarnessOptions = {}): CompactHarness => {
  const harness = new CompactHarness(options)
  for (const peer of peers) harness.ready(peer, { outbound: peer < 10 })
  harness.words()
  return harness
}

describe("sendcmpct", () => {
  it("offers version 2 in low bandwidth to every peer that may know it", () => {
    const harness = new CompactHarness({ isBlocksOnly: true, serves: false })
    harness.ready(1, { provides: false }).ready(2, { provides: false, protocolVersion: SHORT_IDS_BLOCKS_VERSION - 1 })
    expect(harness.words()).toEqual(["1 Send sendcmpct low"])
  })

  it("says who wants ours at once, as often as it changes its mind", () => {
    const harness = withPeers([1, 2]).sendcmpct(1, true).sendcmpct(2, true).sendcmpct(2, true, 1n)
    expect(harness.machine.snapshot().highBandwidthFrom).toEqual([1, 2])
    expect(harness.sendcmpct(1, false).machine.snapshot().highBandwidthFrom).toEqual([2])
  })
})

describe("peers that deliver first", () => {
  it("are asked to send new blocks in short, the last three of them", () => {
    const harness = withPeers([1, 2, 3, 4])
    expect(harness.choose(1).words()).toEqual(["1 Send sendcmpct high", "HighBandwidthChosen 1"])
    expect(harness.choose(2, 3).words()).toHaveLength(4)
    expect(harness.choose(4).words()).toEqual([
      "1 Send sendcmpct low",
      "4 Send sendcmpct high",
      "HighBandwidthChosen 2,3,4"
    ])
  })

  it("stay longer the later they delivered last", () => {
    const harness = withPeers([1, 2, 3, 4]).choose(1, 2, 3)
    harness.words()
    expect(harness.choose(1).words()).toEqual([])
    expect(harness.choose(4).words()[0]).toBe("2 Send sendcmpct low")
  })

  it("are not all such as dialled us, while one that we chose is among them", () => {
    const harness = withPeers([1, 11, 12, 13, 14]).choose(1, 11, 12)
    harness.words()
    expect(harness.choose(13).words()).toEqual([
      "11 Send sendcmpct low",
      "13 Send sendcmpct high",
      "HighBandwidthChosen 1,12,13"
    ])
    expect(harness.choose(14).words()[0]).toBe("12 Send sendcmpct low")
    expect(harness.machine.snapshot().highBandwidthTo).toEqual([1, 13, 14])
  })

  it("give way to one of our choice, also if they are, and where there are two of our choice the older goes", () => {
    const harness = withPeers([1, 2, 3, 11, 12]).choose(1, 11, 12)
    expect(harness.choose(2).machine.snapshot().highBandwidthTo).toEqual([11, 12, 2])
    const two = withPeers([1, 2, 11, 12]).choose(1, 2, 11, 12)
    expect(two.machine.snapshot().highBandwidthTo).toEqual([2, 11, 12])
  })

  it("leave their place when they go", () => {
    const harness = withPeers([1, 2, 3, 4]).choose(1, 2, 3).gone(2)
    harness.words()
    expect(harness.choose(4).words()).toEqual(["4 Send sendcmpct high", "HighBandwidthChosen 1,3,4"])
  })

  it("are not chosen if they give none in short, or there is no mempool", () => {
    const harness = new CompactHarness().ready(1, { provides: false })
    harness.words()
    expect(harness.choose(1, 7).words()).toEqual([])
    const blocksOnly = withPeers([1], { isBlocksOnly: true })
    expect(blocksOnly.choose(1).words()).toEqual([])
  })

  it("are not chosen for old blocks, nor while we catch up", () => {
    const harness = withPeers([1])
    const deliver = (header: number): ReadonlyArray<string> =>
      harness.input({ _tag: "BlockDelivered", header, peer: 1 as never }).words()
    harness.chain.best = 12
    expect(deliver(11)).toEqual([])
    harness.isRecent = false
    expect(deliver(12)).toEqual([])
    harness.isRecent = true
    expect(deliver(12)).toHaveLength(2)
  })
})
