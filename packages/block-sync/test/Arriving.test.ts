import { Inventory, MSG_WITNESS_BLOCK } from "@satwire/wire"
import { PeerId } from "@satwire/machine"
import { BlockView, type Satoshis, type Txid, regtest } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { SyncHarness, faultOf, range } from "./SyncHarness.ts"
import { hashOf } from "./TestTree.ts"

const MUTATED = faultOf("bad-txnmrklroot", true)
const INVALID = faultOf("bad-cb-height", false)

describe("bytes that are not the block of their header", () => {
  it("cost who sent them the connection, and the block is asked of another", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1).ready(2)
    harness.asked(1)
    harness.checks = false
    harness.gives(1, [2]).checked(2, MUTATED)
    expect(harness.parted()).toEqual(["1 BadBlock bad-txnmrklroot"])
    expect(harness.asked(2)).toEqual([2])
    expect(harness.take("BlockInvalid")).toEqual([])
  })

  it("are not asked for of the same peer again for a minute, even if its connection stays", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1)
    harness.asked(1)
    harness.checks = false
    harness.gives(1, [2]).checked(2, MUTATED).elapse(59_999)
    expect(harness.asked(1)).toEqual([])
  })

  it("count for nothing where blocks are measured", () => {
    const harness = new SyncHarness({ headers: 40 }).ready(1)
    harness.checks = false
    harness.asked(1)
    harness.gives(1, [1], 4_000_000).checked(1, MUTATED).gives(1, [2, 3, 4], 1000)
    for (const header of [2, 3, 4]) harness.checked(header)
    expect(harness.asked(1).length).toBeGreaterThan(8)
  })

  it("do not stay in memory with what came behind a block in its message", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1)
    harness.checks = false
    harness.asked(1)
    const output = { amount: 0n as Satoshis, scriptPubKey: new Uint8Array(30_000) }
    const previousOutput = { txid: new Uint8Array(32) as Txid, index: 0 }
    const input = { previousOutput, scriptSig: new Uint8Array(0), sequence: 0, witness: [] }
    const block = BlockView.of({
      header: harness.tree.block(1).header,
      transactions: [{ version: 1, inputs: [input], outputs: [output], lockTime: 0 }]
    })
    const message = new Uint8Array(4_000_000)
    message.set(block.bytes)
    const view = block.movedTo(message.subarray(0, block.bytes.length))
    harness.input({ _tag: "BlockReceived", from: PeerId(1), block: view, hash: hashOf(1) })
    const kept = harness.take("CheckBlock").map(({ block: { bytes } }) => bytes.buffer.byteLength)
    expect(kept).toEqual([block.bytes.length])
  })

  it("leave alone what another peer was asked for, which then is taken (CVE-2024-52921)", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1).ready(2)
    harness.checks = false
    harness.gives(2, [2]).checked(2, MUTATED)
    expect(harness.parted()).toEqual(["2 BadBlock bad-txnmrklroot"])
    expect(harness.sync.snapshot().inFlight).toBe(4)
    harness.gone(2).gives(1, [2])
    harness.checked(2)
    expect(harness.take("StoreBlock").map(({ header }) => header)).toEqual([2])
    expect(harness.parted()).toEqual([])
  })

  it("make nobody lose the block that came while they were looked at", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1).ready(2)
    harness.asked(1)
    harness.checks = false
    harness.gives(2, [2]).gives(1, [2])
    expect(harness.take("CheckBlock")).toHaveLength(1)
    harness.checked(2, MUTATED)
    expect(harness.parted()).toEqual(["2 BadBlock bad-txnmrklroot"])
    expect(harness.take("CheckBlock").map(({ header }) => header)).toEqual([2])
    harness.checked(2)
    expect(harness.take("BlockAccepted")).toMatchObject([{ header: 2, from: 1 }])
    expect(harness.sync.snapshot()).toMatchObject({ waiting: 0, waitingBytes: 0 })
  })

  it("do not let others' second copies pile up", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1).ready(2)
    harness.checks = false
    harness.gives(1, [1], 20_000).gives(2, [1, 1, 1], 20_000)
    expect(harness.sync.snapshot()).toMatchObject({ waiting: 1, waitingBytes: 20_000 })
  })
})

