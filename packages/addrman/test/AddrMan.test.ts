import { AssertionError, UnixSeconds } from "@satwire/machine"
import type { NodeAddress } from "@satwire/netaddress"
import { describe, expect, it } from "vitest"
import {
  type AddrMan,
  GOSSIP_TIME_PENALTY_S,
  type KnownAddress,
  MAX_ENTRIES,
  NEW_BUCKETS_PER_ADDRESS,
  SET_TRIED_COLLISION_SIZE
} from "../src/index.ts"
import { START, addrMan, at, host, ipv4, known } from "./KnownAddresses.ts"

const DAY = 86_400
const SOURCE = host("7.7.7.7")
const ONE = known("250.1.1.1")

const alone = (address: KnownAddress = ONE): AddrMan => {
  const addrman = addrMan(1)
  expect(addrman.add([address], SOURCE, START)).toBe(1)
  return addrman
}

/** Whether a `getaddr` would be told of it. */
const isTold = (addrman: AddrMan, seconds: number): boolean =>
  addrman.getAddr({ maxPercent: 100 }, at(seconds)).length > 0

describe("adding an address", () => {
  it.each([
    "10.0.0.1",
    "127.0.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "169.254.1.1",
    "[2001:db8::1]",
    "[fe80::1]",
    "[::1]"
  ])("passes over %s, where nobody is led", (text) => {
    const addrman = addrMan(1)
    expect(addrman.add([known(text)], SOURCE, START)).toBe(0)
    expect(addrman.count()).toBe(0)
  })

  it("knows it by address and port, and adds it once", () => {
    const addrman = alone()
    expect(addrman.add([ONE], SOURCE, START)).toBe(0)
    expect(addrman.add([known("250.1.1.1:8334")], SOURCE, START)).toBe(1)
    expect(addrman.count()).toBe(2)
    expect(addrman.find(known("250.1.1.1:8335"))).toBeUndefined()
    expect(addrman.find(ONE)).toMatchObject({ table: "new", source: SOURCE, lastTry: 0, lastSuccess: 0, attempts: 0 })
  })

  it("takes the penalty off what others tell, and not off what a node says of itself, on any port", () => {
    const told = addrMan(1)
    told.add([ONE], SOURCE, START, GOSSIP_TIME_PENALTY_S)
    expect(told.find(ONE)?.time).toBe(at(-7200))
    const self = addrMan(1)
    self.add([known("250.1.1.1:9999")], host("250.1.1.1"), START, GOSSIP_TIME_PENALTY_S)
    expect(self.find(known("250.1.1.1:9999"))?.time).toBe(START)
    const old = addrMan(1)
    old.add([known("250.1.1.1", { time: UnixSeconds(0) })], SOURCE, START, GOSSIP_TIME_PENALTY_S)
    expect(old.find(ONE)?.time).toBe(0)
  })

  it("moves its time on by more than an hour where it is online, by more than a day where not", () => {
    const addrman = alone()
    const hear = (time: number, now: number): number => {
      addrman.add([known("250.1.1.1", { time: at(time) })], SOURCE, at(now))
      return (addrman.find(ONE)?.time ?? 0) - START
    }
    expect(hear(3600, 3600)).toBe(0)
    expect(hear(3601, 3601)).toBe(3601)
    expect(hear(3601 + DAY, 3601 + 3 * DAY)).toBe(3601)
    expect(hear(3602 + DAY, 3601 + 3 * DAY)).toBe(3602 + DAY)
  })

  it("joins services, which the node itself then sets", () => {
    const addrman = alone()
    addrman.add([known("250.1.1.1", { services: 2n ** 63n })], SOURCE, START)
    expect(addrman.find(ONE)?.services).toBe(1033n | (2n ** 63n))
    addrman.setServices(ONE, 1n)
    expect(addrman.find(ONE)?.services).toBe(1n)
  })

  it("gives it more places as more sources tell of it, each half as likely, and never more than eight", () => {
    const addrman = alone()
    let tellings = 0
    const needed: Array<number> = []
    for (let places = 1; places < NEW_BUCKETS_PER_ADDRESS && tellings < 20_000; tellings++) {
      addrman.add([known("250.1.1.1", { time: at(tellings) })], host(ipv4(0x1000 + tellings, 1)), START)
      const now = addrman.find(ONE)?.places.length ?? 0
      if (now > places) needed.push(tellings)
      places = now
    }
    expect(needed.length).toBe(7)
    // 2 + 4 + … + 128 tellings, give or take.
    expect(tellings).toBeGreaterThan(60)
    expect(tellings).toBeLessThan(1500)
    for (let i = 0; i < 2000; i++) {
      addrman.add([known("250.1.1.1", { time: at(3000 + i) })], host(ipv4(0x2000 + i, 1)), START)
    }
    expect(addrman.find(ONE)?.places.length).toBe(NEW_BUCKETS_PER_ADDRESS)
    addrman.check()
  })

  it("refuses an address that is no address: our own fault, as none comes from a message", () => {
    const wrong = { ...ONE, address: new Uint8Array(5) }
    expect(() => addrMan(1).add([wrong], SOURCE, START)).toThrow(AssertionError)
    expect(() => addrMan(1).add([ONE], { network: "ipv6", address: new Uint8Array(4) }, START)).toThrow(AssertionError)
  })
})

