import { type Transaction } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { Pools, txidsOf } from "./Pools.ts"
import { TestChain, blockOf, coinbaseOf, hexOf, idOf, outputOf, pay, strange } from "./TestChain.ts"

describe("a block that joins the chain", () => {
  it("takes what it holds out of the pool and leaves what depends on that, with its fee", () => {
    const pools = new Pools()
    const parent = pay([pools.chain.fund(100_000)], [90_000])
    const child = pay([outputOf(parent)], [80_000])
    const other = pay([pools.chain.fund(100_000)], [90_000])
    for (const tx of [parent, child, other]) pools.submit(tx)
    const { conflicting, removed } = pools.connect([coinbaseOf(1000), parent])
    expect([txidsOf(removed), txidsOf(conflicting)]).toEqual([[hexOf(parent)], []])
    expect(pools.txids).toEqual([child, other].map(hexOf))
    expect(pools.pool.findByTxid(idOf(child))?.fee).toBe(10_000)
  })

  it("takes out what spends the same as one of its transactions, with all that depends on it", () => {
    const pools = new Pools()
    const coin = pools.chain.fund(100_000)
    const ours = pay([coin], [90_000])
    const child = pay([outputOf(ours)], [80_000])
    for (const tx of [ours, child]) pools.submit(tx)
    const { conflicting, removed } = pools.connect([coinbaseOf(1000), pay([coin], [70_000])])
    expect([txidsOf(removed), txidsOf(conflicting)]).toEqual([[], [ours, child].map(hexOf)])
    expect(pools.pool.count).toBe(0)
  })

  it("may hold a transaction with another witness than ours has", () => {
    const pools = new Pools()
    const coin = pools.chain.fund(100_000)
    pools.submit(pay([coin], [90_000], { witness: 10 }))
    const { removed } = pools.connect([coinbaseOf(1000), pay([coin], [90_000], { witness: 20 })])
    expect(removed.length).toBe(1)
  })

  it("lets a parent be in a later place of the pool's accounts: limits count what is left", () => {
    const pools = new Pools()
    const chain = [pay([pools.chain.fund(900_000)], [890_000])]
    for (let i = 1; i < 26; i++) chain.push(pay([outputOf(chain[i - 1] as Transaction)], [890_000 - 1000 * i]))
    for (const tx of chain.slice(0, 25)) pools.submit(tx)
    expect(pools.verdict(chain[25] as Transaction)).toBe("too-long-mempool-chain")
    pools.connect([coinbaseOf(1000), chain[0] as Transaction])
    expect(pools.verdict(chain[25] as Transaction)).toBe("Accepted")
  })
})

