/** The pool beside a naive one on random histories: what is there after every step, what was said, and what a block would hold. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import type { Random } from "@satwire/machine"
import { Satoshis, type Transaction, toHex, wtxid } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { ENTRY_BYTES, INPUT_BYTES, LINK_BYTES } from "../src/PoolGraph.ts"
import { NaiveMempool } from "./NaiveMempool.ts"
import { Pools } from "./Pools.ts"
import {
  type Knowledge,
  type Outpoint,
  TestChain,
  blockOf,
  coinbaseOf,
  hexOf,
  keyOf,
  outputOf,
  pay,
  strange,
  viewOf
} from "./TestChain.ts"

const pick = <A>(random: Random, items: ReadonlyArray<A>): A => items[random.below(items.length)] as A

class History {
  readonly pools: Pools
  readonly naive: NaiveMempool
  readonly said: Set<string> = new Set()
  readonly #random: Random
  readonly #chain: TestChain
  /** All outpoints that were ever made, and what is in them. */
  readonly #outpoints: Array<readonly [Outpoint, number]> = []
  readonly #made: Array<Transaction> = []
  #held: Transaction | undefined
  #salt = 0

  constructor(seed: number, knowledge: Knowledge, maxBytes: number) {
    this.#random = ChaChaRandom.fromNumber(seed)
    this.#chain = new TestChain(knowledge)
    this.pools = new Pools(this.#chain, { maxBytes })
    this.naive = new NaiveMempool({
      coins: knowledge === "none" ? undefined : this.#chain,
      nextBlock: () => this.#chain.next(),
      maxBytes,
      bytesOf: (inputs, size, parents) => ENTRY_BYTES + size + INPUT_BYTES * inputs + LINK_BYTES * parents
    })
    for (let i = 0; i < 12; i++) this.#outpoints.push([this.#chain.fund(1_000_000), 1_000_000])
    for (const height of [899, 900, 901, 902, 903]) {
      this.#outpoints.push([this.#chain.fund(1_000_000, { height, isCoinbase: true }), 1_000_000])
    }
  }

  step(): void {
    const random = this.#random
    const chance = random.below(100)
    if (chance < 50) this.#submit(this.#make())
    else if (chance < 55 && this.#made.length > 0) this.#submit(this.#rivalOf(pick(random, this.#made.slice(-12))))
    else if (chance < 60) this.#lengthen()
    else if (chance < 68 && this.#made.length > 0) this.#submit(pick(random, this.#made))
    else if (chance < 72 && this.#made.length > 0) this.#submit(this.#otherWitness(pick(random, this.#made)))
    else if (chance < 76) this.#hold()
    else if (chance < 86) this.#connect()
    else if (chance < 92) this.#disconnect(1 + random.below(3))
    else this.#elapse(random.below(4) === 0 ? 200 * 3600 : random.below(20 * 3600))
    this.#compare()
  }

  /** A transaction of one to three inputs, some of them new and some not, mostly of sound amounts. */
  #make(): Transaction {
    const random = this.#random
    const open = this.#open()
    const from = Math.max(0, this.#outpoints.length - 30)
    const spent = new Map<string, readonly [Outpoint, number]>()
    for (let i = random.below(3); i >= 0; i--) {
      const chance = random.below(40)
      const near = this.#outpoints[from + random.below(this.#outpoints.length - from)] as readonly [Outpoint, number]
      const each =
        chance === 0 ? ([strange(random.below(250)), 5000] as const) : chance < 20 ? near : pick(random, open)
      spent.set(keyOf(each[0]), each)
    }
    const sum = [...spent.values()].reduce((all, [, amount]) => all + amount, 0)
    const fee = Math.min(pick(random, [-5, 0, 30, 200, 400, 1000, 3000, 9000, 20_000]), sum)
    const outputs = 1 + random.below(3)
    const each = Math.floor((sum - fee) / outputs)
    const tx = pay(
      [...spent.values()].map(([outpoint]) => outpoint),
      Array.from({ length: outputs }, () => each),
      {
        version: random.below(50) === 0 ? 4 : 2,
        lockTime: pick(random, [0, 0, 0, 0, 0, this.#chain.height - random.below(3)]),
        pad: pick(random, [0, 10, 600, 2500]) + random.below(40),
        ...(random.below(3) === 0 ? { witness: random.below(900) } : {})
      }
    )
    tx.outputs.forEach((_, index) => this.#outpoints.push([outputOf(tx, index), each]))
    if (random.below(60) === 0) this.#outpoints.push([outputOf(tx, 99), each])
    this.#made.push(tx)
    return tx
  }

  /** What nobody has spent yet. */
  #open(): ReadonlyArray<readonly [Outpoint, number]> {
    const inPool = new Set(this.naive.entries.map(({ txid }) => txid))
    const spent = new Set(this.naive.entries.flatMap(({ tx }) => tx.inputs.map((input) => keyOf(input.previousOutput))))
    const open = this.#outpoints.filter(([outpoint]) => {
      const key = keyOf(outpoint)
      return !spent.has(key) && (inPool.has(toHex(outpoint.txid)) || this.#chain.coins.has(key))
    })
    return open.length > 0 ? open : this.#outpoints
  }

  /** A chain of transactions, each of which spends the one before. */
  #lengthen(): void {
    for (let i = 0, tx = this.#made.at(-1); i < 30 && tx !== undefined; i++) {
      const amount = Number(tx.outputs[0]?.amount) - 100
      if (amount < 0) return
      tx = pay([outputOf(tx)], [amount], { pad: this.#random.below(2) })
      this.#outpoints.push([outputOf(tx), amount])
      this.#made.push(tx)
      this.#submit(tx)
    }
  }

  #otherWitness(tx: Transaction): Transaction {
    const witness = [new Uint8Array(this.#random.below(50))]
    return { ...tx, inputs: tx.inputs.map((input, i) => (i === 0 ? { ...input, witness } : input)) }
  }

  /** A transaction that spends the same and pays a little more or less. */
  #rivalOf(tx: Transaction): Transaction {
    const [first, ...rest] = tx.outputs as [Transaction["outputs"][number]]
    const amount = Number(first.amount) + pick(this.#random, [-2000, -300, -10, 20])
    if (amount < 0) return tx
    const rival = { ...tx, outputs: [{ ...first, amount: Satoshis(BigInt(amount)) }, ...rest] }
    this.#outpoints.push([outputOf(rival), amount])
    this.#made.push(rival)
    return rival
  }

  /** A transaction comes after what spends it, as it may where coins are not known. */
  #hold(): void {
    if (this.#held === undefined) {
      this.#held = this.#make()
      return
    }
    this.#submit(this.#held)
    this.#held = undefined
  }

  #submit(tx: Transaction): void {
    const result = this.pools.submit(tx)
    const verdict = result._tag === "Rejected" ? result.rule : result._tag
    expect(verdict).toBe(this.naive.submit(tx, this.pools.unix))
    this.said.add(verdict)
    if (result._tag === "Accepted" && result.replaced.length > 0) this.said.add("replaced")
    if (result._tag === "Accepted" && result.evicted.length > 0) this.said.add("evicted")
  }

  /** A block of what the pool would put into it, or of any transactions that the chain allows. */
  #connect(): void {
    const random = this.#random
    const transactions: Array<Transaction> = [coinbaseOf(this.#chain.height, this.#salt++)]
    const spent = new Set<string>()
    const made = new Set<string>()
    const candidates =
      random.below(2) === 0
        ? this.pools.pool.forBlock(random.below(20_000)).transactions.map((tx) => tx.materialise())
        : this.#made.slice(-20)
    for (const tx of candidates) {
      const keys = tx.inputs.map((input) => keyOf(input.previousOutput))
      if (!keys.every((key) => (this.#chain.coins.has(key) || made.has(key)) && !spent.has(key))) continue
      if (random.below(5) === 0) continue
      for (const key of keys) spent.add(key)
      tx.outputs.forEach((_, index) => made.add(keyOf(outputOf(tx, index))))
      transactions.push(tx)
    }
    const [coinbase] = transactions as [Transaction]
    coinbase.outputs.forEach(({ amount }, index) => this.#outpoints.push([outputOf(coinbase, index), Number(amount)]))
    this.pools.connect(transactions)
    this.naive.connect(transactions, this.pools.unix)
  }

  #disconnect(count: number): void {
    const left = Array.from({ length: count }, () => this.#chain.disconnect()).filter(({ length }) => length > 0)
    for (const transactions of left.toReversed()) {
      this.pools.pool.disconnected(blockOf(transactions), this.pools.now)
      this.naive.disconnect(transactions, this.pools.unix)
    }
  }

  #elapse(seconds: number): void {
    this.pools.unix += seconds
    this.#chain.time += this.#random.below(2) * seconds
    this.pools.pool.expire(this.pools.now)
    this.naive.expire(this.pools.unix)
  }

  #compare(): void {
    const { pool } = this.pools
    const here = Array.from(pool.entries(), ({ wtxid, fee, unix }) => [toHex(wtxid), fee, unix])
    expect(here).toEqual(this.naive.entries.map(({ wtxid, fee, unix }) => [wtxid, fee, unix]))
    expect(pool.memoryBytes).toBe(this.naive.memoryBytes)
    expect(pool.minFeeRateSatPerKvb).toBe(this.naive.minFeeRate)
    const slots = Array.from({ length: pool.count }, (_, slot) => {
      const named = toHex(pool.wtxids.subarray(32 * slot, 32 * slot + 32))
      const tx = pool.transaction(slot)
      expect(toHex(tx.wtxid(portableSha256))).toBe(named)
      expect(toHex(pool.txids.subarray(32 * slot, 32 * slot + 32))).toBe(toHex(tx.txid(portableSha256)))
      return named
    })
    expect(slots.toSorted()).toEqual(this.naive.entries.map(({ wtxid }) => wtxid).sort())
    // The naive one takes long for it.
    if (this.#random.below(10) > 0) return
    const weight = this.#random.below(28_000)
    const chosen = pool.forBlock(weight).transactions.map((tx) => toHex(tx.txid(portableSha256)))
    expect(chosen).toEqual(this.naive.forBlock(weight))
  }

  /** Whether all lookups agree about all that was ever made. */
  lookUp(): void {
    const { pool } = this.pools
    const here = new Set(this.naive.entries.map(({ txid }) => txid))
    for (const tx of this.#made) {
      expect(pool.hasTxid(viewOf(tx).txid(portableSha256))).toBe(here.has(hexOf(tx)))
      const found = pool.find(wtxid(portableSha256, tx))
      if (found !== undefined) expect(found.tx.materialise()).toEqual(tx)
      if (found !== undefined) expect(pool.findByTxid(found.txid)).toEqual(found)
    }
  }
}

const ANYWAY = [
  "Accepted",
  "bad-txns-in-belowout",
  "evicted",
  "insufficient fee",
  "mempool full",
  "min relay fee not met",
  "non-final",
  "replaced",
  "too-long-mempool-chain",
  "txn-already-in-mempool",
  "txn-same-nonwitness-data-in-mempool",
  "version"
]
const BY_COINS = [
  "MissingInputs",
  "bad-txns-premature-spend-of-coinbase",
  "mempool min fee not met",
  "txn-already-known"
]

describe("beside a naive pool, on random histories", () => {
  it.each<readonly [string, Knowledge, ReadonlyArray<string>]>([
    ["all coins are known", "all", [...ANYWAY, ...BY_COINS]],
    ["no coins are known", "none", [...ANYWAY, "txn-mempool-conflict"]],
    [
      "some coins are known",
      ({ txid }) => (txid[0] as number) % 3 > 0,
      [...ANYWAY, ...BY_COINS, "txn-mempool-conflict"]
    ]
  ])("the pool says and holds the same where %s", (_, knowledge, expected) => {
    const said = new Set<string>()
    for (let seed = 1; seed <= 9; seed++) {
      const history = new History(seed, knowledge, [7000, 12_000, 28_000][seed % 3] as number)
      for (let i = 0; i < 50; i++) history.step()
      history.lookUp()
      for (const verdict of history.said) said.add(verdict)
    }
    // Each of them came about.
    expect(expected.filter((verdict) => !said.has(verdict))).toEqual([])
  })
})
