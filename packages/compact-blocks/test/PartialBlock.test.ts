import { equals } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { BlockView, TransactionView } from "@satwire/primitives"
import { describeWithData } from "@satwire/testkit"
import { type CmpctBlock, encodePayload } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type TransactionPool, PartialBlock, buildCompactBlock } from "../src/index.ts"
import { begin, begun, compact, madeBlock, sixBlocks, transactionsOf, whole } from "./Blocks.ts"
import { TestPool } from "./TestPool.ts"

/** Whether transaction `i` is in a pool that has so many in a hundred. */
const isPooled = (i: number, percent: number): boolean => Math.imul(i, 0x9e3779b1) >>> 0 < (percent / 100) * 2 ** 32

describeWithData(describe, "six blocks of mainnet, one after another", (data) => {
  const blocks = sixBlocks(data).map((block) => {
    const pooled = transactionsOf(block).slice(1)
    return { block, pooled: new TestPool(pooled, true, platformSha256) }
  })

  it.each([
    [100, 99],
    [99, 97],
    [90, 85]
  ])(
    "come whole from a pool that has %i in a hundred of their transactions, and save more than %i of a hundred bytes",
    (percent, saved) => {
      let [blockBytes, messageBytes] = [0, 0]
      for (const { block, pooled } of blocks) {
        const { count, txids, wtxids } = pooled
        const kept = Array.from({ length: count }, (_, i) => i).filter((i) => isPooled(i, percent))
        const column = (of: Uint8Array): Uint8Array => {
          const bytes = new Uint8Array(32 * kept.length)
          kept.forEach((i, slot) => bytes.set(of.subarray(32 * i, 32 * i + 32), 32 * slot))
          return bytes
        }
        const pool: TransactionPool = {
          count: kept.length,
          wtxids: column(wtxids),
          txids: column(txids as Uint8Array),
          transaction: (slot) => pooled.transaction(kept[slot] as number)
        }
        const message = buildCompactBlock(platformSha256, block, { nonce: 3n })
        const options = { sha256: platformSha256, message, pools: [pool], hasWitness: true }
        const result = PartialBlock.begin(options)
        const partial = result._tag === "Begun" ? result.partial : undefined
        const completed = partial?.complete(partial.missing.map((i) => block.transaction(i)))
        if (completed?._tag !== "Whole") throw new Error("it is not whole")
        expect(equals(completed.block.bytes, block.bytes)).toBe(true)
        expect(equals(completed.wtxids, block.wtxids(platformSha256))).toBe(true)
        const fetched = block.transactionCount - 1 - kept.length
        expect(completed.stats).toMatchObject({ prefilled: 1, fromPools: [kept.length], fetched })
        blockBytes += completed.stats.blockBytes
        messageBytes += completed.stats.messageBytes
      }
      expect(100 * (1 - messageBytes / blockBytes)).toBeGreaterThan(saved)
    }
  )
})

const block = madeBlock(30)
const transactions = transactionsOf(block)
const tx = (i: number): TransactionView => transactions[i] as TransactionView

describe("a block that came as short ids", () => {
  it("is whole once what its pools lack was fetched, wherever each of the rest is", () => {
    const place = fc.constantFrom("first", "second", "both", "neither", "whole")
    const places = fc.array(place, { minLength: 31, maxLength: 31 })
    fc.assert(
      fc.property(places, fc.boolean(), fc.boolean(), fc.nat(3), (where, hasTxids, isShifted, junk) => {
        const numbers = (...names: ReadonlyArray<string>): ReadonlyArray<number> =>
          where.flatMap((name, i) => (i > 0 && names.includes(name) ? [i] : []))
        const others = transactionsOf(madeOthers).slice(1, 1 + junk)
        const poolOf = (list: ReadonlyArray<number>): TestPool => new TestPool([...others, ...list.map(tx)], hasTxids)
        const pools = [poolOf(numbers("first", "both")), poolOf(numbers("second", "both").toReversed())]
        const message = compact(block, { prefill: numbers("whole") })
        const partial = begun(message, ...(isShifted ? pools.map(shifted) : pools))
        expect(partial.missing).toEqual(numbers("neither"))
        const completed = whole(partial.complete(partial.missing.map(tx)))
        expect(completed.block).toEqual(block)
        expect(completed.wtxids).toEqual(block.wtxids(portableSha256))
        expect(completed.stats).toEqual({
          transactions: 31,
          prefilled: 1 + numbers("whole").length,
          fromPools: [numbers("first", "both").length, numbers("second").length],
          fetched: numbers("neither").length,
          blockBytes: block.bytes.length,
          messageBytes: encodePayload(message).length + fetchedBytes(numbers("neither"))
        })
      }),
      { numRuns: 60 }
    )
  })

  it("of nothing but its coinbase needs no pool", () => {
    const lonely = BlockView.join(block.rawHeader, [tx(0)])
    expect(begun(compact(lonely)).missing).toEqual([])
  })

  it("is looked for no further once all of it is found", () => {
    const other: TransactionPool = {
      count: 1,
      wtxids: new Uint8Array(32),
      get txids(): Uint8Array {
        return new Uint8Array(32)
      },
      transaction: () => expect.unreachable("nothing of it is in the block")
    }
    expect(begun(compact(block), new TestPool(transactions), other).missing).toEqual([])
  })
})