/** Fills the one bucket that one source has for one group, and gives who is in it. */
const fullBucket = (addrman: AddrMan, time: number): ReadonlyArray<KnownAddress> => {
  const told = Array.from({ length: 600 }, (_, n) => known(ipv4(0x0102, n), { time: at(time) }))
  addrman.add(told, SOURCE, START)
  expect(addrman.count()).toBe(64)
  return told.filter((one) => addrman.find(one) !== undefined)
}

describe("a full bucket", () => {
  it("takes nobody in place of addresses that are not terrible", () => {
    const addrman = addrMan(1)
    const inside = fullBucket(addrman, 0)
    for (let n = 600; n < 900; n++) expect(addrman.add([known(ipv4(0x0102, n))], SOURCE, START)).toBe(0)
    expect(inside.every((one) => addrman.find(one) !== undefined)).toBe(true)
  })

  it("takes anybody in place of one that is terrible: forgotten for 30 days, or of the future", () => {
    for (const time of [-30 * DAY - 1, 601]) {
      const addrman = addrMan(1)
      fullBucket(addrman, time)
      expect(addrman.add([known(ipv4(0x0102, 601))], SOURCE, START)).toBe(1)
      expect(addrman.count()).toBe(64)
      addrman.check()
    }
  })

  it("takes a newcomer in place of one that has another place", () => {
    const addrman = addrMan(1)
    const inside = fullBucket(addrman, 0)
    // All of them become known from elsewhere too.
    for (let source = 0; source < 100; source++) {
      addrman.add(
        inside.map((one) => ({ ...one, time: at(source + 1) })),
        host(ipv4(0x2000 + source, 1)),
        START
      )
    }
    expect(addrman.add([known(ipv4(0x0102, 601))], SOURCE, START)).toBe(1)
    expect(addrman.count()).toBe(65)
    addrman.check()
  })
})

describe("an address", () => {
  it("is told of until it is 30 days old, and not while its time is more than ten minutes ahead", () => {
    const addrman = alone()
    expect([isTold(addrman, -601), isTold(addrman, -600)]).toEqual([false, true])
    expect([isTold(addrman, 30 * DAY), isTold(addrman, 30 * DAY + 1)]).toEqual([true, false])
  })

  it("that never answered is terrible after three attempts that count, but not within a minute of one", () => {
    const addrman = alone()
    for (let i = 0; i < 3; i++) {
      expect(isTold(addrman, 99 + 10 * i)).toBe(true)
      addrman.attempt(ONE, true, at(100 + 10 * i))
      addrman.good(known("8.8.8.8"), at(105 + 10 * i))
    }
    expect(addrman.find(ONE)?.attempts).toBe(3)
    expect([isTold(addrman, 180), isTold(addrman, 181)]).toEqual([true, false])
  })

  it("that answered is terrible after ten failures and a week", () => {
    const addrman = alone()
    addrman.good(ONE, START)
    for (let i = 0; i < 10; i++) {
      addrman.attempt(ONE, true, at(100 + 10 * i))
      addrman.good(known("8.8.8.8"), at(105 + 10 * i))
    }
    expect([isTold(addrman, 7 * DAY), isTold(addrman, 7 * DAY + 1)]).toEqual([true, false])
    addrman.good(ONE, at(8 * DAY))
    expect(isTold(addrman, 8 * DAY + 61)).toBe(true)
  })

  it("fails once between two successes of anybody, and not at all when it is not to count", () => {
    const addrman = alone()
    for (let i = 0; i < 5; i++) addrman.attempt(ONE, true, at(i))
    expect(addrman.find(ONE)).toMatchObject({ attempts: 1, lastTry: at(4) })
    addrman.good(known("8.8.8.8"), at(10))
    addrman.attempt(ONE, false, at(11))
    expect(addrman.find(ONE)).toMatchObject({ attempts: 1, lastTry: at(11) })
    addrman.attempt(ONE, true, at(12))
    addrman.attempt(ONE, true, at(13))
    expect(addrman.find(ONE)?.attempts).toBe(2)
  })

  it("has its time moved on by a connection after 20 minutes, and not by an answer, which would tell who is connected", () => {
    const addrman = alone()
    addrman.good(ONE, at(5000))
    expect(addrman.find(ONE)).toMatchObject({ time: START, lastSuccess: at(5000) })
    addrman.connected(ONE, at(1200))
    expect(addrman.find(ONE)?.time).toBe(START)
    addrman.connected(ONE, at(1201))
    expect(addrman.find(ONE)?.time).toBe(at(1201))
  })

  it("that is not known changes nothing, whatever is said of it", () => {
    const addrman = addrMan(1)
    expect(addrman.good(ONE, START)).toBe(false)
    addrman.attempt(ONE, true, START)
    addrman.connected(ONE, START)
    addrman.setServices(ONE, 1n)
    addrman.resolveCollisions(START)
    expect([addrman.count(), addrman.selectTriedCollision(), addrman.getAddr({}, START)]).toEqual([0, undefined, []])
    addrman.check()
  })
})

