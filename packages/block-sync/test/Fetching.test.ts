import { NODE_NETWORK } from "@satwire/wire"
import { regtest } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import {
  BLOCK_DOWNLOAD_WINDOW,
  LIMITED_BLOCKS,
  MAX_BLOCKS_IN_TRANSIT_PER_PEER,
  MAX_BYTES_UNDER_WAY,
  MAX_LACKING
} from "../src/index.ts"
import { LIMITED, SyncHarness, range } from "./SyncHarness.ts"

describe("blocks that are asked for", () => {
  it("come in the order of the chain, a few before anything is known of the peer", () => {
    const harness = new SyncHarness({ headers: 100 }).ready(1)
    expect(harness.asked(1)).toEqual(range(1, 4))
  })

  it("are checked, kept and followed, and others are asked for in their place", () => {
    const harness = new SyncHarness({ headers: 100 }).ready(1)
    harness.asked(1)
    harness.elapse(100).gives(1, [1])
    expect(harness.take("CheckBlock").map(({ header }) => header)).toEqual([1])
    expect(harness.take("StoreBlock").map(({ height }) => height)).toEqual([1])
    expect(harness.take("BlockAccepted")).toMatchObject([{ header: 1, from: 1 }])
    expect(harness.moves()).toEqual(["-0 +1 on 0 to 1"])
    expect(harness.asked(1).at(0)).toBe(5)
  })

  it("join the chain when they are kept, not before", () => {
    const harness = new SyncHarness({ headers: 10 }).ready(1)
    harness.stores = false
    harness.gives(1, [1])
    expect(harness.tip).toBe(0)
    expect(harness.stored(1).tip).toBe(1)
  })

  it("are at most 16 of one peer, however fast it is", () => {
    const harness = new SyncHarness({ headers: 1000 }).ready(1)
    for (let i = 1; i <= 200; i++) harness.elapse(1).gives(1, [i], 100_000)
    expect(harness.sync.snapshot().inFlight).toBe(MAX_BLOCKS_IN_TRANSIT_PER_PEER)
  })

  it("are shared out by what is measured of peers, and a slow one still has one", () => {
    const harness = new SyncHarness({ headers: 1000 }).ready(1).ready(2)
    const [fast, slow] = [[...harness.asked(1)], [...harness.asked(2)]]
    for (let i = 0; i < 60; i++) {
      harness.elapse(50).gives(1, [fast.shift() as number], 500_000)
      fast.push(...harness.asked(1))
      if (i % 10 === 9 && slow[0] !== undefined) harness.gives(2, [slow.shift() as number], 100_000)
      slow.push(...harness.asked(2))
    }
    expect(fast).toHaveLength(MAX_BLOCKS_IN_TRANSIT_PER_PEER)
    // 200 kB/s are about two blocks in three seconds.
    expect(slow.length).toBeGreaterThan(0)
    expect(slow.length).toBeLessThan(4)
  })

  it("are measured soberly where many come in one instant", () => {
    const harness = new SyncHarness({ headers: 1000 }).ready(1)
    harness.sleep(100).gives(1, range(1, 4), 200)
    const { bytesPerSecond } = harness.sync.snapshot()
    expect(bytesPerSecond).toBeGreaterThan(6000)
    expect(bytesPerSecond).toBeLessThan(9000)
  })

  it("lie in a window of 1,024 blocks from the first that is missing on", () => {
    const harness = new SyncHarness({ headers: 3000 }).ready(1).ready(2)
    expect(harness.asked(1)).toEqual(range(1, 4))
    const asked = [...harness.asked(2)]
    for (let header = asked.shift(); header !== undefined; header = asked.shift()) {
      harness.sleep(1).gives(2, [header])
      asked.push(...harness.asked(2))
    }
    expect(harness.sync.blocks.keptCount).toBe(BLOCK_DOWNLOAD_WINDOW - 4)
    expect(harness.sync.blocks.isKept(BLOCK_DOWNLOAD_WINDOW)).toBe(true)
    expect(harness.tip).toBe(0)
    harness.gives(1, [1])
    expect([...harness.asked(1), ...harness.asked(2)]).toEqual([BLOCK_DOWNLOAD_WINDOW + 1])
  })

  it("are asked of nobody of whose chain nothing is known, until something is", () => {
    const harness = new SyncHarness({ headers: 10 }).ready(1, { best: -1 })
    expect(harness.asked(1)).toEqual([])
    expect(harness.advanced(1, 3).asked(1)).toEqual([1, 2, 3])
  })

  it("are not asked of peers without witnesses, or without blocks", () => {
    const harness = new SyncHarness({ headers: 10 }).ready(1, { services: NODE_NETWORK }).ready(2, { services: 0n })
    expect([harness.asked(1), harness.asked(2)]).toEqual([[], []])
    expect(harness.sync.snapshot().peers).toBe(0)
  })

  it("are not asked of a chain that has less work than a chain of the network must have", () => {
    const params = { ...regtest, minimumChainWork: 100n }
    const harness = new SyncHarness({ headers: 48, params }).ready(1)
    expect(harness.asked(1)).toEqual([])
    harness.tree.grow(48, 1)
    harness.headersMoved().ready(2).ready(3, { best: 48 })
    expect(harness.asked(2)).toEqual(range(1, 4))
    expect([...harness.asked(1), ...harness.asked(3)]).toEqual([])
  })

  it("are not asked of a peer whose chain has no more work than ours", () => {
    const harness = new SyncHarness({ headers: 100, has: 50 }).ready(1, { best: 50 }).ready(2, { best: 51 })
    expect([harness.asked(1), harness.asked(2)]).toEqual([[], [51]])
  })

  it("are those of the last 288, but two, where a peer keeps no others (BIP-0159)", () => {
    const harness = new SyncHarness({ headers: 400, has: 50 })
    harness.ready(1, { services: LIMITED })
    const first = 400 - LIMITED_BLOCKS + 1
    expect(harness.asked(1)).toEqual(range(first, first + 3))
  })

  it("are asked of a limited peer only where no full one is there, while we catch up", () => {
    const harness = new SyncHarness({ headers: 300, has: 100 }).ready(1).ready(2, { services: LIMITED })
    expect(harness.asked(2)).toEqual([])
    harness.gone(1)
    expect(harness.asked(2)).toEqual(range(101, 104))
  })

  it("are asked of who dialled us only where no preferred peer is there, while we catch up", () => {
    const harness = new SyncHarness({ headers: 100 }).ready(1, { isPreferred: false })
    expect(harness.asked(1)).toEqual(range(1, 4))
    harness.ready(2)
    expect(harness.asked(2)).toEqual(range(5, 8))
    harness.elapse(10).gives(1, [1])
    expect(harness.asked(1)).toEqual([])
  })

  it("are asked of who dialled us where all preferred peers have nothing to give", () => {
    const harness = new SyncHarness({ headers: 100 }).ready(2, { isPreferred: false, best: -1 }).ready(1)
    harness.advanced(2, 100)
    expect(harness.asked(2)).toEqual([])
    harness.notFound(1, harness.asked(1))
    const next = harness.asked(1)
    expect(next).toEqual(range(5, 8))
    for (let asked = next; asked.length > 0; asked = harness.asked(1)) harness.notFound(1, asked)
    expect(harness.asked(2)).toEqual(range(1, 4))
  })

  it("are asked of everybody once we have caught up", () => {
    const harness = new SyncHarness({ headers: 100, has: 99, unix: regtest.genesis.time + 60_100 })
    harness.ready(1, { best: 99 }).ready(2, { isPreferred: false })
    expect(harness.asked(2)).toEqual([100])
  })

  it("are not asked for while so much waits to be kept that the edge says so", () => {
    const harness = new SyncHarness({ headers: 100 }).input({ _tag: "Hold", held: true }).ready(1).elapse(10_000)
    expect(harness.asked(1)).toEqual([])
    expect(harness.input({ _tag: "Hold", held: false }).asked(1)).toEqual(range(1, 4))
  })
})