describe("a block that breaks a rule", () => {
  it("is told of, costs its sender the connection and discouragement, and is fetched from nobody else", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1).ready(2)
    harness.checks = false
    harness.gives(1, [1]).checked(1, INVALID)
    expect(harness.take("BlockInvalid")).toMatchObject([{ header: 1, fault: { rule: "bad-cb-height" } }])
    expect(harness.parted()).toEqual(["1 BadBlock bad-cb-height"])
    harness.tree.invalidate(1)
    harness.asked(2)
    expect(harness.headersMoved(true).asked(2)).toEqual([])
  })

  it("leaves us on the best of the valid chains that are whole", () => {
    const harness = new SyncHarness({ headers: 20, has: 20 })
    const fork = harness.tree.grow(10, 8)
    harness.headersMoved().ready(1, { best: fork })
    // Blocks of less work are here since they came before ours did.
    harness.input({ _tag: "BlocksStored", headers: range(21, 28) })
    expect(harness.moves()).toEqual([])
    harness.tree.invalidate(15)
    harness.headersMoved(true)
    expect(harness.moves()).toEqual(["-10 +8 on 10 to 28"])
  })

  it("leaves us where it stands if there is no other chain, and what was taken back is followed again", () => {
    const harness = new SyncHarness({ headers: 20, has: 20 })
    harness.tree.invalidate(15)
    expect(harness.headersMoved(true).moves()).toEqual(["-6 +0 on 14 to 14"])
    harness.tree.reconsider()
    expect(harness.headersMoved(true).moves()).toEqual(["-0 +6 on 14 to 20"])
  })

  it("takes with it what is on its way behind it", () => {
    const harness = new SyncHarness({ headers: 8 }).ready(1)
    harness.checks = false
    harness.gives(1, [1, 2, 3, 4])
    harness.checked(1).checked(2, INVALID)
    harness.tree.invalidate(2)
    harness.headersMoved(true).checked(3).checked(4)
    expect(harness.take("StoreBlock").map(({ header }) => header)).toEqual([1])
    expect(harness.sync.snapshot()).toMatchObject({ waiting: 0, targetHeight: 1 })
    expect(
      harness
        .gives(1, [5])
        .take("CheckBlock")
        .map(({ header }) => header)
    ).toEqual([1, 2, 3, 4])
  })
})

