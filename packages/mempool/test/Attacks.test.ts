/** What a peer could try on a pool that takes whatever it sends: rows 12 and 24 of the attacks that a node is to survive. */
import { ChaChaRandom } from "@satwire/crypto"
import { type Transaction, TransactionParts } from "@satwire/primitives"
import * as fc from "fast-check"
import { arbitraryTransaction } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import { SpentOutpoints } from "../src/SpentOutpoints.ts"
import { TransactionBytes } from "../src/TransactionBytes.ts"
import { Pools } from "./Pools.ts"
import { type Outpoint, TestChain, blockOf, coinbaseOf, outputOf, pay, strange, viewOf } from "./TestChain.ts"

/** Outpoints that differ in a few bits of the last word of their txid alone. */
const alike = (i: number): Outpoint => {
  const txid = new Uint8Array(32).fill(0x77)
  new DataView(txid.buffer).setUint16(30, i)
  return { txid, index: 5 }
}

describe("outpoints that a peer chose", () => {
  it.each([
    ["that all look alike", alike],
    ["of one transaction", (i: number) => strange(7, i)]
  ])("%s are told apart, and taken out again", (_, make) => {
    const pools = new Pools(new TestChain("none"))
    const count = 2500
    for (let i = 0; i < count; i++) expect(pools.verdict(pay([make(i)], [1000], { pad: i % 3 }))).toBe("Accepted")
    for (let i = 0; i < count; i += 100) expect(pools.verdict(pay([make(i)], [999]))).toBe("txn-mempool-conflict")
    const block = [
      coinbaseOf(1000),
      pay(
        Array.from({ length: 2000 }, (_unused, i) => make(i)),
        [5]
      )
    ]
    expect(pools.pool.connected(blockOf(block), pools.now).conflicting.length).toBe(2000)
    expect(pools.pool.count).toBe(500)
  })

  it("lie in a table in which no known choice of them meets: the mix is keyed and takes all bytes", () => {
    const bytes = new TransactionBytes()
    const tx = viewOf(
      pay(
        Array.from({ length: 200 }, (_, i) => alike(i)),
        [1]
      )
    )
    bytes.put(0, tx.bytes)
    const spent = new SpentOutpoints(bytes, ChaChaRandom.fromNumber(1))
    const parts = new TransactionParts().begin(tx.bytes)
    while (parts.nextInput()) spent.add(0, parts.outpoint)
    expect(spent.size).toBe(200)
    parts.begin(tx.bytes)
    while (parts.nextInput()) expect(spent.spender(tx.bytes, parts.outpoint)).toBe(0)
  })
})

describe("a transaction that is made to cost much", () => {
  it("by inputs that all spend one parent of many outputs, walks over the parent once", () => {
    const pools = new Pools()
    const parent = pay(
      [pools.chain.fund(2_000_000)],
      Array.from({ length: 2400 }, () => 800),
      { script: new Uint8Array(1) }
    )
    expect(pools.verdict(parent)).toBe("Accepted")
    const { txid } = outputOf(parent)
    const inputs = parent.outputs.map((_, index) => ({ txid, index: 2399 - index }))
    expect(pools.verdict(pay(inputs.slice(0, 1600), [1_000_000]))).toBe("Accepted")
  })

  it("by thousands of missing parents, names each once", () => {
    const pools = new Pools()
    const inputs = Array.from({ length: 2000 }, (_, i) => ({ ...alike(i >> 1), index: i }))
    const result = pools.submit(pay(inputs, [1000]))
    expect(result._tag === "MissingInputs" && result.parents.length).toBe(1000)
  })

  it("by spending what thousands of others spend, is weighed against none where a fee is not known", () => {
    const pools = new Pools(new TestChain("none"))
    for (let i = 0; i < 2000; i++) pools.submit(pay([alike(i)], [1000]))
    expect(
      pools.verdict(
        pay(
          Array.from({ length: 2000 }, (_, i) => alike(i)),
          [1]
        )
      )
    ).toBe("txn-mempool-conflict")
    expect(pools.pool.count).toBe(2000)
  })

  it("by a thousand children that came before it, keeps as many as may hang together", () => {
    const pools = new Pools(new TestChain("none"))
    const parent = pay(
      [strange(1)],
      Array.from({ length: 1000 }, () => 1000),
      { script: new Uint8Array(1) }
    )
    const { txid } = outputOf(parent)
    for (let index = 0; index < 1000; index++) pools.submit(pay([{ txid, index }], [500]))
    expect(pools.verdict(parent)).toBe("Accepted")
    expect(pools.pool.count).toBe(25)
  })
})

describe("whatever a peer sends", () => {
  it("throws nothing, and takes no more memory than there may be", () => {
    fc.assert(
      fc.property(fc.array(arbitraryTransaction, { maxLength: 40 }), (all) => {
        const pools = new Pools(new TestChain("none"), { maxBytes: 3000 })
        for (const tx of all.map((each): Transaction => ({ ...each, version: 2, lockTime: 0 }))) {
          const result = pools.submit(tx)
          expect(["Accepted", "Rejected"]).toContain(result._tag)
          expect(pools.pool.memoryBytes).toBeLessThanOrEqual(3000)
        }
      }),
      { numRuns: 60 }
    )
  })
})

describe("a pool of thousands", () => {
  it("takes them, gives a block of them back and is empty in the end", () => {
    const pools = new Pools(new TestChain("none"))
    const random = ChaChaRandom.fromNumber(3)
    const all: Array<Transaction> = []
    for (let i = 0; i < 6000; i++) {
      const tx = pay([{ txid: random.bytes(32), index: 0 }], [1000])
      all.push(tx)
      pools.submit(tx)
    }
    expect(pools.pool.count).toBe(6000)
    expect(pools.pool.wtxids.length).toBeGreaterThanOrEqual(32 * 6000)
    for (let i = 0; i < 6000; i += 1000) {
      const block = blockOf([coinbaseOf(1000 + i), ...all.slice(i, i + 1000)])
      expect(pools.pool.connected(block, pools.now).removed.length).toBe(1000)
    }
    expect([pools.pool.count, pools.pool.memoryBytes]).toEqual([0, 0])
  })
})
