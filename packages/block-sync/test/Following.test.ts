import { describe, expect, it } from "vitest"
import { SyncHarness, range } from "./SyncHarness.ts"

/** Has a peer send all that it is asked for, until it is asked for nothing. */
const exhaust = (harness: SyncHarness, peer: number): ReadonlyArray<number> => {
  const all: Array<number> = []
  for (let asked = harness.asked(peer); asked.length > 0; asked = harness.asked(peer)) {
    all.push(...asked)
    harness.sleep(1).gives(peer, asked)
  }
  return all
}

describe("another chain of more work", () => {
  it("is followed once it is whole, and not before", () => {
    const harness = new SyncHarness({ headers: 20, has: 20 })
    const fork = harness.tree.grow(15, 7)
    harness.headersMoved().ready(1)
    const asked = harness.asked(1)
    expect(asked).toEqual(range(21, 24))
    // The last one comes first.
    harness.gives(1, [24, 23, 22])
    const rest = harness.asked(1).filter((header) => header > 24)
    expect(rest).toEqual([25, 26, 27])
    harness.gives(1, rest)
    expect([harness.tip, harness.moves()]).toEqual([20, []])
    harness.gives(1, [21])
    expect([harness.tip, harness.moves()]).toEqual([fork, ["-5 +7 on 15 to 27"]])
  })

  it("is left again for one of yet more, block by block in order", () => {
    const harness = new SyncHarness({ headers: 10, has: 10 })
    harness.tree.grow(8, 3)
    harness.headersMoved().ready(1)
    exhaust(harness, 1)
    harness.tree.grow(10, 3)
    harness.headersMoved().advanced(1, harness.tree.best)
    exhaust(harness, 1)
    expect(harness.moves()).toEqual(["-2 +3 on 8 to 13", "-3 +4 on 8 to 15", "-0 +1 on 12 to 16"])
  })

  it("is not followed for as much work as ours: the first stays", () => {
    const harness = new SyncHarness({ headers: 10, has: 9 }).ready(1)
    const rival = harness.tree.grow(9, 1)
    harness.headersMoved().gives(1, [rival])
    expect(harness.tip).toBe(rival)
    exhaust(harness, 1)
    harness.gives(1, [10])
    expect([harness.sync.blocks.isKept(10), harness.tip]).toEqual([true, rival])
  })

  it("is fetched beside the best one, of a peer that has it: those of the best may give nothing", () => {
    const harness = new SyncHarness({ headers: 30, has: 10 })
    const second = harness.tree.grow(10, 5)
    harness.headersMoved().ready(1).ready(2, { best: second })
    expect(harness.asked(2)).toEqual(range(31, 34))
    harness.gives(2, [31, 32, 33, 34])
    harness.gives(2, harness.asked(2))
    expect(harness.tip).toBe(second)
    // What peer 1 was asked for it never sends, and the rest of the best chain nobody has.
    expect(harness.gone(1).elapse(60_000).asked(2)).toEqual([])
  })

  it("that is beside the best one has work enough, or is left alone", () => {
    const harness = new SyncHarness({
      headers: 30,
      has: 5,
      params: { ...new SyncHarness().tree.params, minimumChainWork: 40n }
    })
    const weak = harness.tree.grow(10, 5)
    harness.headersMoved().ready(2, { best: weak })
    expect(harness.asked(2)).toEqual([])
  })

  it("is fetched further where a peer leaves in the middle of it", () => {
    const harness = new SyncHarness({ headers: 30, has: 10 })
    const second = harness.tree.grow(10, 5)
    harness.ready(2, { best: second }).ready(3, { best: second })
    expect([harness.asked(2), harness.asked(3)]).toEqual([range(31, 34), [35]])
    expect(harness.gone(2).asked(3)).toEqual(range(31, 33))
  })
})