describe("a block that nobody was asked for", () => {
  const take = (harness: SyncHarness, header: number): boolean => {
    harness.take("CheckBlock")
    return harness.gives(1, [header]).take("CheckBlock").length === 1
  }
  const HAS = { headers: 500, has: 200 }

  it("is taken if it is a new tip", () => {
    const harness = new SyncHarness(HAS).ready(1, { best: -1 })
    expect(take(harness, 201)).toBe(true)
    expect(harness.tip).toBe(201)
  })

  it("is taken if it has as much work as our tip", () => {
    const harness = new SyncHarness({ headers: 200, has: 200 }).ready(1, { best: -1 })
    const other = harness.tree.grow(199, 1)
    expect(take(harness, other)).toBe(true)
    expect(harness.tip).toBe(200)
  })

  it("is passed over if it has less work than our tip", () => {
    const harness = new SyncHarness(HAS).ready(1, { best: -1 })
    expect(take(harness, harness.tree.grow(198, 1))).toBe(false)
    expect(harness.parted()).toEqual([])
  })

  it("is passed over more than 288 blocks above our tip", () => {
    const harness = new SyncHarness(HAS).ready(1, { best: -1 })
    expect([take(harness, 489), take(harness, 488)]).toEqual([false, true])
  })

  it("is passed over if its chain has less work than a chain of the network must have", () => {
    const params = { ...regtest, minimumChainWork: 1000n }
    const harness = new SyncHarness({ ...HAS, params }).ready(1, { best: -1 })
    expect([take(harness, 201), take(harness, 499)]).toEqual([false, false])
  })

  it("is passed over above the last block that is wanted", () => {
    const harness = new SyncHarness({ headers: 8, wanted: { to: 3 } }).ready(1, { best: -1 })
    harness.gives(1, [1, 2, 3, 4, 5])
    expect(harness.take("StoreBlock").map(({ header }) => header)).toEqual([1, 2, 3])
  })

  it("is passed over if it is here, or was and is pruned", () => {
    const harness = new SyncHarness({ headers: 400, has: 300, prunedTo: 100 }).ready(1, { best: -1 })
    expect([take(harness, 50), take(harness, 300)]).toEqual([false, false])
  })

  it("is passed over if its chain is invalid", () => {
    const harness = new SyncHarness(HAS).ready(1, { best: -1 })
    harness.tree.invalidate(201)
    expect(take(harness.headersMoved(true), 202)).toBe(false)
    expect(harness.parted()).toEqual([])
  })

  it("costs its sender the connection if nobody knows its parent", () => {
    const harness = new SyncHarness({ headers: 3 }).ready(1)
    const block = harness.tree.block(99, 81, 98)
    harness.input({ _tag: "BlockReceived", from: PeerId(1), block, hash: hashOf(99) })
    expect(harness.parted()).toEqual(["1 BadBlock prev-blk-not-found"])
  })

  it("costs nothing if its parent is known and its header was not taken", () => {
    const harness = new SyncHarness({ headers: 3 }).ready(1)
    const block = harness.tree.block(99, 81, 3)
    harness.input({ _tag: "BlockReceived", from: PeerId(1), block, hash: hashOf(99) })
    expect(harness.parted()).toEqual([])
  })

  it("is taken from whoever sends it where anybody was asked, as in Core", () => {
    const harness = new SyncHarness({ headers: 20, has: 10 })
    const fork = harness.tree.grow(3, 20)
    harness.headersMoved().ready(2)
    expect(harness.asked(2)[0]).toBe(21)
    expect(harness.tree.compareWork(21, harness.tip)).toBeLessThan(0)
    expect(take(harness.ready(1, { best: fork }), 21)).toBe(true)
  })

  it("is taken if it is our own, whatever its work", () => {
    const harness = new SyncHarness({ headers: 200, has: 200 })
    const own = harness.tree.grow(100, 1)
    harness.input({ _tag: "BlockReceived", from: undefined, block: harness.tree.block(own), hash: hashOf(own) })
    expect(harness.take("BlockAccepted")).toMatchObject([{ header: own, from: undefined }])
  })
})

describe("a block that is kept", () => {
  it("has memory of its own where what it came in is used again", () => {
    const harness = new SyncHarness({ headers: 3 }).ready(1)
    const block = harness.tree.block(1)
    harness.input({ _tag: "BlockReceived", from: PeerId(1), block, hash: hashOf(1) })
    block.bytes.fill(0xa5)
    const [stored] = harness.take("StoreBlock")
    expect(stored?.block.bytes).toEqual(harness.tree.block(1).bytes)
  })

  it("is not copied where its memory is its own", () => {
    const harness = new SyncHarness({ headers: 3 }).ready(1)
    const block = harness.tree.block(1, 100_000)
    harness.input({ _tag: "BlockReceived", from: PeerId(1), block, hash: hashOf(1) })
    expect(harness.take("StoreBlock")[0]?.block).toBe(block)
  })

  it("is fetched again if it got lost while it was checked", () => {
    const harness = new SyncHarness({ headers: 1 }).ready(1)
    harness.checks = false
    harness.gives(1, harness.asked(1)).input({ _tag: "BlockDropped", header: 1 })
    expect(harness.asked(1)).toEqual([1])
    expect(harness.parted()).toEqual([])
  })
})

describe("a question for blocks", () => {
  it("asks for them with their witnesses", () => {
    const harness = new SyncHarness({ headers: 2 }).ready(1)
    const [sent] = harness.take("Send")
    expect(sent?.message).toEqual({
      _tag: "getdata",
      inventory: Inventory.ofType(MSG_WITNESS_BLOCK, [hashOf(1), hashOf(2)])
    })
  })
})