describe("what is under way", () => {
  it("is no more than 96 MB of all peers and a block of each besides, and goes on as it is kept", () => {
    const harness = new SyncHarness({ headers: 1000 })
    harness.stores = false
    for (let peer = 1; peer <= 8; peer++) harness.ready(peer)
    for (let round = 0; round < 20; round++) {
      harness.sleep(10)
      for (let peer = 1; peer <= 8; peer++) harness.gives(peer, harness.asked(peer), 2_000_000)
    }
    const { inFlight, waitingBytes } = harness.sync.snapshot()
    expect(inFlight).toBe(0)
    expect(waitingBytes).toBeGreaterThan(MAX_BYTES_UNDER_WAY / 2)
    expect(waitingBytes).toBeLessThanOrEqual(MAX_BYTES_UNDER_WAY + 8 * 2_000_000)
    harness.stored(...harness.take("StoreBlock").map(({ header }) => header))
    expect(harness.sync.snapshot().inFlight).toBeGreaterThan(8)
  })
})

describe("what a peer does not have", () => {
  it("is asked of another, and of it again after a minute, when it may have it", () => {
    const harness = new SyncHarness({ headers: 6 }).ready(1)
    harness.notFound(1, harness.asked(1))
    expect(harness.asked(1)).toEqual([5, 6])
    expect(harness.ready(2).asked(2)).toEqual([1, 2, 3, 4])
    harness.gone(2).elapse(59_999)
    expect(harness.asked(1)).toEqual([])
    harness.elapse(60_001)
    expect(harness.asked(1)).toEqual([1, 2])
    harness.gives(1, [1, 2, 5, 6]).notFound(1, [3, 4]).elapse(120_000)
    expect(harness.asked(1)).toEqual([3, 4])
  })

  it("tells nothing that it was not asked for", () => {
    const harness = new SyncHarness({ headers: 6 }).ready(1).ready(2)
    expect([harness.asked(1), harness.asked(2)]).toEqual([
      [1, 2, 3, 4],
      [5, 6]
    ])
    harness.notFound(2, [1, 2, 3, 4])
    expect(harness.sync.snapshot().inFlight).toBe(6)
    expect(harness.gone(1).asked(2)).toEqual([1, 2])
  })

  it("makes it useless after 64 blocks, until others have given them", () => {
    const harness = new SyncHarness({ headers: 500 }).ready(1)
    let lacking = 0
    for (let asked = harness.asked(1); asked.length > 0; asked = harness.asked(1)) {
      lacking += asked.length
      harness.notFound(1, asked)
    }
    expect(lacking).toBeGreaterThanOrEqual(MAX_LACKING)
    expect(lacking).toBeLessThan(MAX_LACKING + MAX_BLOCKS_IN_TRANSIT_PER_PEER)
    harness.ready(2)
    for (let asked = harness.asked(2); asked.length > 0; asked = harness.asked(2)) harness.elapse(1).gives(2, asked)
    // The lacking were given by the other, so that it is of use again.
    harness.gives(1, harness.asked(1))
    for (let asked = harness.asked(1); asked.length > 0; asked = harness.asked(1)) harness.gives(1, asked)
    expect(harness.tip).toBe(500)
    harness.tree.grow(500, 1)
    expect(harness.headersMoved().advanced(1, 501).asked(1)).toEqual([501])
  })
})

