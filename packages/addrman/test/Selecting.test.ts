import { ChaChaRandom } from "@satwire/crypto"
import { NetGroups, type Network, type NodeAddress } from "@satwire/netaddress"
import { describe, expect, it } from "vitest"
import type { AddrMan } from "../src/index.ts"
import { type KnownAddress, type Selection } from "../src/index.ts"
import { START, addrMan, at, host, ipv4, known } from "./KnownAddresses.ts"
import { NaiveAddrMan, keyOf } from "./NaiveAddrMan.ts"

const KEY = new Uint8Array(32).fill(3)

/** How far counts are from what is expected, in standard deviations of chi-squared. */
const deviation = (counts: ReadonlyMap<string, number>, expectedCounts: ReadonlyMap<string, number>): number => {
  let chi = 0
  for (const [key, expectedCount] of expectedCounts)
    chi += ((counts.get(key) ?? 0) - expectedCount) ** 2 / expectedCount
  const degrees = expectedCounts.size - 1
  return (chi - degrees) / Math.sqrt(2 * degrees)
}

/** The same of two samples of one size. */
const difference = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number => {
  let chi = 0
  const keys = new Set([...a.keys(), ...b.keys()])
  for (const key of keys) {
    const [x, y] = [a.get(key) ?? 0, b.get(key) ?? 0]
    chi += (x - y) ** 2 / (x + y)
  }
  const degrees = keys.size - 1
  return (chi - degrees) / Math.sqrt(2 * degrees)
}

