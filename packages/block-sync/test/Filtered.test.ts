import { PeerId } from "@satwire/machine"
import { MSG_FILTERED_BLOCK, MSG_WITNESS_BLOCK } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { SyncHarness } from "./SyncHarness.ts"
import { hashOf } from "./TestTree.ts"

const bloom = { hasFilter: (peer: PeerId) => peer === 1 }
const near = (): SyncHarness => new SyncHarness({ headers: 20, has: 20, bloom })

describe("a block through a filter", () => {
  it("is read without witnesses, and the next one when the last of it has left", () => {
    const harness = near().ready(1).getdata(1, [3, 1], MSG_FILTERED_BLOCK)
    expect(harness.take("ReadBlock")).toMatchObject([{ peer: 1, header: 3, hasWitness: false }])
    harness.read(1, 3)
    expect([harness.told(1), harness.take("GiveFiltered")]).toMatchObject([[], [{ peer: 1 }]])
    // Part of it may leave while the rest is worked out.
    expect(harness.drained(1).take("ReadBlock")).toEqual([])
    harness.input({ _tag: "FilteredGiven", peer: PeerId(1), isSent: true })
    expect(harness.take("ReadBlock")).toEqual([])
    expect(harness.drained(1).take("ReadBlock")).toMatchObject([{ header: 1 }])
  })

  it("of which nothing was sent does not end what else was asked for", () => {
    const harness = near().ready(1).getdata(1, [3, 1], MSG_FILTERED_BLOCK).read(1, 3)
    harness.input({ _tag: "FilteredGiven", peer: PeerId(1), isSent: false }).elapse(0)
    expect(harness.take("ReadBlock").map(({ header }) => header)).toEqual([3, 1])
  })

  it("is not given to who has no filter, and that without a word, as in Core", () => {
    const harness = near().ready(2)
    harness.asks(2, [
      { type: MSG_FILTERED_BLOCK, hash: hashOf(3) },
      { type: MSG_WITNESS_BLOCK, hash: hashOf(4) }
    ])
    expect(harness.take("ReadBlock").map(({ header }) => header)).toEqual([4])
    harness.read(2, 4).drained(2)
    expect([harness.told(2), harness.take("ReplyOwed").map(({ owed }) => owed)]).toEqual([["block 4"], [true, false]])
  })

  it("however new ends the connection of who asks for it once the day's upload is reached", () => {
    const harness = near().ready(1)
    harness.isTargetReached = true
    harness.getdata(1, [20], MSG_FILTERED_BLOCK)
    expect(harness.parted()).toEqual(["1 NotServed upload-target"])
  })

  it("is forgotten with who asked for it", () => {
    const harness = near().ready(1).getdata(1, [3], MSG_FILTERED_BLOCK).read(1, 3).gone(1)
    harness.input({ _tag: "FilteredGiven", peer: PeerId(1), isSent: true })
    expect([harness.told(1), harness.sync.isEmpty]).toEqual([[], true])
  })
})