describe("the chain that is fetched", () => {
  it("may turn out to be invalid: the next best one is fetched, from where ours leaves it", () => {
    const harness = new SyncHarness({ headers: 30, has: 10 })
    harness.tree.grow(8, 12)
    harness.headersMoved().ready(1)
    expect(harness.asked(1)).toEqual(range(11, 14))
    harness.tree.invalidate(12)
    harness.headersMoved(true).ready(2)
    expect([...harness.asked(2)]).toEqual(range(31, 34))
    expect(harness.sync.snapshot().targetHeight).toBe(20)
  })

  it("may shrink to a part of itself", () => {
    const harness = new SyncHarness({ headers: 30, has: 10 }).ready(1)
    harness.tree.invalidate(13)
    harness.headersMoved(true)
    expect(harness.sync.snapshot().targetHeight).toBe(12)
    expect(harness.gone(1).ready(2, { best: 30 }).asked(2)).toEqual([11, 12])
  })

  it("may shrink to below our own blocks, and grow again", () => {
    const harness = new SyncHarness({ headers: 30, has: 20 }).ready(1)
    harness.tree.invalidate(15)
    expect(harness.headersMoved(true).tip).toBe(14)
    const other = harness.tree.grow(14, 3)
    harness.headersMoved().ready(2, { best: other })
    expect(harness.asked(2)).toEqual([31, 32, 33])
    harness.tree.reconsider()
    expect(harness.headersMoved(true).tip).toBe(20)
  })
})

describe("a block whose bytes got lost", () => {
  it("is fetched again, though it lies far below, and the chain is followed as before", () => {
    const harness = new SyncHarness({ headers: 3000, has: 3000 }).ready(1)
    harness.input({ _tag: "BlockLost", header: 7 })
    expect([harness.asked(1), harness.tip, harness.moves()]).toEqual([[7], 3000, []])
    harness.gives(1, [7]).elapse(10_000)
    expect([harness.sync.blocks.isKept(7), harness.asked(1), harness.moves()]).toEqual([true, [], []])
  })

  it("is asked of another where the first lacks it, or never sends it", () => {
    const harness = new SyncHarness({ headers: 3000, has: 3000 }).ready(1)
    harness.input({ _tag: "BlockLost", header: 7 })
    harness.notFound(1, harness.asked(1)).ready(2).elapse(1000)
    expect([harness.asked(1), harness.asked(2)]).toEqual([[], [7]])
    harness.ready(3).elapse(2000)
    expect(harness.asked(3)).toEqual([7])
  })

  it("is no matter if it was not kept, or is pruned meanwhile", () => {
    const harness = new SyncHarness({ headers: 3000, has: 3000, prunedTo: 100 })
    harness.input({ _tag: "BlockLost", header: 7 }).input({ _tag: "BlockLost", header: 150 })
    harness.input({ _tag: "BlocksPruned", headers: [150, 151] }).ready(1)
    expect(harness.asked(1)).toEqual([])
    expect(harness.sync.snapshot().kept).toBe(2898)
  })

  it("does not keep others from being fetched where nobody has it", () => {
    const harness = new SyncHarness({ headers: 300, has: 300 })
    const stale = harness.tree.grow(100, 100)
    harness.stored(...range(301, 400))
    for (const header of range(301, 400)) harness.input({ _tag: "BlockLost", header })
    harness.input({ _tag: "BlockLost", header: 5 }).ready(1, { best: 300 })
    expect(stale).toBe(400)
    for (let i = 0; i < 4 && harness.sync.snapshot().inFlight === 0; i++) harness.advanced(1, 300)
    expect(harness.asked(1)).toEqual([5])
  })
})

describe("a pruned node", () => {
  it("begins where it ended, and fetches nothing that is gone on purpose", () => {
    const harness = new SyncHarness({ headers: 400, has: 300, prunedTo: 200 }).ready(1)
    expect([harness.tip, harness.sync.snapshot().kept]).toEqual([300, 100])
    expect(harness.asked(1)).toEqual(range(301, 304))
    harness.input({ _tag: "BlocksPruned", headers: range(201, 250) })
    expect([harness.tip, harness.sync.snapshot().kept]).toEqual([300, 50])
    expect(harness.gone(1).ready(2).asked(2)).toEqual(range(301, 304))
  })
})