describe("a block that leaves the chain", () => {
  it("gives its transactions back, parents first, under what was there already", () => {
    const pools = new Pools()
    const parent = pay([pools.chain.fund(100_000)], [90_000])
    const child = pay([outputOf(parent)], [80_000])
    pools.connect([coinbaseOf(1000), parent, child])
    const waiting = pay([outputOf(child)], [70_000])
    pools.submit(waiting)
    const { removed, returned } = pools.disconnect()
    expect([txidsOf(returned), removed]).toEqual([[parent, child].map(hexOf), []])
    expect(pools.txids).toEqual([waiting, parent, child].map(hexOf))
    const { transactions } = pools.pool.forBlock(100_000)
    expect(transactions.map((tx) => hexOf(tx.materialise()))).toEqual([parent, child, waiting].map(hexOf))
  })

  it("gives them back whatever they pay", () => {
    const pools = new Pools()
    const free = pay([pools.chain.fund(100_000)], [100_000])
    expect(pools.verdict(free)).toBe("min relay fee not met")
    pools.connect([coinbaseOf(1000), free])
    expect(txidsOf(pools.disconnect().returned)).toEqual([hexOf(free)])
  })

  it("takes its coinbase along, with all that depends on it", () => {
    const chain = new TestChain()
    const pools = new Pools(chain)
    const coinbase = coinbaseOf(1000)
    pools.connect([coinbase])
    for (let height = 1001; height < 1100; height++) pools.connect([coinbaseOf(height)])
    const spending = pay([outputOf(coinbase)], [4_999_000_000])
    const child = pay([outputOf(spending)], [4_998_000_000])
    for (const tx of [spending, child]) expect(pools.verdict(tx)).toBe("Accepted")
    // It is young again once the tip is one lower.
    expect(txidsOf(pools.disconnect().removed)).toEqual([spending, child].map(hexOf))
    expect(pools.verdict(spending)).toBe("bad-txns-premature-spend-of-coinbase")
    const unsound = new Pools(new TestChain("none"))
    unsound.submit(spending)
    const { removed } = unsound.pool.disconnected(blockOf([coinbase]), unsound.now)
    expect(txidsOf(removed)).toEqual([hexOf(spending)])
  })

  it("takes along what no block may hold any more as its lock time is to come again", () => {
    const pools = new Pools()
    const coins = [pools.chain.fund(100_000), pools.chain.fund(100_000)] as const
    pools.connect([coinbaseOf(1000)])
    const locked = pay([coins[0]], [90_000], { lockTime: 1000 })
    const free = pay([coins[1]], [90_000], { lockTime: 999 })
    for (const tx of [locked, free]) expect(pools.verdict(tx)).toBe("Accepted")
    expect(txidsOf(pools.disconnect().removed)).toEqual([hexOf(locked)])
    expect(pools.txids).toEqual([hexOf(free)])
  })

  it("takes along what depends on a transaction that does not come back", () => {
    const pools = new Pools(new TestChain("none"))
    // No pool takes it, as it is too big; a block may hold it.
    const big = pay([strange(1)], [90_000], { witness: 400_000 })
    pools.connect([coinbaseOf(1000), big])
    const child = pay([outputOf(big)], [80_000])
    pools.submit(child)
    const { removed, returned } = pools.disconnect()
    expect([returned, txidsOf(removed)]).toEqual([[], [hexOf(child)]])
  })
})

describe("a reorganisation", () => {
  it("leaves in the pool what the new chain lacks and allows", () => {
    const pools = new Pools()
    const { chain, pool } = pools
    const [a, b, c] = [1, 2, 3].map(() => chain.fund(100_000)) as [never, never, never]
    const [shared, doubled, gone] = [a, b, c].map((coin) => pay([coin], [90_000])) as [
      Transaction,
      Transaction,
      Transaction
    ]
    const child = pay([outputOf(gone)], [80_000])
    pools.connect([coinbaseOf(1000), shared, gone])
    pools.connect([coinbaseOf(1001), doubled, child])
    const upper = chain.disconnect()
    const lower = chain.disconnect()
    const other = pay([b], [70_000])
    const joined = [[coinbaseOf(1000, 1), shared], [coinbaseOf(1001, 1), other], [coinbaseOf(1002, 1)]]
    for (const block of joined) chain.connect(block)
    // The coins are those of the new tip already: what it has spent does not come back.
    for (const block of [lower, upper]) pool.disconnected(blockOf(block), pools.now)
    expect(pools.txids).toEqual([gone, child].map(hexOf))
    for (const block of joined) pool.connected(blockOf(block), pools.now)
    expect(pools.txids).toEqual([gone, child].map(hexOf))
  })

  it("comes to the same where no coins are known", () => {
    const pools = new Pools(new TestChain("none"))
    const [shared, doubled, gone] = [1, 2, 3].map((fill) => pay([strange(fill)], [90_000])) as [
      Transaction,
      Transaction,
      Transaction
    ]
    const child = pay([outputOf(gone)], [80_000])
    for (const block of [
      [shared, gone],
      [doubled, child]
    ]) {
      pools.pool.disconnected(blockOf([coinbaseOf(1000), ...block]), pools.now)
    }
    for (const block of [[shared], [pay([strange(2)], [70_000])]]) {
      pools.pool.connected(blockOf([coinbaseOf(1000, 1), ...block]), pools.now)
    }
    expect(pools.txids).toEqual([gone, child].map(hexOf))
  })
})
