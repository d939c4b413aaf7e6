import { Inventory, MSG_BLOCK, MSG_TX, MSG_WITNESS_TX } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { SyncHarness, range } from "./SyncHarness.ts"
import { hashOf } from "./TestTree.ts"

const DAY = 24 * 60 * 60

describe("a getdata", () => {
  it("is answered in its order, one block at a time", () => {
    const harness = new SyncHarness({ headers: 20, has: 20 }).ready(1).getdata(1, [3, 1, 2])
    expect(harness.take("ReplyOwed")).toMatchObject([{ peer: 1, owed: true }])
    expect(harness.take("ReadBlock")).toMatchObject([{ peer: 1, header: 3, hasWitness: true }])
    expect(harness.drained(1).take("ReadBlock")).toEqual([])
    harness.read(1, 3)
    expect([harness.told(1), harness.take("ReadBlock")]).toEqual([["block 3"], []])
    harness.drained(1).read(1, 1).drained(1).read(1, 2).drained(1)
    expect(harness.told(1)).toEqual(["block 1", "block 2"])
    expect(harness.take("ReplyOwed")).toMatchObject([{ peer: 1, owed: false }])
  })

  it("gets the blocks without witnesses where it asks for them so", () => {
    const harness = new SyncHarness({ headers: 2, has: 2 }).ready(1).getdata(1, [1], MSG_BLOCK)
    expect(harness.take("ReadBlock")).toMatchObject([{ header: 1, hasWitness: false }])
  })

  it("is told once of all that is not there: blocks nobody knows, blocks to come, transactions, what was pruned", () => {
    const harness = new SyncHarness({ headers: 20, has: 10, prunedTo: 2 }).ready(1, { best: -1 })
    harness.asks(1, [
      { type: MSG_TX, hash: hashOf(5) },
      { type: MSG_BLOCK, hash: hashOf(99) },
      { type: MSG_BLOCK, hash: hashOf(1) },
      { type: MSG_BLOCK, hash: hashOf(5) },
      { type: MSG_BLOCK, hash: hashOf(15) },
      { type: MSG_WITNESS_TX, hash: hashOf(6) },
      { type: 77, hash: hashOf(7) }
    ])
    expect(harness.take("ReadBlock").map(({ header }) => header)).toEqual([5])
    harness.read(1, 5).drained(1)
    expect(harness.told(1)).toEqual(["block 5", "notfound 5-6"])
  })

  it("goes on by itself where a block turns out to be gone, and tells so in the end", () => {
    const harness = new SyncHarness({ headers: 20, has: 20 }).ready(1).getdata(1, [3, 4])
    harness.read(1, undefined).elapse(0)
    expect(harness.take("ReadBlock").map(({ header }) => header)).toEqual([3, 4])
    harness.read(1, 4).drained(1)
    expect(harness.told(1)).toEqual(["block 4", "notfound 3"])
  })

  it("of nothing is owed nothing", () => {
    const harness = new SyncHarness({ headers: 2, has: 2 }).ready(1).asks(1, [])
    expect(harness.take("ReplyOwed")).toEqual([])
  })

  it("of 50,000 entries of no known type takes fifty turns, and ends without a word (CVE-2024-52920)", () => {
    const harness = new SyncHarness({ headers: 2, has: 2 }).ready(1).ready(2)
    harness.asks(
      1,
      Array.from({ length: 50_000 }, (_, i) => ({ type: 0x7777, hash: hashOf(i) }))
    )
    let turns = 0
    while (harness.sync.nextTimeout() === harness.now.instant) {
      turns += 1
      harness.input({ _tag: "Timeout" })
    }
    expect(turns).toBe(50)
    expect(harness.told(1)).toEqual([])
    expect(harness.take("ReplyOwed").map(({ owed }) => owed)).toEqual([true, false])
  })

  it("of many peers at once has a turn for each", () => {
    const harness = new SyncHarness({ headers: 2, has: 2 })
    const entries = Array.from({ length: 1500 }, (_, i) => ({ type: 0x7777, hash: hashOf(i) }))
    for (let peer = 1; peer <= 10; peer++) harness.ready(peer, { best: -1 }).asks(peer, entries)
    const owed = (): number => harness.take("ReplyOwed").filter(({ owed }) => !owed).length
    expect(owed()).toBe(0)
    for (let turn = 1; turn <= 10; turn++)
      expect([turn, harness.input({ _tag: "Timeout" }) && owed()]).toEqual([turn, 1])
    expect(harness.sync.nextTimeout()).toBe(undefined)
  })

  it("of one that vanishes while a block is read for it is forgotten", () => {
    const harness = new SyncHarness({ headers: 2, has: 2 }).ready(1).getdata(1, [1, 2]).gone(1)
    harness.read(1, 1)
    expect(harness.told(1)).toEqual([])
    expect([harness.sync.isEmpty, harness.sync.nextTimeout()]).toEqual([true, undefined])
  })

  it("is not answered by a node that does not serve", () => {
    const harness = new SyncHarness({ headers: 2, has: 2, serves: false }).ready(1).getdata(1, [1]).getblocks(1, 0)
    expect([harness.take("ReadBlock"), harness.take("ReplyOwed"), harness.told(1)]).toEqual([[], [], []])
  })

  it("outlives the memory that it came in", () => {
    const harness = new SyncHarness({ headers: 3, has: 3 }).ready(1)
    const raw = new Uint8Array(72)
    raw.set([MSG_BLOCK], 0)
    raw.set(hashOf(1), 4)
    raw.set([MSG_BLOCK], 36)
    raw.set(hashOf(2), 40)
    harness.received(1, { _tag: "getdata", inventory: new Inventory(raw) })
    raw.fill(0xa5)
    harness.drained(1).read(1, 1).drained(1)
    expect(harness.take("ReadBlock").map(({ header }) => header)).toEqual([1, 2])
  })
})

