import { PeerId } from "@satwire/machine"
import { MSG_CMPCT_BLOCK, MSG_WITNESS_BLOCK, MSG_WTX } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { SyncHarness, faultOf } from "./SyncHarness.ts"
import { hashOf } from "./TestTree.ts"

const peer = PeerId(1)

/** A chain whose blocks are here but for the last. */
const near = (options: ConstructorParameters<typeof SyncHarness>[0] = {}): SyncHarness =>
  new SyncHarness({ headers: 10, has: 9, ...options })

const typesAsked = (harness: SyncHarness): ReadonlyArray<number> =>
  harness
    .take("Send")
    .flatMap(({ message }) => (message._tag === "getdata" ? [...message.inventory].map(({ type }) => type) : []))

describe("a block that somebody brings in another way", () => {
  it("is asked of nobody else, and of others once it is not brought any more", () => {
    const harness = near().ready(1, { best: -1 }).ready(2, { best: -1 })
    harness.input({ _tag: "BlockClaimed", peer, header: 10 }).advanced(2, 10)
    expect(harness.asked(2)).toEqual([])
    expect(harness.sync.askedOf(10)).toEqual([1])
    harness.input({ _tag: "BlockReleased", peer, header: 10 })
    expect(harness.asked(2)).toEqual([10])
  })

  it("is asked for whole of the same peer where that failed, and nobody else meanwhile", () => {
    const harness = near().ready(1, { best: -1 }).ready(2, { best: -1 })
    harness.input({ _tag: "BlockClaimed", peer, header: 10 }).advanced(2, 10)
    harness.input({ _tag: "BlockAskedWhole", peer, header: 10 })
    expect(typesAsked(harness)).toEqual([MSG_WITNESS_BLOCK])
    harness.gives(1, [10])
    expect(harness.moves()).toEqual(["-0 +1 on 9 to 10"])
  })

  it("is asked of others when who brings it leaves", () => {
    const harness = near().ready(1, { best: -1 }).ready(2, { best: -1 })
    harness.input({ _tag: "BlockClaimed", peer, header: 10 }).advanced(2, 10).gone(1)
    expect(harness.asked(2)).toEqual([10])
  })

  it("that was put together here costs nobody anything where it is bad, and is fetched again where that may help", () => {
    for (const isMutation of [true, false]) {
      const harness = near().ready(1, { best: -1 }).ready(2, { best: -1 })
      harness.checks = false
      harness.input({ _tag: "BlockClaimed", peer, header: 10 })
      const block = harness.tree.block(10)
      harness.input({ _tag: "BlockReceived", from: peer, block, hash: hashOf(10), isRebuilt: true })
      harness.checked(10, faultOf("bad-txnmrklroot", isMutation)).advanced(2, 10)
      expect(harness.parted()).toEqual([])
      expect(harness.take("BlockInvalid")).toHaveLength(isMutation ? 0 : 1)
      if (isMutation) expect(harness.asked(2)).toEqual([10])
    }
  })

  it("is asked for in short where that is worth it, and only where it is all that a peer is asked for", () => {
    const compact = { shouldAsk: () => true }
    expect(typesAsked(near({ compact }).ready(1))).toEqual([MSG_CMPCT_BLOCK])
    expect(typesAsked(near({ compact, has: 8 }).ready(1))).toEqual([MSG_WITNESS_BLOCK, MSG_WITNESS_BLOCK])
    expect(typesAsked(near({ compact: { shouldAsk: () => false } }).ready(1))).toEqual([MSG_WITNESS_BLOCK])
  })
})

describe("a getdata", () => {
  it("for a block in short is answered by who knows how", () => {
    const harness = new SyncHarness({ headers: 3, has: 3 }).ready(1).getdata(1, [3], MSG_CMPCT_BLOCK)
    harness.take("Send")
    harness.read(1, 3)
    expect(harness.take("Send")).toEqual([])
    expect(harness.take("GiveCompact")).toMatchObject([{ peer: 1, header: 3 }])
  })

  it("leaves transactions to who has them, where somebody does", () => {
    const asks = (leavesTransactions: boolean): ReadonlyArray<string> => {
      const harness = new SyncHarness({ headers: 3, has: 3, leavesTransactions }).ready(1)
      harness.asks(1, [{ type: MSG_WTX, hash: hashOf(9) }]).drained(1)
      return harness.told(1)
    }
    expect([asks(true), asks(false)]).toEqual([[], ["notfound -1"]])
  })
})
