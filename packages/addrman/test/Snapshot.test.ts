import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { AsMap, NetGroups } from "@satwire/netaddress"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AddrMan, type AddrManSnapshot, type Restored } from "../src/index.ts"
import { START, addrMan, at, host, ipv4, known } from "./KnownAddresses.ts"
import { keyOf } from "./NaiveAddrMan.ts"

const restored = (snapshot: unknown, now = START, groups = new NetGroups()): Result.Result<Restored, string> =>
  AddrMan.restore({ random: ChaChaRandom.fromNumber(9), sha256: portableSha256, groups }, snapshot, now)

const whole = (snapshot: unknown, now = START, groups?: NetGroups): Restored => {
  const result = restored(snapshot, now, groups)
  if (Result.isFailure(result)) throw new Error(result.failure)
  return result.success
}

/** Addresses of all kinds, some of them tried, some waiting. */
const filled = (): AddrMan => {
  const addrman = addrMan(7)
  for (let n = 0; n < 400; n++) {
    const one = known(ipv4(0x0102 + (n % 3), n), { services: BigInt(n) * 2n ** 50n, time: at(-n) })
    addrman.add(
      [one],
      n % 5 === 0 ? { network: "internal", address: new Uint8Array(10).fill(n) } : host(ipv4(0x2000 + n, 1)),
      START
    )
    if (n % 2 === 0) addrman.good(one, at(n))
    if (n % 7 === 0) addrman.attempt(one, true, at(500))
  }
  for (let n = 1; n < 30; n++) {
    addrman.add(
      [
        known(`[2001:2001::${n}]:8333`),
        known(`[fc12::${n}]:1`),
        { ...known("1.1.1.1"), network: "torv3", address: new Uint8Array(32).fill(n) },
        { ...known("1.1.1.1"), network: "i2p", address: new Uint8Array(32).fill(n), port: 0 }
      ],
      n % 2 === 0 ? host(`2001:2001::${n}`) : { network: "torv3", address: new Uint8Array(32).fill(99) },
      START
    )
  }
  addrman.check()
  return addrman
}

const all = (addrman: AddrMan): unknown =>
  [...addrman.addresses()]
    .map((info) => [keyOf(info), info])
    .toSorted(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))

const asMap = (systems: ReadonlyArray<number>): NetGroups => {
  const map = AsMap.load(Uint8Array.from(systems), portableSha256)
  if (Result.isFailure(map)) throw new Error(map.failure.what)
  return new NetGroups(map.success)
}

/** Maps that give everything to one AS: 1 and 2. */
const ONE = asMap([0, 0, 0])
const TWO = asMap([0, 0, 1])

describe("a snapshot", () => {
  it("restores all that was known, in its places, and what waits", () => {
    const addrman = filled()
    const snapshot = addrman.snapshot()
    expect(snapshot.collisions.length).toBeGreaterThan(5)
    const again = whole(structuredClone(snapshot), at(1000))
    expect(again.lost).toEqual({ new: 0, tried: 0 })
    expect(all(again.addrman)).toEqual(all(addrman))
    again.addrman.check()
    // And its snapshot is the same, but for the order.
    expect(whole(again.addrman.snapshot(), at(1000)).addrman.snapshot().count).toBe(snapshot.count)
    const tested = (one: AddrMan): ReadonlySet<string> =>
      new Set(
        Array.from({ length: 300 }, () => one.selectTriedCollision()).map((old) =>
          old === undefined ? "" : keyOf(old)
        )
      )
    // What was forgotten while it waited is gone from the set after a while, as it is from the snapshot.
    tested(addrman)
    expect(tested(again.addrman)).toEqual(tested(addrman))
  })

  it("of nothing restores nothing, under the same key", () => {
    const snapshot = addrMan(1).snapshot()
    const { addrman } = whole(snapshot)
    expect(addrman.count()).toBe(0)
    expect(addrman.snapshot().key).toEqual(snapshot.key)
  })

  it("shares no memory with the manager", () => {
    const addrman = filled()
    const before = all(addrman)
    const snapshot = addrman.snapshot()
    for (const column of Object.values(snapshot)) if (column instanceof Uint8Array) column.fill(0)
    expect(all(addrman)).toEqual(before)
    addrman.check()
  })

  it("under another AS map is spread anew by it, and tells what found no place", () => {
    const addrman = addrMan(7, { groups: ONE })
    for (let n = 0; n < 3000; n++) {
      const one = known(ipv4(0x0102 + n, n))
      addrman.add([one], host(ipv4(0x2000 + n, 1)), START)
      if (n % 2 === 0) addrman.good(one, START)
    }
    // One AS, one source: one bucket of the new, eight of the tried.
    expect(addrman.count({ table: "new" })).toBeLessThanOrEqual(64)
    expect(addrman.count({ table: "tried" })).toBeLessThanOrEqual(512)
    const snapshot = addrman.snapshot()
    expect(whole(snapshot, START, ONE).lost).toEqual({ new: 0, tried: 0 })
    for (const groups of [TWO, new NetGroups()]) {
      const { addrman: other, lost } = whole(snapshot, START, groups)
      other.check()
      expect(other.count() + lost.new + lost.tried).toBe(addrman.count())
      expect(all(other)).not.toEqual(all(addrman))
      const again = whole(other.snapshot(), START, groups)
      expect(all(again.addrman)).toEqual(all(other))
    }
    // Without a map each has its own group, and nearly all have room.
    expect(whole(snapshot, START, new NetGroups()).lost.new).toBeLessThan(5)
  })

  it("of an address whose place among the tried is gone gives it one among the new", () => {
    const addrman = addrMan(7)
    for (let n = 0; n < 600; n++) {
      const one = known(ipv4(0x0100 + n, 1))
      addrman.add([one], host(ipv4(0x2000 + n, 1)), START)
      addrman.good(one, START)
    }
    const { addrman: other, lost } = whole(addrman.snapshot(), START, ONE)
    expect(other.count({ table: "tried" })).toBeLessThanOrEqual(512)
    expect(other.count({ table: "new" })).toBeGreaterThan(0)
    expect(lost.new + lost.tried).toBe(addrman.count() - other.count())
    other.check()
  })

  it("written under a clock that was ahead does not keep its times of the future", () => {
    const addrman = addrMan(7)
    const one = known("250.1.1.1", { time: START })
    addrman.add([one], host("7.7.7.7"), START)
    addrman.good(one, at(1e9))
    addrman.attempt(one, true, at(1e9))
    const { addrman: again } = whole(addrman.snapshot(), at(10))
    expect(again.find(one)).toMatchObject({ lastTry: at(10), lastSuccess: at(10), table: "tried" })
    again.check()
  })
})