const madeOthers = madeBlock(29, 210)

/** The same pool in memory that does not begin at a word. */
const shifted = (pool: TestPool): TransactionPool => {
  const bytes = new Uint8Array(pool.wtxids.length + 1)
  bytes.set(pool.wtxids, 1)
  return { count: pool.count, wtxids: bytes.subarray(1), transaction: (slot) => pool.transaction(slot) }
}

const ZERO = new Uint8Array(32) as never
const fetchedBytes = (indexes: ReadonlyArray<number>): number =>
  indexes.length === 0
    ? 0
    : encodePayload({ _tag: "getblocktxn", blockHash: ZERO, indexes }).length +
      encodePayload({ _tag: "blocktxn", blockHash: ZERO, transactions: indexes.map(tx) }).length

describe("short ids that collide", () => {
  /**
   * Two numbers whose 32 bytes, lowest first, have one short id under a header and a nonce of zeros. Found by hashing the numbers below 2^25
   * and sorting what came out.
   */
  const [A, B] = [20_499_989, 32_534_790]
  const SHORT_ID = Uint8Array.from([0x7a, 0x63, 0x59, 0xcb, 0x64, 0xdb])
  const header = {
    version: 0,
    previousBlock: ZERO,
    merkleRoot: new Uint8Array(32),
    time: 0,
    bits: 0,
    nonce: 0
  }
  const message: CmpctBlock = {
    _tag: "cmpctblock",
    header,
    nonce: 0n,
    shortIds: SHORT_ID,
    prefilled: [{ index: 0, tx: tx(0) }]
  }
  const pool = (...wtxids: ReadonlyArray<number>): TransactionPool => {
    const bytes = new Uint8Array(32 * wtxids.length)
    wtxids.forEach((number, slot) => new DataView(bytes.buffer).setUint32(32 * slot, number, true))
    return { count: wtxids.length, wtxids: bytes, transaction: tx }
  }

  it("with one of a pool's transactions give that one", () => {
    for (const found of [pool(A), pool(B), pool(5, B)]) expect(begun(message, found).missing).toEqual([])
  })

  it("with two of them give none, whether they are in one pool or in two, though a third is found", () => {
    // Two short ids, so that the search goes on after the first was found.
    const two = { ...message, shortIds: Uint8Array.from([...SHORT_ID, 1, 2, 3, 4, 5, 6]) }
    const nobody = [1, 2]
    expect(begun(two, pool(A, B)).missing).toEqual(nobody)
    expect(begun(two, pool(A), pool(B)).missing).toEqual(nobody)
    expect(begun(two, pool(A, B), pool(A)).missing).toEqual(nobody)
    expect(begun(two, pool(A), pool(B, A), pool(B)).missing).toEqual(nobody)
  })

  it("are not looked for once all of the block is found, as in Core", () => {
    expect(begun(message, pool(A, B)).missing).toEqual([])
    expect(begun(message, pool(A), pool(B)).missing).toEqual([])
  })

  it("are no collision where one transaction is in two pools", () => {
    const two = { ...message, shortIds: Uint8Array.from([...SHORT_ID, 1, 2, 3, 4, 5, 6]) }
    expect(begun(two, pool(A), pool(5, A)).missing).toEqual([2])
  })

  it("with another transaction than the block's fail at the end, and nobody is to blame", () => {
    // As a collision shows itself: the pool has what has the id of transaction 3, and it is another.
    const honest = compact(block)
    const shortIds = honest.shortIds.slice()
    shortIds.set(honest.shortIds.subarray(0, 6), 6 * 2)
    shortIds.set(honest.shortIds.subarray(6 * 2, 6 * 3), 0)
    const partial = begun({ ...honest, shortIds }, new TestPool(transactions))
    expect(partial.missing).toEqual([])
    expect(partial.complete([])).toEqual({ _tag: "Failed", because: "mutated" })
  })

  it("with one another fail at once, as more than twelve in one bucket do", () => {
    const honest = compact(block)
    const doubled = honest.shortIds.slice()
    doubled.copyWithin(6, 0, 6)
    const crowded = new Uint8Array(6 * 13).map((_, i) => (i % 6 === 5 ? i : 1))
    for (const shortIds of [doubled, crowded]) {
      expect(begin({ ...honest, shortIds })).toEqual({ _tag: "Failed", because: "short-ids" })
    }
  })
})

