import { describe, expect, it } from "vitest"
import { SyncHarness } from "./SyncHarness.ts"

const filtered = (headers: number): SyncHarness => new SyncHarness({ headers, wanted: { isFiltered: true } })

describe("BlockSync, where blocks are judged before they are fetched", () => {
  it("asks for none that is not judged, and for those that match as soon as they are", () => {
    const bench = filtered(6).ready(1)
    expect(bench.asked(1)).toEqual([])
    bench.input({ _tag: "BlockJudged", header: 3, matches: true })
    bench.input({ _tag: "BlockJudged", header: 2, matches: false })
    expect(bench.asked(1)).toEqual([3])
  })

  it("follows the chain through blocks that do not matter, as far as all before are judged and those that match are kept", () => {
    const bench = filtered(6).ready(1)
    for (const header of [1, 2, 4, 5]) bench.input({ _tag: "BlockJudged", header, matches: false })
    expect(bench.sync.snapshot().tip.height).toBe(2)
    bench.input({ _tag: "BlockJudged", header: 3, matches: true })
    expect(bench.sync.snapshot().tip.height).toBe(2)
    bench.gives(1, [3])
    expect(bench.sync.snapshot().tip.height).toBe(5)
    expect(bench.sync.snapshot().kept).toBe(1)
    bench.input({ _tag: "BlockJudged", header: 6, matches: false })
    expect(bench.sync.snapshot().tip.height).toBe(6)
  })

  it("fetches a block after all that was passed over, and keeps to the chain meanwhile", () => {
    const bench = filtered(4).ready(1)
    for (const header of [1, 2, 3, 4]) bench.input({ _tag: "BlockJudged", header, matches: false })
    bench.input({ _tag: "BlockJudged", header: 2, matches: true })
    expect(bench.asked(1)).toEqual([2])
    expect(bench.sync.snapshot().tip.height).toBe(4)
    bench.gives(1, [2])
    expect(bench.sync.blocks.isKept(2)).toBe(true)
    // Nothing takes back what is kept.
    bench.input({ _tag: "BlockJudged", header: 2, matches: false })
    expect(bench.sync.blocks.isKept(2)).toBe(true)
  })

  it("fetches a block that somebody wants to see, below the first that is wanted too", () => {
    const bench = new SyncHarness({ headers: 8, wanted: { from: 5, isFiltered: true } }).ready(1)
    bench.input({ _tag: "BlockWanted", header: 3 })
    bench.input({ _tag: "BlockWanted", header: 6 })
    expect(bench.asked(1)).toEqual([3, 6])
    bench.gives(1, [3])
    expect(bench.sync.blocks.isKept(3)).toBe(true)
    expect(bench.sync.snapshot().tip.height).toBe(4)
  })
})
