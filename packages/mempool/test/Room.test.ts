import { type Transaction, transactionWeight } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { DEFAULT_MEMPOOL_EXPIRY_SECONDS } from "../src/index.ts"
import { Pools, txidsOf } from "./Pools.ts"
import { TestChain, coinbaseOf, hexOf, outputOf, pay, strange } from "./TestChain.ts"

const HOUR = 3600
/** A pool of known coins that has room for about so many transactions of `paying`. */
const roomFor = (count: number, chain = new TestChain()): Pools => {
  const measured = new Pools(chain.knowledge === "none" ? new TestChain("none") : new TestChain())
  measured.submit(paying(measured, 1000))
  return new Pools(chain, { maxBytes: Math.ceil((count + 0.5) * measured.pool.memoryBytes) })
}
const paying = (pools: Pools, fee: number): Transaction => pay([pools.chain.fund(100_000)], [100_000 - fee])
const vsizeOf = (tx: Transaction): number => Math.ceil(transactionWeight(tx) / 4)

describe("a pool that is full", () => {
  it("lets the lowest fee rate go, and not the last one that came", () => {
    const pools = roomFor(3)
    const all = [3000, 1000, 2000, 4000].map((fee) => paying(pools, fee))
    const results = all.map((tx) => pools.submit(tx))
    const last = results[3]
    expect(last?._tag === "Accepted" && txidsOf(last.evicted)).toEqual([hexOf(all[1] as Transaction)])
    expect(pools.txids).toEqual([0, 2, 3].map((i) => hexOf(all[i] as Transaction)))
  })

  it("does not take what would be the lowest", () => {
    const pools = roomFor(2)
    for (const fee of [2000, 3000]) pools.submit(paying(pools, fee))
    expect(pools.submit(paying(pools, 1000))).toMatchObject({
      rule: "mempool full",
      isWitnessMutable: true,
      evicted: []
    })
    expect(pools.pool.count).toBe(2)
  })

  it("says what else left where a big one did not fit in the end", () => {
    const pools = roomFor(3)
    const low = paying(pools, 100)
    for (const tx of [low, paying(pools, 20_000), paying(pools, 20_000)]) pools.submit(tx)
    const big = pay([pools.chain.fund(100_000)], [90_000], { pad: 3000 })
    const result = pools.submit(big)
    expect(result).toMatchObject({ _tag: "Rejected", rule: "mempool full" })
    expect(result._tag === "Rejected" && txidsOf(result.evicted)).toEqual([hexOf(low)])
  })

  it("keeps a parent that pays little for a child that pays much, and lets both go together", () => {
    const pools = roomFor(3)
    const parent = paying(pools, 100)
    const child = pay([outputOf(parent)], [80_000])
    for (const tx of [parent, child, paying(pools, 5000), paying(pools, 5000)]) pools.submit(tx)
    expect(pools.txids.slice(0, 2)).toEqual([parent, child].map(hexOf))
    for (let i = 0; i < 3; i++) pools.submit(paying(pools, 50_000))
    expect(pools.pool.hasTxid(outputOf(parent).txid) || pools.pool.hasTxid(outputOf(child).txid)).toBe(false)
  })

  it("lets what has no known fee go first, the oldest of it before the others", () => {
    const chain = new TestChain(({ txid }) => txid[0] !== txid[1])
    const pools = new Pools(chain, { maxBytes: 1800 })
    const known = paying(pools, 200)
    const unknown = [1, 2, 3, 4].map((fill) => pay([strange(fill)], [1000]))
    for (const tx of [unknown[0] as Transaction, known, ...unknown.slice(1)]) pools.submit(tx)
    expect(pools.txids).toEqual([known, ...unknown.slice(1)].map(hexOf))
  })

  it("takes no more memory than it may, whatever comes", () => {
    const pools = roomFor(5)
    for (let i = 0; i < 60; i++) {
      pools.submit(pay([pools.chain.fund(100_000)], [100_000 - 100 * i], { pad: (i * 37) % 500 }))
      expect(pools.pool.memoryBytes).toBeLessThanOrEqual(6 * 500)
    }
  })
})

describe("the least fee rate", () => {
  const filled = (): { readonly pools: Pools; readonly rate: number } => {
    const pools = roomFor(4)
    const low = paying(pools, 1000)
    for (const tx of [low, ...[2000, 3000, 4000, 5000].map((fee) => paying(pools, fee))]) pools.submit(tx)
    return { pools, rate: Math.round((1000 * 1000) / vsizeOf(low) + 100) }
  }

  it("jumps above what had to leave, and is asked of what comes", () => {
    const { pools, rate } = filled()
    expect(pools.pool.minFeeRateSatPerKvb).toBe(rate)
    expect(pools.verdict(paying(pools, 1000))).toBe("mempool min fee not met")
  })

  it("stays until a block has come, then halves every 12 hours", () => {
    const { pools, rate } = filled()
    pools.unix += 30 * HOUR
    pools.pool.expire(pools.now)
    expect(pools.pool.minFeeRateSatPerKvb).toBe(rate)
    pools.connect([coinbaseOf(1000)])
    pools.unix += 12 * HOUR
    pools.pool.expire(pools.now)
    expect(pools.pool.minFeeRateSatPerKvb).toBe(Math.round(rate / 2))
    pools.unix += 6 * HOUR
    pools.pool.expire(pools.now)
    expect(pools.pool.minFeeRateSatPerKvb).toBe(Math.round(rate / 2 ** 1.5))
  })

  it("falls twice as fast below half of the room, four times below a quarter, and to the least in the end", () => {
    const { pools, rate } = filled()
    const entries = [...pools.pool.entries()].map(({ tx }) => tx.materialise())
    pools.connect([coinbaseOf(1000), ...entries.slice(0, 3)])
    expect(pools.pool.count).toBe(1)
    pools.unix += 3 * HOUR
    pools.pool.expire(pools.now)
    expect(pools.pool.minFeeRateSatPerKvb).toBe(Math.round(rate / 2))
    pools.unix += 100 * HOUR
    pools.pool.expire(pools.now)
    expect(pools.pool.minFeeRateSatPerKvb).toBe(100)
    expect(pools.verdict(paying(pools, 100))).toBe("Accepted")
  })
})

describe("what waits for longer than 336 hours", () => {
  it("leaves with all that depends on it", () => {
    const pools = new Pools()
    const old = paying(pools, 1000)
    pools.submit(old)
    pools.unix += 10
    const other = paying(pools, 1000)
    const child = pay([outputOf(old)], [50_000])
    for (const tx of [other, child]) pools.submit(tx)
    pools.unix += DEFAULT_MEMPOOL_EXPIRY_SECONDS - 10
    expect(pools.pool.expire(pools.now)).toEqual([])
    pools.unix += 1
    expect(txidsOf(pools.pool.expire(pools.now))).toEqual([old, child].map(hexOf))
    expect(pools.txids).toEqual([hexOf(other)])
    pools.unix += 20
    expect(pools.pool.expire(pools.now).length).toBe(1)
  })

  it("leaves in the order of arrival, though the clock went back meanwhile", () => {
    const pools = new Pools()
    pools.submit(paying(pools, 1000))
    pools.unix -= 1000
    pools.submit(paying(pools, 1000))
    pools.unix += DEFAULT_MEMPOOL_EXPIRY_SECONDS + 1001
    expect(pools.pool.expire(pools.now).length).toBe(2)
  })
})