describe("a range of blocks", () => {
  it("begin two hours before a birthday, by median time past, wherever in the chain that turns out to be", () => {
    // A spacing of ten minutes: the median of eleven times lags by five headers, and two hours are twelve.
    const birthday = regtest.genesis.time + 600 * 50
    const harness = new SyncHarness({ headers: 20, wanted: { fromTime: birthday } }).ready(1)
    expect([harness.asked(1), harness.tip]).toEqual([[], 20])
    const last = harness.tree.grow(20, 10)
    harness.headersMoved().advanced(1, last)
    expect([harness.asked(1), harness.tip]).toEqual([[], 30])
    const end = harness.tree.grow(last, 70)
    harness.headersMoved().advanced(1, end)
    expect(harness.asked(1)).toEqual(range(43, 46))
    harness.gives(1, range(43, 46))
    expect(harness.tip).toBe(46)
  })

  it("begins at its first height, with what is below counted as here", () => {
    const harness = new SyncHarness({ headers: 100, wanted: { from: 50, to: undefined } })
    expect(harness.tip).toBe(49)
    harness.ready(1)
    expect(harness.asked(1)).toEqual(range(50, 53))
    expect(harness.gives(1, [50]).moves()).toEqual(["-0 +1 on 49 to 50"])
  })

  it("ends at its last height", () => {
    const harness = new SyncHarness({ headers: 100, wanted: { from: 10, to: 12 } }).ready(1)
    expect(harness.asked(1)).toEqual([10, 11, 12])
    expect(harness.gives(1, [10, 11, 12]).tip).toBe(12)
    expect(harness.asked(1)).toEqual([])
    expect(harness.sync.snapshot()).toMatchObject({ targetHeight: 12, kept: 3, inFlight: 0 })
  })

  it("that begins above all headers is waited for", () => {
    const harness = new SyncHarness({ headers: 20, wanted: { from: 31, to: undefined } }).ready(1)
    expect(harness.tip).toBe(20)
    harness.tree.grow(20, 9)
    harness.headersMoved().advanced(1, 29)
    expect([harness.asked(1), harness.tip]).toEqual([[], 29])
    harness.tree.grow(29, 3)
    harness.headersMoved().advanced(1, 32)
    expect([harness.asked(1), harness.tip]).toEqual([[31, 32], 30])
  })
})

describe("after the last peer has left", () => {
  it("nothing is held for any", () => {
    const harness = new SyncHarness({ headers: 100 }).ready(1).ready(2).ready(3, { services: 0n })
    harness.gives(1, [1]).notFound(1, [2]).getdata(3, [1]).getblocks(3, 0).getdata(2, [1])
    for (const peer of [1, 2, 3]) harness.gone(peer)
    expect(harness.sync.isEmpty).toBe(true)
    expect(harness.sync.nextTimeout()).toBe(undefined)
  })
})
