import { MAX_MONEY } from "@satwire/consensus"
import { portableSha256 } from "@satwire/crypto"
import { type Transaction, Txid, toHex, transactionSize, transactionWeight } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { MAX_STANDARD_TX_SIGOPS_COST, MAX_STANDARD_TX_WEIGHT } from "../src/index.ts"
import { Pools } from "./Pools.ts"
import { TestChain, coinbaseOf, idOf, outputOf, pay, strange, viewOf, wtxidHexOf } from "./TestChain.ts"

describe("a transaction whose coins are known", () => {
  it("is taken, with its fee, and found by txid and wtxid and in its slot", () => {
    const pools = new Pools()
    const tx = pay([pools.chain.fund(50_000), pools.chain.fund(50_000)], [60_000, 39_000], { witness: 70 })
    const result = pools.submit(tx)
    const vsize = Math.ceil(transactionWeight(tx) / 4)
    expect(result).toMatchObject({ _tag: "Accepted", replaced: [], evicted: [] })
    const entry = pools.pool.find(viewOf(tx).wtxid(portableSha256))
    expect(entry).toMatchObject({ fee: 1000, feeRateSatPerKvb: (1000 * 1000) / vsize, unix: pools.unix, sequence: 1 })
    expect(entry?.tx.materialise()).toEqual(tx)
    expect(result._tag === "Accepted" && result.entry).toEqual(entry)
    expect(pools.pool.findByTxid(idOf(tx))).toEqual(entry)
    expect([pools.pool.hasTxid(idOf(tx)), pools.pool.hasWtxid(idOf(tx)), pools.pool.count]).toEqual([true, false, 1])
    expect(toHex(pools.pool.wtxids.subarray(0, 32))).toBe(wtxidHexOf(tx))
    expect(pools.pool.transaction(0).materialise()).toEqual(tx)
    expect(() => pools.pool.transaction(1)).toThrow(RangeError)
  })

  it("is met in the order of arrival by who goes through all, whatever comes and leaves meanwhile", () => {
    const pools = new Pools()
    const [first, second, third, fourth, last] = Array.from({ length: 5 }, (_, i) =>
      pay([pools.chain.fund(50_000 + i)], [40_000])
    ) as [Transaction, Transaction, Transaction, Transaction, Transaction]
    for (const tx of [first, second, third, fourth]) pools.submit(tx)
    const met: Array<string> = []
    const walk = pools.pool.entries()
    const meet = (): void => {
      const { done, value } = walk.next()
      met.push(done === true ? "end" : toHex(value.txid))
    }
    for (let i = 0; i < 2; i++) meet()
    // The one that was met last leaves with the next, and another takes its place in memory.
    pools.connect([coinbaseOf(1000), second, third])
    pools.submit(last)
    for (let i = 0; i < 3; i++) meet()
    expect(met).toEqual([...[first, second, fourth, last].map((tx) => toHex(idOf(tx))), "end"])
  })

  it("is copied: what its bytes lay in may be used again", () => {
    const pools = new Pools()
    const view = viewOf(pay([pools.chain.fund(50_000)], [49_000]))
    const before = view.bytes.slice()
    pools.pool.submit(view, pools.now)
    view.bytes.fill(0)
    expect(pools.pool.transaction(0).bytes).toEqual(before)
  })

  it("may spend outputs of the pool, whose amounts are known", () => {
    const pools = new Pools()
    const parent = pay([pools.chain.fund(50_000)], [30_000, 19_000])
    const child = pay([outputOf(parent), outputOf(parent, 1)], [48_000])
    expect([parent, child].map((tx) => pools.verdict(tx))).toEqual(["Accepted", "Accepted"])
    expect(pools.pool.findByTxid(idOf(child))?.fee).toBe(1000)
    expect(pools.verdict(pay([outputOf(parent, 2)], [1000]))).toBe("bad-txns-inputs-missingorspent")
  })

  it("pays out no more than comes in, and what comes in is money", () => {
    const pools = new Pools()
    expect(pools.verdict(pay([pools.chain.fund(50_000)], [50_001]))).toBe("bad-txns-in-belowout")
    const rich = pay([pools.chain.fund(MAX_MONEY), pools.chain.fund(1)], [1000])
    expect(pools.verdict(rich)).toBe("bad-txns-inputvalues-outofrange")
  })

  it("spends a coinbase only where the next block is the hundredth on top", () => {
    const pools = new Pools(new TestChain("all", 1000))
    const spending = (height: number): Transaction =>
      pay([pools.chain.fund(50_000, { height, isCoinbase: true })], [49_000])
    expect(pools.verdict(spending(901))).toBe("bad-txns-premature-spend-of-coinbase")
    expect(pools.verdict(spending(900))).toBe("Accepted")
  })

  it("pays at least the least rate", () => {
    const pools = new Pools()
    const paying = (fee: number): Transaction => pay([pools.chain.fund(50_000)], [50_000 - fee])
    const vsize = Math.ceil(transactionWeight(paying(0)) / 4)
    const least = Math.ceil((100 * vsize) / 1000)
    expect(pools.submit(paying(least - 1))).toMatchObject({ rule: "min relay fee not met", isReconsiderable: true })
    expect(pools.submit(pay([pools.chain.fund(1)], [2]))).toMatchObject({ isReconsiderable: false })
    expect(pools.verdict(paying(least))).toBe("Accepted")
    expect(pools.pool.minFeeRateSatPerKvb).toBe(100)
  })
})