describe("a compact block that no honest peer sends", () => {
  const honest = compact(block)
  const with_ = (change: Partial<CmpctBlock>): string => begin({ ...honest, ...change }, new TestPool([]))._tag
  const at = (...indexes: ReadonlyArray<number>): CmpctBlock["prefilled"] =>
    indexes.map((index) => ({ index, tx: tx(0) }))
  const NOTHING = new Uint8Array(0)

  it("has nothing in it", () => {
    expect(with_({ shortIds: NOTHING, prefilled: [] })).toBe("Invalid")
    expect(with_({ shortIds: NOTHING })).toBe("Begun")
    expect(with_({ prefilled: [] })).toBe("Begun")
  })

  it("has whole transactions at numbers that do not rise, or that leave a place for which there is nothing", () => {
    expect(with_({ prefilled: at(0, 0) })).toBe("Invalid")
    expect(with_({ prefilled: at(2, 1) })).toBe("Invalid")
    expect(with_({ prefilled: at(-1) })).toBe("Invalid")
    expect(with_({ prefilled: at(30) })).toBe("Begun")
    expect(with_({ prefilled: at(31) })).toBe("Invalid")
    expect(with_({ shortIds: NOTHING, prefilled: at(0, 1, 2) })).toBe("Begun")
    expect(with_({ shortIds: NOTHING, prefilled: at(0, 2) })).toBe("Invalid")
  })

  it("has a transaction of no inputs and no outputs", () => {
    const none = TransactionView.of({ version: 1, inputs: [], outputs: [], lockTime: 0 })
    expect(with_({ prefilled: [{ index: 0, tx: none }] })).toBe("Invalid")
  })

  it("has more transactions than there are numbers of 16 bits", () => {
    const ids = (count: number): Uint8Array => {
      const bytes = new Uint8Array(6 * count)
      const view = new DataView(bytes.buffer)
      for (let i = 0; i < count; i++) view.setUint32(6 * i, i, true)
      return bytes
    }
    expect(with_({ shortIds: ids(65_535) })).toBe("Invalid")
    const most = begun({ ...honest, shortIds: ids(65_534) }, new TestPool([]))
    expect([most.missing.length, most.missing.at(-1)]).toEqual([65_534, 65_534])
  })
})

describe("what is to be put together", () => {
  const big = TransactionView.of({
    ...tx(1).materialise(),
    outputs: [{ amount: 0n as never, scriptPubKey: new Uint8Array(520_000) }]
  })

  it("never weighs more than a block may, wherever its parts come from", () => {
    const withBig = BlockView.join(block.rawHeader, [tx(0), big, tx(1)])
    const message = compact(withBig, { prefill: [1], maxPrefilledBytes: 1e6 })
    expect(begin(message)._tag).toBe("Begun")
    const twice = { ...message, prefilled: [...message.prefilled, { index: 2, tx: big }] }
    expect(begin(twice)).toEqual({ _tag: "Failed", because: "weight" })
    expect(begun(message).complete([big])).toEqual({ _tag: "Failed", because: "weight" })
    const pooled = compact(BlockView.join(block.rawHeader, [big, big]), { prefill: [0] })
    expect(begin(pooled, new TestPool([big]))).toEqual({ _tag: "Failed", because: "weight" })
  })
})

describe("a blocktxn", () => {
  const partial = (): PartialBlock => begun(compact(block), new TestPool(transactions.slice(3)))

  it("completes the block once; the second is an answer like any other", () => {
    const once = partial()
    expect(once.missing).toEqual([1, 2])
    expect(once.complete([tx(1), tx(2)])._tag).toBe("Whole")
    expect(once.complete([tx(1), tx(2)])).toEqual({ _tag: "Used" })
    expect(once.complete([])).toEqual({ _tag: "Used" })
  })

  it("of too few or too many transactions is nobody's but its sender's fault", () => {
    for (const wrong of [[], [tx(1)], [tx(1), tx(2), tx(3)]]) {
      const once = partial()
      expect(once.complete(wrong)).toEqual({ _tag: "Invalid" })
      expect(once.complete([tx(1), tx(2)])).toEqual({ _tag: "Used" })
    }
  })

  it("of other transactions, or in another order, may be a collision", () => {
    for (const wrong of [
      [tx(2), tx(1)],
      [tx(1), tx(1)],
      [tx(1), madeOthers.transaction(2)]
    ]) {
      expect(partial().complete(wrong)).toEqual({ _tag: "Failed", because: "mutated" })
    }
  })

  it("of the right transaction with another witness is found out by the commitment", () => {
    const changed = tx(2).materialise()
    const witness = changed.inputs.map((input) => ({ ...input, witness: [Uint8Array.of(1, 2, 3)] }))
    const other = TransactionView.of({ ...changed, inputs: witness })
    expect(other.txid(portableSha256)).toEqual(tx(2).txid(portableSha256))
    expect(partial().complete([tx(1), other])).toEqual({ _tag: "Failed", because: "mutated" })
    expect(partial().complete([tx(1), tx(2)])._tag).toBe("Whole")
  })

  it("that doubles the tail of the block is found out, though the root is the same (CVE-2012-2459)", () => {
    const tail = BlockView.join(block.rawHeader, [...transactions, tx(30)])
    const message = compact(tail)
    // Equal ids give it away at once; whole, they do not.
    expect(begin(message)).toEqual({ _tag: "Failed", because: "short-ids" })
    const wholly = compact(tail, { prefill: [30, 31] })
    expect(begun(wholly, new TestPool(transactions.slice(1))).complete([])).toEqual({
      _tag: "Failed",
      because: "mutated"
    })
  })
})
