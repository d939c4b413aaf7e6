import { encode, fromHex, toHex } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { type Satoshis, type Transaction, Txid, txid } from "@satwire/primitives"
import { describeWithData } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type BloomFields, BloomFilter, type BloomUpdate, murmur3 } from "../src/index.ts"

const bytes = (hex: string): Uint8Array => fromHex(hex.replaceAll(" ", "")) ?? new Uint8Array(0)
const element = fc.uint8Array({ maxLength: 40 })

const serialized = ({ filter, hashFunctions, tweak, flags }: BloomFields): string =>
  toHex(
    encode(10 + filter.length, (w) => {
      w.varBytes(filter)
      w.u32(hashFunctions)
      w.u32(tweak)
      w.u8(flags)
    })
  )

describe("MurmurHash3", () => {
  it("gives the values of its reference", () => {
    expect(murmur3(0, bytes(""))).toBe(0)
    expect(murmur3(0xfba4c795, bytes(""))).toBe(0x6a396f08)
    expect(murmur3(0xfba4c795, bytes("00"))).toBe(0xea3f0b17)
    expect(murmur3(0, bytes("00112233445566778899"))).toBe(murmur3(0, bytes("00112233445566778899")))
  })
})

describe("a bloom filter", () => {
  it("has everything that was added to it", () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 20 }), fc.nat(0xffffffff), (elements, tweak) => {
        const filter = BloomFilter.forElements(elements.length, 0.001, tweak, "none")
        for (const one of elements) filter.insert(one)
        for (const one of elements) expect(filter.contains(one)).toBe(true)
        const sent = new BloomFilter(filter.fields)
        for (const one of elements) expect(sent.contains(one)).toBe(true)
      })
    )
  })

  it("has little else: about what it was made for", () => {
    const filter = BloomFilter.forElements(1000, 0.01, 5, "none")
    const numbered = (n: number): Uint8Array => Uint8Array.of(n >>> 16, n >>> 8, n)
    for (let n = 0; n < 1000; n++) filter.insert(numbered(n))
    let found = 0
    for (let n = 1000; n < 21_000; n++) if (filter.contains(numbered(n))) found += 1
    expect(found / 20_000).toBeGreaterThan(0.005)
    expect(found / 20_000).toBeLessThan(0.015)
  })

  it("is as large as Core makes it, and never larger than the protocol allows", () => {
    const { filter, hashFunctions } = BloomFilter.forElements(10_000_000, 1e-9, 0, "none").fields
    expect([filter.length, hashFunctions]).toEqual([36_000, 0])
    expect(BloomFilter.forElements(1, 1e-300, 0, "none").fields.hashFunctions).toBe(50)
    expect(() => BloomFilter.forElements(0, 0.1, 0, "none")).toThrow(RangeError)
  })

  it("of no bits has everything, and adding to it divides by nothing (CVE-2013-5700)", () => {
    const filter = new BloomFilter({ filter: new Uint8Array(0), hashFunctions: 5, tweak: 0, flags: 0 })
    filter.insert(Uint8Array.of(1))
    expect(filter.contains(Uint8Array.of(2))).toBe(true)
    expect(filter.fields.filter.length).toBe(0)
  })

  it("says what it does, by how many hashes and how long", () => {
    const filter = new BloomFilter({ filter: new Uint8Array(9).fill(255), hashFunctions: 50, tweak: 1, flags: 0 })
    const workOf = (bytes: number): number => {
      const before = filter.work
      filter.contains(new Uint8Array(bytes))
      return filter.work - before
    }
    expect([workOf(1), workOf(63), workOf(64), workOf(6400)]).toEqual([51, 51, 101, 5051])
  })

  it("keeps no memory of who made it", () => {
    const fields = { filter: new Uint8Array(3), hashFunctions: 5, tweak: 0, flags: 0 }
    new BloomFilter(fields).insert(Uint8Array.of(1))
    expect(fields.filter).toEqual(new Uint8Array(3))
  })
})

const KEY = `02${"11".repeat(32)}`
const HASH = "33".repeat(20)
const SPENT = { txid: Txid(new Uint8Array(32).fill(9)), index: 2 }