describe("a block beside our chain", () => {
  const withStale = (ageSeconds: number, work?: bigint): SyncHarness => {
    const harness = new SyncHarness({ headers: 10, has: 10 })
    const stale = harness.tree.grow(9, 1, { time: 1_500_000_000 })
    harness.stored(stale)
    harness.tree.grow(10, 1, { time: 1_500_000_000 + ageSeconds, ...(work === undefined ? {} : { work }) })
    return harness.headersMoved().ready(1, { best: -1 }).getdata(1, [stale])
  }

  it("is given for thirty days, and then looks as if it were not there", () => {
    expect(withStale(30 * DAY - 1).take("ReadBlock")).toHaveLength(1)
    const old = withStale(30 * DAY)
    expect([old.take("ReadBlock"), old.told(1)]).toEqual([[], ["notfound 11"]])
  })

  it("is not given once so much work was done as takes thirty days", () => {
    // Every header of this tree claims the work of 2; a block takes ten minutes.
    expect(withStale(60, 2n * 4319n).take("ReadBlock")).toHaveLength(1)
    expect(withStale(60, 2n * 4325n).take("ReadBlock")).toEqual([])
  })

  it("is not given if it is invalid, or never was part of a whole chain", () => {
    const harness = new SyncHarness({ headers: 10, has: 10 }).ready(1)
    const side = harness.tree.grow(8, 2)
    harness.stored(side).getdata(1, [side])
    expect(harness.told(1)).toEqual([`notfound ${side}`])
    harness.stored(side - 1)
    harness.tree.invalidate(side - 1)
    harness.headersMoved(true).getdata(1, [side])
    expect(harness.told(1)).toEqual([`notfound ${side}`])
  })
})

describe("old blocks", () => {
  const chain = { headers: 2000, has: 2000 }

  it("end the connection of who asks for them once the day's upload is reached", () => {
    const harness = new SyncHarness(chain).ready(1)
    harness.isTargetReached = true
    harness.getdata(1, [2000 - 7 * 144])
    expect(harness.take("ReadBlock")).toMatchObject([{ header: 2000 - 7 * 144 }])
    harness
      .read(1, 2000 - 7 * 144)
      .drained(1)
      .getdata(1, [2000 - 7 * 144 - 1])
    expect(harness.parted()).toEqual(["1 NotServed upload-target"])
  })

  it("are given all the same to whom our user lets download", () => {
    const harness = new SyncHarness(chain).ready(1, { isPrivileged: true })
    harness.isTargetReached = true
    expect(harness.getdata(1, [1]).take("ReadBlock")).toHaveLength(1)
  })

  it("end the connection of who asks a limited node for them: it gives 290 blocks, whatever it has", () => {
    const harness = new SyncHarness({ ...chain, isLimited: true }).ready(1)
    expect(harness.getdata(1, [2000 - 290]).take("ReadBlock")).toHaveLength(1)
    harness
      .read(1, 2000 - 290)
      .drained(1)
      .getdata(1, [2000 - 291])
    expect(harness.parted()).toEqual(["1 NotServed limited"])
  })
})

describe("a getblocks", () => {
  const chain = { headers: 1200, has: 1200 }

  it("is answered by the 500 hashes that follow, and once the last is fetched by the tip's, so that it is asked again", () => {
    const harness = new SyncHarness(chain).ready(1, { best: -1 }).getblocks(1, 100)
    expect(harness.told(1)).toEqual(["inv 101-600"])
    harness.getdata(1, [600]).read(1, 600)
    expect(harness.told(1)).toEqual(["block 600", "inv 1200"])
    harness.drained(1).getdata(1, [600]).read(1, 600)
    expect(harness.told(1)).toEqual(["block 600"])
    harness.getblocks(1, 800).drained(1).getdata(1, [1200]).read(1, 1200)
    expect(harness.told(1)).toEqual(["inv 801-1200", "block 1200"])
  })

  it("ends before the hash at which it is to stop", () => {
    expect(new SyncHarness(chain).ready(1).getblocks(1, 100, 103).told(1)).toEqual(["inv 101,102"])
  })

  it("is not answered where nothing follows, or the next block is gone", () => {
    expect(new SyncHarness(chain).ready(1).getblocks(1, 1200).told(1)).toEqual([])
    expect(new SyncHarness({ ...chain, prunedTo: 700 }).ready(1).getblocks(1, 100).told(1)).toEqual([])
  })

  it("names our chain, not one of more work that is still to come", () => {
    const harness = new SyncHarness({ headers: 20, has: 10 }).ready(1)
    expect(harness.getblocks(1, 7).told(1)).toEqual(["inv 8,9,10"])
  })

  it("is told by a limited node of nothing that may be gone within the hour", () => {
    const harness = new SyncHarness({ ...chain, isLimited: true }).ready(1)
    expect(harness.getblocks(1, 1200 - 283).told(1)).toEqual([])
    expect(harness.getblocks(1, 1200 - 282).told(1)).toEqual(["inv 919-1200"])
    expect(range(919, 1200)).toHaveLength(282)
  })
})