const tally = (draws: number, draw: () => NodeAddress | undefined): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (let i = 0; i < draws; i++) {
    const drawn = draw()
    const key = drawn === undefined ? "nobody" : keyOf(drawn)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

/** Addresses that crowd some buckets and are alone in others, on all networks, some of them tried. */
const crowd: ReadonlyArray<KnownAddress> = [
  ...Array.from({ length: 60 }, (_, n) => known(ipv4(0x0102, n))),
  ...Array.from({ length: 30 }, (_, n) => known(ipv4(0x0200 + n, 5), { services: 1n })),
  ...Array.from({ length: 30 }, (_, n) => known(`[2001:${2000 + (n % 6)}::${n + 1}]:8333`)),
  ...Array.from({ length: 20 }, (_, n) => known(`[fc${10 + n}::1]:8333`, { services: 65n })),
  ...(["torv3", "i2p"] as const).flatMap((network) =>
    Array.from({ length: 25 }, (_, n) => ({
      ...known("1.2.3.4"),
      network,
      address: new Uint8Array(32).fill(n * 9 + 1)
    }))
  )
]

/** The same history in both. */
const pair = (failures: boolean): { readonly real: AddrMan; readonly model: NaiveAddrMan } => {
  const real = addrMan(5, { key: KEY })
  const model = new NaiveAddrMan(KEY, new NetGroups(), ChaChaRandom.fromNumber(1), 0n)
  for (const one of [real, model]) {
    one.add(crowd, host("7.7.7.7"), START, 0)
    for (let i = 0; i < crowd.length; i += 3) one.good(crowd[i] as KnownAddress, START)
    if (!failures) continue
    for (const [i, address] of crowd.entries()) {
      for (let n = 0; n < i % 5; n++) {
        one.attempt(address, true, at(2000 + 20 * n))
        one.good(crowd[0] as KnownAddress, at(2000 + 20 * n + 10))
      }
    }
  }
  return { real, model }
}

describe("a selection", () => {
  it("draws each address with the chance that its table, its bucket and the gap before it give", () => {
    const { real } = pair(false)
    const draws = 200_000
    const expectedCounts = new Map<string, number>()
    for (const table of ["new", "tried"] as const) {
      const buckets = new Map<number, Array<{ readonly key: string; readonly position: number }>>()
      for (const info of real.addresses()) {
        if (info.table !== table) continue
        for (const { bucket, position } of info.places) {
          buckets.set(bucket, [...(buckets.get(bucket) ?? []), { key: keyOf(info), position }])
        }
      }
      for (const taken of buckets.values()) {
        const inOrder = taken.toSorted((a, b) => a.position - b.position)
        for (const [i, { key, position }] of inOrder.entries()) {
          const before = inOrder.at(i - 1) as { position: number }
          const gap = (position - before.position + 64) % 64 || 64
          const chance = (draws / 2 / buckets.size) * (gap / 64)
          expectedCounts.set(key, (expectedCounts.get(key) ?? 0) + chance)
        }
      }
    }
    expect(expectedCounts.size).toBe(real.count())
    expect(
      deviation(
        tally(draws, () => real.select({}, at(10_000))),
        expectedCounts
      )
    ).toBeLessThan(5)
  })

  const selections: ReadonlyArray<readonly [string, Selection]> = [
    ["of all", {}],
    ["of the new alone", { newOnly: true }],
    ["of one network", { networks: ["torv3"] }],
    ["of two networks", { networks: ["ipv6", "cjdns"] }],
    ["of three networks and the new alone", { networks: ["ipv4", "i2p", "ipv6"], newOnly: true }]
  ]
  it.each(selections)("%s has the distribution of Core's search, whatever the failures", (_, selection) => {
    const { model, real } = pair(true)
    const random = ChaChaRandom.fromNumber(9)
    const now = at(2300)
    const draws = 20_000
    const among = selection.networks ?? []
    const ours = tally(draws, () => real.select(selection, now))
    const draw = model.drawer(random, now, among, selection.newOnly)
    const theirs = tally(draws, () => draw().node)
    expect(difference(ours, theirs)).toBeLessThan(5)
  })

  it("by services has the distribution of drawing until one has them", () => {
    const { model, real } = pair(true)
    const random = ChaChaRandom.fromNumber(9)
    const now = at(2300)
    const draws = 20_000
    const ours = tally(draws, () => real.select({ services: 8n }, now))
    const draw = model.drawer(random, now, [])
    const theirs = tally(draws, () => {
      for (;;) {
        const { node, services } = draw()
        if ((services & 8n) !== 0n) return node
      }
    })
    expect(difference(ours, theirs)).toBeLessThan(5)
  })

  it("by services finds the only one that has them among thousands, and nobody where nobody has", () => {
    const addrman = addrMan(1)
    for (let group = 0; group < 50; group++) {
      const told = Array.from({ length: 200 }, (_, n) => known(ipv4(0x1000 + group, n)))
      addrman.add(told, host(ipv4(0x2000 + group, 1)), START)
    }
    const rare = known("77.1.1.1", { services: 2n ** 63n + 64n + 1n })
    expect(addrman.add([rare], host("8.8.8.8"), START)).toBe(1)
    expect(addrman.count()).toBeGreaterThan(2000)
    for (let i = 0; i < 50; i++) expect(addrman.select({ services: 64n }, START)).toMatchObject(rare)
    expect(addrman.select({ services: 2n ** 63n }, START)).toMatchObject(rare)
    expect(addrman.select({ services: 2n ** 62n }, START)).toBeUndefined()
    expect(addrman.select({ services: 64n, networks: ["ipv6"] }, START)).toBeUndefined()
    addrman.good(rare, START)
    expect(addrman.select({ services: 64n, newOnly: true }, START)).toBeUndefined()
    expect(addrman.select({ services: 64n }, START)).toMatchObject(rare)
  })

  it("gives nobody where nobody is known, and says when the one that it gives was last tried", () => {
    const addrman = addrMan(1)
    expect(addrman.select({}, START)).toBeUndefined()
    addrman.add([known("1.2.3.4")], host("7.7.7.7"), START)
    expect(addrman.select({}, START)?.lastTry).toBe(0)
    expect(addrman.select({ networks: ["torv3"] }, START)).toBeUndefined()
    addrman.attempt(known("1.2.3.4"), true, at(5))
    // Alone it is drawn in the end, however bad its chances.
    for (let i = 0; i < 50; i++) addrman.attempt(known("1.2.3.4"), true, at(6))
    expect(addrman.select({}, at(7))?.lastTry).toBe(at(6))
    addrman.good(known("1.2.3.4"), at(8))
    expect(addrman.select({ newOnly: true }, at(9))).toBeUndefined()
  })

  it("is of either table half of the time, however few are tried", () => {
    const addrman = addrMan(2)
    addrman.add(
      Array.from({ length: 500 }, (_, n) => known(ipv4(0x0300 + n, 1))),
      host("7.7.7.7"),
      START
    )
    addrman.good(known(ipv4(0x0300, 1)), at(-7200))
    let tried = 0
    for (let i = 0; i < 10_000; i++) if (addrman.select({}, START)?.address[1] === 0) tried++
    expect(Math.abs(tried - 5000)).toBeLessThan(250)
  })
})

describe("a getaddr answer", () => {
  const told = Array.from({ length: 400 }, (_, n) =>
    known(ipv4(0x0400 + n, 7), { time: at(n % 4 === 0 ? -40 * 86_400 : 0) })
  )

  it("tells each address that is not terrible as often", () => {
    const addrman = addrMan(3)
    addrman.add(told, host("7.7.7.7"), START)
    const good = [...addrman.addresses()].filter(({ time }) => time === START)
    const [rounds, size] = [2000, Math.floor((addrman.count() * 23) / 100)]
    const counts = new Map<string, number>()
    const firsts = new Map<string, number>()
    for (let i = 0; i < rounds; i++) {
      const answer = addrman.getAddr({}, START)
      expect(answer.length).toBe(size)
      for (const one of answer) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1)
      const [first] = answer.map(keyOf)
      firsts.set(first ?? "", (firsts.get(first ?? "") ?? 0) + 1)
    }
    const all = (each: number): ReadonlyMap<string, number> => new Map(good.map((info) => [keyOf(info), each]))
    expect(deviation(counts, all((rounds * size) / good.length))).toBeLessThan(5)
    expect(deviation(firsts, all(rounds / good.length))).toBeLessThan(5)
  })

  it("is drawn as evenly where most are terrible", () => {
    const addrman = addrMan(3)
    addrman.add(
      told.map((one, n) => ({ ...one, time: at(n % 10 === 0 ? 0 : -40 * 86_400) })),
      host("7.7.7.7"),
      START
    )
    const good = [...addrman.addresses()].filter(({ time }) => time === START)
    const most = Math.floor(good.length / 2)
    const counts = new Map<string, number>()
    for (let i = 0; i < 4000; i++) {
      const answer = addrman.getAddr({ maxAddresses: most }, START)
      expect(answer.length).toBe(most)
      for (const one of answer) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1)
    }
    const each = (4000 * most) / good.length
    expect(deviation(counts, new Map(good.map((info) => [keyOf(info), each])))).toBeLessThan(5)
  })

  it("has at most 1,000 addresses and 23 % of what is known, unless it is asked otherwise", () => {
    const addrman = addrMan(4)
    for (let group = 0; group < 200; group++) {
      const many = Array.from({ length: 100 }, (_, n) => known(ipv4(0x2000 + n, group)))
      addrman.add(many, host(ipv4(0x5000 + group, 1)), START)
    }
    const size = addrman.count()
    expect(size).toBeGreaterThan(5000)
    expect(addrman.getAddr({}, START).length).toBe(1000)
    expect(addrman.getAddr({ maxAddresses: 100_000 }, START).length).toBe(Math.floor((size * 23) / 100))
    expect(addrman.getAddr({ maxAddresses: 100_000, maxPercent: 100 }, START).length).toBe(size)
    expect(addrman.getAddr({ maxPercent: 0 }, START)).toEqual([])
    expect(addrman.getAddr({ network: "torv3" }, START)).toEqual([])
  })

  it("by network counts what stands for IPv4 as IPv4", () => {
    const addrman = addrMan(5)
    addrman.add([known("[2002:102:3::1]:8333"), known("[2001:2001::1]:8333")], host("7.7.7.7"), START)
    const texts = (network: Network): ReadonlyArray<string> =>
      addrman.getAddr({ network, maxPercent: 100 }, START).map(keyOf)
    expect(texts("ipv4")).toEqual([keyOf(known("[2002:102:3::1]:8333"))])
    expect(texts("ipv6")).toEqual([keyOf(known("[2001:2001::1]:8333"))])
    // Whom to dial is another question: that one is reached over IPv6.
    expect(addrman.count({ network: "ipv6" })).toBe(2)
  })
})