/** Spends `SPENT` with a push of `beef`; pays a key, a hash and a multisig. */
const tx: Transaction = {
  version: 1,
  inputs: [{ previousOutput: SPENT, scriptSig: bytes("02 beef"), sequence: 0, witness: [] }],
  outputs: [`21 ${KEY} ac`, `76 a9 14 ${HASH} 88 ac`, `51 21 ${KEY} 51 ae`].map((script) => ({
    amount: 1n as Satoshis,
    scriptPubKey: bytes(script)
  })),
  lockTime: 0
}
const id = txid(portableSha256, tx)

describe("a transaction matches a filter", () => {
  const filterOf = (update: BloomUpdate, ...elements: ReadonlyArray<Uint8Array>): BloomFilter => {
    const filter = BloomFilter.forElements(10, 1e-6, 1, update)
    for (const one of elements) filter.insert(one)
    return filter
  }
  const outPoints = (filter: BloomFilter): ReadonlyArray<boolean> =>
    [0, 1, 2].map((index) => filter.containsOutPoint({ txid: id, index }))

  it("by its id, which adds nothing", () => {
    const filter = filterOf("all", id)
    expect(filter.matchAndUpdate(tx, id)).toBe(true)
    expect(outPoints(filter)).toEqual([false, false, false])
  })

  it("by what an output pushes, which adds that outpoint where the flags say so", () => {
    const none = filterOf("none", bytes(HASH))
    expect(none.matchAndUpdate(tx, id)).toBe(true)
    expect(outPoints(none)).toEqual([false, false, false])
    const all = filterOf("all", bytes(HASH))
    expect(all.matchAndUpdate(tx, id)).toBe(true)
    expect(outPoints(all)).toEqual([false, true, false])
  })

  it("adds outpoints of bare keys and multisigs only, where the flags say so", () => {
    const filter = filterOf("p2pubkeyOnly", bytes(HASH), bytes(KEY))
    expect(filter.matchAndUpdate(tx, id)).toBe(true)
    expect(outPoints(filter)).toEqual([true, false, true])
  })

  it("by an outpoint that it spends, or by what an input pushes", () => {
    const spent = filterOf("none")
    spent.insertOutPoint(SPENT)
    expect(spent.matchAndUpdate(tx, id)).toBe(true)
    expect(filterOf("none", bytes("beef")).matchAndUpdate(tx, id)).toBe(true)
  })

  it("by nothing else", () => {
    const foreign = filterOf("all", bytes("dead"))
    foreign.insertOutPoint({ ...SPENT, index: 3 })
    expect(foreign.matchAndUpdate(tx, id)).toBe(false)
  })

  it("always, where the filter has no bits", () => {
    const filter = new BloomFilter({ filter: new Uint8Array(0), hashFunctions: 0, tweak: 0, flags: 0 })
    expect(filter.matchAndUpdate(tx, id)).toBe(true)
  })

  it("adds nothing under the flags that nobody has defined", () => {
    const { filter, hashFunctions, tweak } = filterOf("all", bytes(HASH)).fields
    const odd = new BloomFilter({ filter, hashFunctions, tweak, flags: 3 })
    expect(odd.matchAndUpdate(tx, id)).toBe(true)
    expect(outPoints(odd)).toEqual([false, false, false])
  })
})

interface Load {
  readonly n: number
  readonly fp: number
  readonly tweak: number
  readonly flags: number
  readonly insert: ReadonlyArray<string>
  readonly not_contains: ReadonlyArray<string>
  readonly serialized: string
}

describeWithData(describe, "the values of Core's own tests", (data) => {
  const murmur = data.json("vectors/bloom/murmur3_32.json") as ReadonlyArray<Record<string, string>>
  const loads = data.json("vectors/bloom/filterload.json") as ReadonlyArray<Load>

  it.each(murmur)("MurmurHash3 of $data under $seed is $expected", ({ seed = "", data = "", expected = "" }) => {
    expect(murmur3(Number.parseInt(seed, 16), bytes(data))).toBe(Number.parseInt(expected, 16))
  })

  it.each(loads)("the filter of $n elements under tweak $tweak is $serialized", (load) => {
    const filter = BloomFilter.forElements(load.n, load.fp, load.tweak, "all")
    for (const hex of load.insert) filter.insert(bytes(hex))
    for (const hex of load.insert) expect(filter.contains(bytes(hex))).toBe(true)
    for (const hex of load.not_contains) expect(filter.contains(bytes(hex))).toBe(false)
    expect(load.flags).toBe(1)
    expect(serialized(filter.fields)).toBe(load.serialized)
  })
})
