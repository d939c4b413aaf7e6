import { type Transaction, transactionSize } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { Pools, txidsOf } from "./Pools.ts"
import { type Outpoint, TestChain, hexOf, idOf, outputOf, pay, strange } from "./TestChain.ts"

/** A transaction of one size that pays `fee` of a coin of 100,000. */
const paying = (coin: Outpoint, fee: number, sequence = 0xffffffff): Transaction =>
  pay([coin], [100_000 - fee], { sequence })
const VSIZE = transactionSize(paying(strange(1), 0))
/** What its own bytes cost at 100 sat/kvB. */
const OWN = Math.ceil(VSIZE / 10)

describe("a transaction that spends what another one spends", () => {
  it("takes its place where it pays its own way on top, whatever the other one signals", () => {
    const pools = new Pools()
    const coin = pools.chain.fund(100_000)
    const first = paying(coin, 1000)
    expect(pools.verdict(first)).toBe("Accepted")
    const low = pools.submit(paying(coin, 1000 + OWN - 1))
    expect(low).toEqual({
      _tag: "Rejected",
      rule: "insufficient fee",
      isWitnessMutable: true,
      isReconsiderable: true,
      evicted: []
    })
    const second = paying(coin, 1000 + OWN)
    const result = pools.submit(second)
    expect(result._tag === "Accepted" && txidsOf(result.replaced)).toEqual([hexOf(first)])
    expect(pools.txids).toEqual([hexOf(second)])
  })

  it("pays for all that depends on the other one too", () => {
    const pools = new Pools()
    const coin = pools.chain.fund(100_000)
    const first = paying(coin, 1000)
    const child = pay([outputOf(first)], [94_000])
    for (const tx of [first, child]) pools.submit(tx)
    expect(pools.verdict(paying(coin, 6000 + OWN - 1))).toBe("insufficient fee")
    const result = pools.submit(paying(coin, 6000 + OWN))
    expect(result._tag === "Accepted" && txidsOf(result.replaced)).toEqual([first, child].map(hexOf))
    expect(pools.pool.count).toBe(1)
  })

  it("has the higher fee rate of the two", () => {
    const pools = new Pools()
    const coin = pools.chain.fund(100_000)
    pools.submit(paying(coin, 1000))
    expect(pools.verdict(pay([coin], [97_000], { pad: 3 * VSIZE }))).toBe("insufficient fee")
    expect(pools.verdict(pay([coin], [97_000], { pad: VSIZE }))).toBe("Accepted")
  })

  it("does not stand on what it replaces", () => {
    const pools = new Pools()
    const coin = pools.chain.fund(100_000)
    const first = pay([coin], [49_000, 50_000])
    pools.submit(first)
    expect(pools.verdict(pay([coin, outputOf(first)], [100_000]))).toBe("bad-txns-spends-conflicting-tx")
  })

  it("spends nothing new that is unconfirmed", () => {
    const pools = new Pools()
    const coin = pools.chain.fund(100_000)
    const other = pay([pools.chain.fund(100_000)], [50_000, 49_000])
    for (const tx of [paying(coin, 1000), other]) pools.submit(tx)
    expect(pools.verdict(pay([coin, outputOf(other)], [100_000]))).toBe("replacement-adds-unconfirmed")
    // Of the parents of what it replaces it may spend more.
    const child = pay([outputOf(other)], [48_000])
    pools.submit(child)
    expect(pools.verdict(pay([outputOf(other), outputOf(other, 1)], [50_000]))).toBe("Accepted")
    expect(pools.pool.hasTxid(idOf(child))).toBe(false)
  })

  it("takes out a hundred at most", () => {
    const pools = new Pools()
    const families = Array.from({ length: 5 }, () => {
      const coin = pools.chain.fund(100_000)
      const head = pay(
        [coin],
        Array.from({ length: 24 }, () => 3000)
      )
      pools.submit(head)
      const add = (index: number): unknown => pools.submit(pay([outputOf(head, index)], [2000]))
      return { coin, add }
    })
    for (const { add } of families.slice(0, 4)) for (let index = 0; index < 24; index++) add(index)
    const all = (from: number, to: number): Transaction =>
      pay(
        families.slice(from, to).map(({ coin }) => coin),
        [1000],
        { sequence: 0 }
      )
    // Four families of 25, and one more transaction.
    expect(pools.verdict(all(0, 5))).toBe("too many potential replacements")
    const result = pools.submit(all(0, 4))
    expect(result._tag === "Accepted" && result.replaced.length).toBe(100)
    expect(pools.pool.count).toBe(2)
  })

  it("does not count what it replaces where limits of kin are looked at", () => {
    const pools = new Pools()
    const parent = pay(
      [pools.chain.fund(900_000)],
      Array.from({ length: 24 }, () => 30_000)
    )
    pools.submit(parent)
    for (let index = 0; index < 24; index++) pools.submit(pay([outputOf(parent, index)], [20_000]))
    expect(pools.pool.count).toBe(25)
    expect(pools.verdict(pay([outputOf(parent)], [5000]))).toBe("Accepted")
    expect(pools.pool.count).toBe(25)
  })
})

describe("where a fee is not known", () => {
  it("what came first stays", () => {
    const unknown = new Pools(new TestChain("none"))
    unknown.submit(pay([strange(1)], [50_000]))
    expect(unknown.verdict(pay([strange(1)], [1]))).toBe("txn-mempool-conflict")
    const half = new Pools(new TestChain(({ txid }) => txid[0] !== 9))
    const coin = half.chain.fund(100_000)
    half.submit(pay([coin, strange(9)], [10]))
    expect(half.verdict(paying(coin, 90_000))).toBe("txn-mempool-conflict")
  })
})
