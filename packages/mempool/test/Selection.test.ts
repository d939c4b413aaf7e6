import { type Transaction, transactionWeight } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { Pools } from "./Pools.ts"
import { TestChain, hexOf, outputOf, pay, strange } from "./TestChain.ts"

const chosenOf = (pools: Pools, maxWeight = 4_000_000, withWitness = true): ReadonlyArray<string> =>
  pools.pool.forBlock(maxWeight, withWitness).transactions.map((tx) => hexOf(tx.materialise()))

const submitted = (pools: Pools, ...all: ReadonlyArray<Transaction>): ReadonlyArray<string> => {
  for (const tx of all) expect(pools.verdict(tx)).toBe("Accepted")
  return all.map(hexOf)
}

describe("a block's transactions", () => {
  it("are those of the highest fee rates, as many as fit", () => {
    const pools = new Pools()
    const [low, high, middle] = [1000, 9000, 5000].map((fee) => pay([pools.chain.fund(100_000)], [100_000 - fee])) as [
      Transaction,
      Transaction,
      Transaction
    ]
    submitted(pools, low, high, middle)
    expect(chosenOf(pools)).toEqual([high, middle, low].map(hexOf))
    expect(chosenOf(pools, 2 * transactionWeight(low))).toEqual([high, middle].map(hexOf))
    expect(chosenOf(pools, transactionWeight(low) - 1)).toEqual([])
    expect(pools.pool.forBlock(2 * transactionWeight(low)).fees).toBe(14_000n)
  })

  it("go on with smaller ones where a big one does not fit", () => {
    const pools = new Pools()
    const big = pay([pools.chain.fund(900_000)], [500_000], { pad: 3000 })
    const small = pay([pools.chain.fund(100_000)], [99_000])
    submitted(pools, big, small)
    expect(chosenOf(pools, transactionWeight(big) - 1)).toEqual([hexOf(small)])
  })

  it("have a child bring its parents along, each parent before its child", () => {
    const pools = new Pools()
    const poor = pay([pools.chain.fund(100_000)], [50_000, 49_900])
    const rich = pay([outputOf(poor)], [10_000])
    const middle = pay([pools.chain.fund(100_000)], [98_000])
    const sibling = pay([outputOf(poor, 1)], [49_700])
    submitted(pools, poor, middle, sibling, rich)
    expect(chosenOf(pools)).toEqual([poor, rich, middle, sibling].map(hexOf))
  })

  it("count for a second child only what is not taken yet", () => {
    const pools = new Pools()
    const poor = pay([pools.chain.fund(100_000)], [50_000, 49_000], { pad: 4000 })
    const first = pay([outputOf(poor)], [10_000])
    const second = pay([outputOf(poor, 1)], [48_000])
    const other = pay([pools.chain.fund(100_000)], [99_500])
    submitted(pools, poor, first, second, other)
    // By itself the second child pays more than the other; with its parent it would pay less.
    expect(chosenOf(pools)).toEqual([poor, first, second, other].map(hexOf))
  })

  it("end with those whose fees are not known, in the order of arrival", () => {
    const pools = new Pools(new TestChain(({ txid }) => txid[0] !== txid[1]))
    const unknown = [5, 3, 4].map((fill) => pay([strange(fill)], [1000]))
    const known = pay([pools.chain.fund(100_000)], [99_000])
    submitted(pools, ...unknown, known)
    expect(chosenOf(pools)).toEqual([known, ...unknown].map(hexOf))
    expect(pools.pool.forBlock(4_000_000).fees).toBe(1000n)
  })

  it("are none with a witness, nor any that depend on one, where the block may hold no witnesses", () => {
    const pools = new Pools()
    const witnessed = pay([pools.chain.fund(100_000)], [90_000], { witness: 30 })
    const child = pay([outputOf(witnessed)], [80_000])
    const plain = pay([pools.chain.fund(100_000)], [90_000])
    submitted(pools, witnessed, child, plain)
    expect(chosenOf(pools, 4_000_000, false)).toEqual([hexOf(plain)])
  })

  it("ask for no more signature operations than a block may", () => {
    const pools = new Pools()
    const script = new Uint8Array(4000).fill(0xac)
    const all = Array.from({ length: 6 }, () => pay([pools.chain.fund(100_000)], [50_000], { script }))
    submitted(pools, ...all)
    // Each costs 16,000 of 80,000, of which some are the coinbase's.
    expect(chosenOf(pools).length).toBe(4)
  })
})