describe("a transaction that spends what is not there", () => {
  it("names each transaction once that neither pool nor chain has", () => {
    const pools = new Pools()
    const tx = pay([strange(9, 1), strange(3), pools.chain.fund(500), strange(9, 0), strange(3, 7)], [100])
    const result = pools.submit(tx)
    expect(result).toEqual({ _tag: "MissingInputs", parents: [Txid(strange(3).txid), Txid(strange(9).txid)] })
    expect(pools.pool.count).toBe(0)
  })

  it("is known where the chain has it", () => {
    const pools = new Pools()
    const tx = pay([pools.chain.fund(50_000)], [49_000])
    pools.connect([coinbaseOf(1000), tx])
    expect(pools.verdict(tx)).toBe("txn-already-known")
  })

  it("is taken without a fee where the lookup cannot tell, and has one once what it spends has come", () => {
    const pools = new Pools(new TestChain("none"))
    const parent = pay([strange(1)], [50_000])
    const child = pay([outputOf(parent)], [49_000])
    const grandchild = pay([outputOf(child), strange(2)], [1000])
    for (const tx of [grandchild, child]) expect(pools.verdict(tx)).toBe("Accepted")
    expect(pools.pool.findByTxid(idOf(child))).toMatchObject({ fee: undefined, feeRateSatPerKvb: undefined })
    expect(pools.verdict(parent)).toBe("Accepted")
    const fees = [parent, child, grandchild].map((tx) => pools.pool.findByTxid(idOf(tx))?.fee)
    expect(fees).toEqual([undefined, 1000, undefined])
  })

  it("leaves, with what depends on it, where what it spends comes and has too little", () => {
    const pools = new Pools(new TestChain("none"))
    const parent = pay([strange(1)], [50_000])
    const child = pay([outputOf(parent)], [50_001])
    const grandchild = pay([outputOf(child)], [1000])
    for (const tx of [child, grandchild]) pools.submit(tx)
    const result = pools.submit(parent)
    const evicted = result._tag === "Accepted" ? result.evicted.map(({ txid }) => txid) : []
    expect(evicted).toEqual([idOf(child), idOf(grandchild)])
    expect(pools.txids.length).toBe(1)
  })
})

describe("a transaction's form", () => {
  const verdictOf = (tx: Transaction): unknown => {
    const result = new Pools(new TestChain("none")).submit(tx)
    return result._tag === "Rejected" ? [result.rule, result.isWitnessMutable] : result._tag
  }

  it.each([
    ["a coinbase", coinbaseOf(1000), ["coinbase", false]],
    ["no outputs", pay([strange(1)], []), ["bad-txns-vout-empty", false]],
    ["twice the same input", pay([strange(1), strange(1)], [1]), ["bad-txns-inputs-duplicate", false]],
    ["too much money", pay([strange(1)], [MAX_MONEY + 2]), ["bad-txns-vout-toolarge", false]],
    ["version 0", pay([strange(1)], [1], { version: 0 }), ["version", false]],
    ["version 4", pay([strange(1)], [1], { version: 4 }), ["version", false]],
    ["version 3", pay([strange(1)], [1], { version: 3 }), "Accepted"],
    ["a lock time to come", pay([strange(1)], [1], { lockTime: 1000 }), ["non-final", false]],
    ["a lock time that has passed", pay([strange(1)], [1], { lockTime: 999 }), "Accepted"],
    ["a lock time that does not count", pay([strange(1)], [1], { lockTime: 1000, sequence: 0xffffffff }), "Accepted"]
  ])("with %s", (_, tx, expected) => expect(verdictOf(tx)).toEqual(expected))

  it("has more than 64 bytes without its witness", () => {
    const ofScript = (length: number): Transaction =>
      pay([strange(1)], [1], { script: new Uint8Array(length), witness: 40 })
    expect(transactionSize(ofScript(5), false)).toBe(65)
    expect(verdictOf(ofScript(5))).toBe("Accepted")
    expect(verdictOf(ofScript(4))).toEqual(["tx-size-small", false])
  })

  it("weighs at most 400,000, which its witness may change", () => {
    const ofWitness = (witness: number): Transaction => pay([strange(1)], [1], { witness })
    const rest = transactionWeight(ofWitness(70_000)) - 70_000
    expect(verdictOf(ofWitness(MAX_STANDARD_TX_WEIGHT - rest))).toBe("Accepted")
    expect(verdictOf(ofWitness(MAX_STANDARD_TX_WEIGHT - rest + 1))).toEqual(["tx-size", true])
  })

  it("asks for signature operations of a fifth of a block at most", () => {
    const checks = (count: number): Transaction => pay([strange(1)], [1], { script: new Uint8Array(count).fill(0xac) })
    const most = MAX_STANDARD_TX_SIGOPS_COST / 4
    expect(verdictOf(checks(most))).toBe("Accepted")
    expect(verdictOf(checks(most + 1))).toEqual(["bad-txns-too-many-sigops", false])
  })
})