describe("what is no snapshot", () => {
  const snapshot = filled().snapshot()
  const faultOf = (change: Partial<Record<keyof AddrManSnapshot, unknown>>): string | undefined => {
    const result = restored({ ...snapshot, ...change })
    return Result.isFailure(result) ? result.failure : undefined
  }

  it("is refused with a word about what is wrong", () => {
    for (const nothing of [undefined, null, 7, "text", [], {}, new Uint8Array(10)]) {
      expect(Result.isFailure(restored(nothing))).toBe(true)
    }
    expect(faultOf({})).toBeUndefined()
    expect(faultOf({ count: 2 ** 40 })).toContain("count")
    expect(faultOf({ count: 1.5 })).toContain("count")
    expect(faultOf({ count: snapshot.count - 1 })).toContain("column")
    expect(faultOf({ port: snapshot.port.subarray(1) })).toContain('"port"')
    expect(faultOf({ key: new Uint8Array(31) })).toContain("key")
    expect(faultOf({ lastGood: Number.NaN })).toContain("time")
    expect(faultOf({ network: snapshot.network.map(() => 3) })).toContain("network")
    expect(faultOf({ address: snapshot.address.subarray(1) })).toContain("addresses")
    expect(faultOf({ refCount: snapshot.refCount.map(() => 9) })).toContain("buckets")
    expect(faultOf({ buckets: snapshot.buckets.subarray(2) })).toContain("buckets")
    for (const collisions of [[-1], [snapshot.count], [0.5], ["0"], Array.from({ length: 11 }, () => 0), 5]) {
      expect(faultOf({ collisions })).toContain("collisions")
    }
  })

  it("but looks like one gives a manager that agrees with itself, whatever its bytes say", () => {
    const columns = Object.entries(snapshot).filter(([, column]) => column instanceof Uint8Array)
    let taken = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...columns.map(([name]) => name)), fc.nat(), fc.nat(255)), {
          minLength: 1,
          maxLength: 40
        }),
        fc.array(fc.nat(snapshot.count - 1), { maxLength: 10 }),
        (changes, collisions) => {
          const changed: Record<string, unknown> = structuredClone({ ...snapshot, collisions })
          for (const [name, where, value] of changes) {
            const column = changed[name] as Uint8Array
            column[where % column.length] = value
          }
          const result = restored(changed)
          if (Result.isFailure(result)) return
          taken++
          const { addrman, lost } = result.success
          addrman.check()
          expect(addrman.count() + lost.new + lost.tried).toBe(snapshot.count)
          addrman.resolveCollisions(at(9 * 3600))
          addrman.select({}, START)
          addrman.check()
        }
      ),
      { numRuns: 60 }
    )
    expect(taken).toBeGreaterThan(10)
  })
})
