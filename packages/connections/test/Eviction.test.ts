import { Instant, PeerId } from "@satwire/machine"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type EvictionCandidate, PROTECTED_BY_PING, selectToEvict } from "../src/index.ts"

/** An ordinary inbound peer over IPv4, the one of that number. */
const candidate = (n: number, fields: Partial<EvictionCandidate> = {}): EvictionCandidate => ({
  peer: PeerId(n),
  isInbound: true,
  noBan: false,
  connectedAt: Instant(n * 1000),
  minPingMs: 100 + n,
  lastBlockAt: undefined,
  lastTransactionAt: undefined,
  hasRelevantServices: false,
  relaysTransactions: false,
  hasBloomFilter: false,
  keyedNetgroup: n,
  isDiscouraged: false,
  isLocal: false,
  network: "ipv4",
  ...fields
})

const many = (count: number, fieldsOf: (n: number) => Partial<EvictionCandidate> = () => ({})) =>
  Array.from({ length: count }, (_, i) => candidate(i + 1, fieldsOf(i + 1)))

/** Evicts until nobody may go, or so many times. Gives who stays. */
const survivors = (all: ReadonlyArray<EvictionCandidate>, times = Infinity): ReadonlyArray<number> => {
  let left = [...all]
  for (let i = 0; i < times; i++) {
    const peer = selectToEvict(left)
    if (peer === undefined) break
    left = left.filter((one) => one.peer !== peer)
  }
  return left.map(({ peer }) => peer)
}

const arbitrary = fc
  .array(
    fc.record({
      isInbound: fc.constantFrom(true, true, true, false),
      noBan: fc.constantFrom(false, false, false, false, true),
      connectedAt: fc.nat(1000).map(Instant),
      minPingMs: fc.option(fc.nat(50), { nil: undefined }),
      lastBlockAt: fc.option(fc.nat(50).map(Instant), { nil: undefined }),
      lastTransactionAt: fc.option(fc.nat(50).map(Instant), { nil: undefined }),
      hasRelevantServices: fc.boolean(),
      relaysTransactions: fc.boolean(),
      hasBloomFilter: fc.boolean(),
      keyedNetgroup: fc.nat(20),
      isDiscouraged: fc.constantFrom(false, false, true),
      isLocal: fc.constantFrom(false, false, true),
      network: fc.constantFrom("ipv4", "ipv4", "ipv6", "torv3", "i2p", "cjdns")
    }),
    { maxLength: 130 }
  )
  .map((all) => all.map((fields, i) => candidate(i + 1, fields as Partial<EvictionCandidate>)))

describe("who makes room", () => {
  it("is nobody whom we dialled, and nobody who may stay", () => {
    fc.assert(
      fc.property(arbitrary, (all) => {
        const chosen = all.find(({ peer }) => peer === selectToEvict(all))
        if (chosen !== undefined) expect([chosen.isInbound, chosen.noBan]).toEqual([true, false])
      })
    )
    expect(selectToEvict(many(200, () => ({ noBan: true })))).toBeUndefined()
    expect(selectToEvict(many(200, () => ({ isInbound: false })))).toBeUndefined()
  })

  it("is nobody among few, since each is the best at something, and somebody among many", () => {
    expect(selectToEvict(many(20, () => ({ hasRelevantServices: true })))).toBeUndefined()
    fc.assert(
      fc.property(arbitrary, (all) => {
        const mayGo = all.filter(({ isInbound, noBan }) => isInbound && !noBan).length
        if (mayGo > 29) expect(selectToEvict(all)).toBeDefined()
      })
    )
  })

  it("does not hang on the order in which they are named", () => {
    fc.assert(
      fc.property(arbitrary, (all) => {
        const distinct = all.map((one, i) => ({
          ...one,
          connectedAt: Instant(i),
          keyedNetgroup: one.keyedNetgroup + i / 1000,
          minPingMs: 10 + i
        }))
        expect(selectToEvict(distinct.toReversed())).toBe(selectToEvict(distinct))
      })
    )
  })

  it("is the discouraged one, where one is left", () => {
    const all = many(100, (n) => ({ isDiscouraged: n === 70 }))
    expect(selectToEvict(all)).toBe(70)
  })

  it("is the youngest of the network group that has most", () => {
    const all = many(100, (n) => ({ keyedNetgroup: n > 60 && n <= 90 ? 7 : 1000 + n }))
    expect(selectToEvict(all)).toBe(90)
  })
})

describe("who stays", () => {
  const crowd = 120

  it("are the eight with the least ping", () => {
    const kept = survivors(
      many(crowd, (n) => ({ minPingMs: n > crowd - PROTECTED_BY_PING ? 1 : 500, keyedNetgroup: 5 }))
    )
    for (let n = crowd - PROTECTED_BY_PING + 1; n <= crowd; n++) expect(kept).toContain(n)
  })

  it("are those four that last sent transactions, and those four that last sent blocks", () => {
    const transactions = survivors(many(crowd, (n) => ({ lastTransactionAt: n > 116 ? Instant(n) : undefined })))
    const blocks = survivors(many(crowd, (n) => ({ lastBlockAt: n > 116 ? Instant(n) : undefined })))
    for (let n = 117; n <= crowd; n++) for (const kept of [transactions, blocks]) expect(kept).toContain(n)
  })

  it("are eight more that give blocks and want no transactions", () => {
    const kept = survivors(
      many(crowd, (n) => ({
        relaysTransactions: n <= 112,
        hasRelevantServices: true,
        lastBlockAt: Instant(n > 112 ? n : 500 + n)
      }))
    )
    for (let n = 113; n <= crowd; n++) expect(kept).toContain(n)
  })

  it("are four of network groups that nobody can foresee", () => {
    const kept = survivors(many(crowd, (n) => ({ keyedNetgroup: n > 116 ? 1e6 + n : n % 3 })))
    for (let n = 117; n <= crowd; n++) expect(kept).toContain(n)
  })

  it("are half of the rest, those that have been here for longest", () => {
    // 28 places are for other merits; without blocks, transactions or services eight of those stay empty.
    const kept = survivors(many(40, () => ({ keyedNetgroup: 1, minPingMs: 9 })))
    expect(kept).toContain(1)
    expect(kept).not.toContain(40 - 20)
  })

  it.each([
    ["onion", { network: "torv3" }],
    ["I2P", { network: "i2p" }],
    ["CJDNS", { network: "cjdns" }],
    ["this machine", { isLocal: true }]
  ] as const)("are some that come by %s, though they came last and answer late", (_, way) => {
    const fields = (rare: Partial<EvictionCandidate>) => (n: number) =>
      n > 100 ? { ...rare, minPingMs: 5000, keyedNetgroup: 0 } : { keyedNetgroup: n }
    const keptOf = (rare: Partial<EvictionCandidate>): number =>
      survivors(many(crowd, fields(rare)), 40).filter((n) => n > 100).length
    expect(keptOf({})).toBeLessThan(3)
    expect(keptOf(way)).toBeGreaterThanOrEqual(10)
  })
})