/** Two addresses that have one place among the tried, of which the first has it. */
const collision = (): { readonly addrman: AddrMan; readonly old: NodeAddress; readonly newcomer: NodeAddress } => {
  const addrman = addrMan(1)
  for (let n = 0; ; n++) {
    const newcomer = known(ipv4(0x0102, n))
    addrman.add([newcomer], host(ipv4(0x2000 + n, 1)), START)
    if (addrman.good(newcomer, at(n))) continue
    const old = addrman.selectTriedCollision()
    if (old === undefined) throw new Error("nobody has the place")
    expect(addrman.find(newcomer)?.table).toBe("new")
    expect(addrman.find(old)?.table).toBe("tried")
    return { addrman, old, newcomer }
  }
}

const tables = (addrman: AddrMan, ...nodes: ReadonlyArray<NodeAddress>): ReadonlyArray<string | undefined> =>
  nodes.map((node) => addrman.find(node)?.table)

describe("a collision among the tried", () => {
  it("is decided for who has the place when it has answered in the last four hours", () => {
    const { addrman, newcomer, old } = collision()
    addrman.resolveCollisions(at(3600))
    expect(addrman.selectTriedCollision()).toBeUndefined()
    expect(tables(addrman, old, newcomer)).toEqual(["tried", "new"])
  })

  it("is decided for who has the place when a feeler finds it", () => {
    const { addrman, newcomer, old } = collision()
    addrman.attempt(old, true, at(5 * 3600))
    addrman.good(old, at(5 * 3600 + 2))
    addrman.resolveCollisions(at(5 * 3600 + 3))
    expect(addrman.selectTriedCollision()).toBeUndefined()
    expect(tables(addrman, old, newcomer)).toEqual(["tried", "new"])
  })

  it("is decided for the newcomer a minute after a feeler has found nobody, and who had the place is new again", () => {
    const { addrman, newcomer, old } = collision()
    addrman.good(newcomer, at(5 * 3600))
    addrman.attempt(old, true, at(5 * 3600))
    addrman.resolveCollisions(at(5 * 3600 + 60))
    expect(tables(addrman, old, newcomer)).toEqual(["tried", "new"])
    addrman.resolveCollisions(at(5 * 3600 + 61))
    expect(tables(addrman, old, newcomer)).toEqual(["new", "tried"])
    expect(addrman.selectTriedCollision()).toBeUndefined()
    addrman.check()
  })

  it("is decided for the newcomer when nobody could be tested for 40 minutes", () => {
    const { addrman, newcomer, old } = collision()
    addrman.good(newcomer, at(5 * 3600))
    addrman.resolveCollisions(at(5 * 3600 + 2400))
    expect(tables(addrman, old, newcomer)).toEqual(["tried", "new"])
    addrman.resolveCollisions(at(5 * 3600 + 2401))
    expect(tables(addrman, old, newcomer)).toEqual(["new", "tried"])
    addrman.check()
  })

  it("waits at most ten times", () => {
    const addrman = addrMan(1)
    const refused: Array<KnownAddress> = []
    for (let n = 0; n < 400; n++) {
      const one = known(ipv4(0x0102, n))
      addrman.add([one], host(ipv4(0x2000 + n, 1)), START)
      if (!addrman.good(one, START)) refused.push(one)
    }
    expect(refused.length).toBeGreaterThan(2 * SET_TRIED_COLLISION_SIZE)
    const before = addrman.count({ table: "tried" })
    for (const one of refused) addrman.good(one, at(5 * 3600))
    addrman.resolveCollisions(at(6 * 3600))
    expect(addrman.count({ table: "tried" })).toBe(before)
    expect(refused.filter((one) => addrman.find(one)?.table === "tried").length).toBeLessThanOrEqual(
      SET_TRIED_COLLISION_SIZE
    )
    expect(refused.some((one) => addrman.find(one)?.table === "tried")).toBe(true)
    addrman.check()
  })
})

describe("a flood of addresses", () => {
  it("never lets it know more than the tables hold, and counts nothing up", () => {
    const addrman = addrMan(1)
    let added = 0
    for (let batch = 0; batch < 200; batch++) {
      const told = Array.from({ length: 1000 }, (_, n) =>
        // Each batch is terrible a minute later, so that the next one takes its places.
        known(ipv4((batch * 1009 + n * 7) % 0xdf00, batch + n), { time: at(batch * 31 * DAY) })
      )
      added += addrman.add(told, host(ipv4(0x0900 + (batch % 8), 1)), at(batch * 31 * DAY))
    }
    expect(added).toBeGreaterThan(80_000)
    expect(addrman.count()).toBeLessThan(MAX_ENTRIES)
    addrman.check()
  }, 60_000)
})