describe("a transaction that is there already", () => {
  it("is told apart from one with another witness, of which neither is taken", () => {
    const pools = new Pools()
    const coin = pools.chain.fund(50_000)
    const tx = pay([coin], [49_000], { witness: 10 })
    pools.submit(tx)
    expect(pools.verdict(tx)).toBe("txn-already-in-mempool")
    expect(pools.verdict(pay([coin], [49_000], { witness: 11 }))).toBe("txn-same-nonwitness-data-in-mempool")
    expect(pools.verdict(pay([coin], [49_000]))).toBe("txn-same-nonwitness-data-in-mempool")
    expect(pools.pool.count).toBe(1)
  })
})

describe("what hangs together", () => {
  const chainOf = (from: Transaction, count: number, pad = 0): ReadonlyArray<Transaction> => {
    const all = [from]
    while (all.length < count) {
      const last = all.at(-1) as Transaction
      all.push(pay([outputOf(last)], [Number(last.outputs[0]?.amount) - 10_000], { pad }))
    }
    return all
  }

  it("is at most 25 transactions in a row", () => {
    const pools = new Pools()
    const chain = chainOf(pay([pools.chain.fund(900_000)], [890_000]), 26)
    const verdicts = chain.map((tx) => pools.verdict(tx))
    expect(verdicts.slice(0, 25)).toEqual(Array.from({ length: 25 }, () => "Accepted"))
    expect(verdicts[25]).toBe("too-long-mempool-chain")
  })

  it("is at most 25 transactions that hang on one", () => {
    const pools = new Pools()
    const parent = pay(
      [pools.chain.fund(900_000)],
      Array.from({ length: 26 }, () => 30_000)
    )
    pools.submit(parent)
    const verdicts = parent.outputs.map((_, index) => pools.verdict(pay([outputOf(parent, index)], [20_000])))
    expect(verdicts.map((verdict) => verdict === "Accepted")).toEqual(parent.outputs.map((_, index) => index < 24))
  })

  it("is at most 101,000 virtual bytes", () => {
    const pools = new Pools()
    const chain = chainOf(pay([pools.chain.fund(900_000)], [890_000], { pad: 33_500 }), 3, 33_500)
    expect(chain.map((tx) => pools.verdict(tx))).toEqual(["Accepted", "Accepted", "Accepted"])
    const last = chain[2] as Transaction
    const room = 101_000 - chain.reduce((sum, tx) => sum + transactionSize(tx), 0)
    const ofSize = (pad: number): Transaction => pay([outputOf(last)], [850_000], { pad })
    const pad = room - transactionSize(ofSize(0))
    expect(pools.verdict(ofSize(pad + 1))).toBe("too-long-mempool-chain")
    expect(pools.verdict(ofSize(pad))).toBe("Accepted")
  })

  it("leaves out children that came before it where they would be too many", () => {
    const pools = new Pools(new TestChain("none"))
    const parent = pay(
      [strange(1)],
      Array.from({ length: 30 }, () => 30_000)
    )
    for (let index = 0; index < 30; index++) pools.submit(pay([outputOf(parent, index)], [20_000]))
    const result = pools.submit(parent)
    expect(result._tag === "Accepted" && result.evicted.length).toBe(6)
    expect(pools.pool.count).toBe(25)
  })
})

describe("what is told of a transaction", () => {
  it("has its kin, what they pay together, and the height at which it came", () => {
    const pools = new Pools()
    const parent = pay([pools.chain.fund(100_000)], [40_000, 50_000])
    const child = pay([outputOf(parent)], [39_000])
    const grandchild = pay([outputOf(child), outputOf(parent, 1)], [80_000])
    for (const tx of [parent, child, grandchild]) pools.submit(tx)
    const details = pools.pool.details(idOf(child))
    const sizes = [parent, child, grandchild].map((tx) => transactionSize(tx))
    expect(details).toMatchObject({
      vsize: sizes[1],
      height: pools.chain.next().height - 1,
      ancestors: { count: 2, fee: 11_000, vsize: (sizes[0] ?? 0) + (sizes[1] ?? 0) },
      descendants: { count: 2, fee: 10_000, vsize: (sizes[1] ?? 0) + (sizes[2] ?? 0) },
      depends: [idOf(parent)],
      spentBy: [idOf(grandchild)]
    })
    expect(pools.pool.kin(idOf(parent), "descendants")?.length).toBe(2)
    expect(pools.pool.kin(idOf(grandchild), "ancestors")?.length).toBe(2)
    expect(pools.pool.kin(idOf(pay([strange(3)], [1])), "ancestors")).toBeUndefined()
    expect(pools.pool.totals).toEqual({ fee: 20_000, vsize: sizes.reduce((sum, size) => sum + size, 0) })
    const unknown = pay([strange(2)], [1000])
    const poor = new Pools(new TestChain("none"))
    poor.submit(unknown)
    expect(poor.pool.details(idOf(unknown))?.ancestors.fee).toBeUndefined()
  })
})
