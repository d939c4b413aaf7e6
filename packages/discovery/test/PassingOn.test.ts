import { UnixSeconds } from "@satwire/machine"
import { MAX_ADDR_TO_SEND } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { AVG_ADDRESS_BROADCAST_INTERVAL_MS } from "../src/index.ts"
import { START, known, nth, onion, textOf } from "./Known.ts"
import { DAY_MS, MINUTE_MS, Relay } from "./Relay.ts"

describe("an address that is passed on", () => {
  /** Twenty peers that speak of addresses, and one, the first, that tells. */
  const crowd = (seed = 1, count = 20): Relay => {
    const relay = new Relay(seed)
    for (let id = 1; id <= count + 1; id++) {
      relay.ready(id, { mayFlood: true })
      relay.asked(id)
    }
    relay.take()
    return relay
  }

  it("goes to two peers, within minutes, and not back to who told it", () => {
    const relay = crowd()
    relay.told(1, [known("21.1.1.1")])
    relay.elapse(10 * MINUTE_MS)
    const told = relay.tells()
    expect(new Set(told.map(({ peer }) => peer)).size).toBe(2)
    expect(told.every(({ asked, peer }) => !asked && peer !== 1)).toBe(true)
    expect(told.map(({ addresses }) => textOf(addresses))).toEqual([["21.1.1.1:8333"], ["21.1.1.1:8333"]])
  })

  it("leaves on average half a minute later", () => {
    const relay = crowd(1, 2)
    let sum = 0
    const times = 400
    for (let i = 0; i < times; i++) {
      relay.told(1, [known(nth(i), { time: relay.now.unix })])
      const before = relay.now.instant
      while (relay.taken("Announce").length === 0) relay.elapse(100)
      sum += relay.now.instant - before
      relay.elapse(20 * MINUTE_MS)
      relay.take()
    }
    // The earlier of two peers' times: half of the mean.
    expect(sum / times / AVG_ADDRESS_BROADCAST_INTERVAL_MS).toBeGreaterThan(0.4)
    expect(sum / times / AVG_ADDRESS_BROADCAST_INTERVAL_MS).toBeLessThan(0.6)
  })

  it("goes to the same two all day, and to others on another", () => {
    const targets = (afterMs: number): string => {
      const relay = crowd()
      relay.elapse(afterMs)
      relay.told(1, [known("21.1.1.1", { time: relay.now.unix })])
      relay.elapse(10 * MINUTE_MS)
      const told = relay.tells().map(({ peer }) => peer)
      return told.toSorted((a, b) => a - b).join()
    }
    const hours = Array.from({ length: 24 }, (_, hour) => targets((hour * DAY_MS) / 24))
    // The day of an address begins at an hour of its own.
    expect(new Set(hours).size).toBeLessThanOrEqual(2)
    expect(new Set(Array.from({ length: 20 }, (_, day) => targets(day * DAY_MS))).size).toBeGreaterThan(15)
  })

  it("has a day that begins at an hour of its own", () => {
    const targetsOf = (n: number, hour: number): string => {
      const relay = crowd()
      relay.elapse((hour * DAY_MS) / 24)
      relay.told(1, [known(nth(n), { time: relay.now.unix })])
      relay.elapse(10 * MINUTE_MS)
      const told = relay.tells().map(({ peer }) => peer)
      return told.toSorted((a, b) => a - b).join()
    }
    const hours = Array.from({ length: 10 }, (_, n) => {
      const first = targetsOf(n, 0)
      return Array.from({ length: 24 }, (_, hour) => hour).find((hour) => targetsOf(n, hour) !== first)
    })
    expect(new Set(hours).size).toBeGreaterThan(4)
  })

  it("is not told again to who has heard it, however often it is told to us (ATTACKS 20)", () => {
    const relay = crowd()
    let told = 0
    for (let i = 0; i < 100; i++) {
      relay.told(1, [known("21.1.1.1", { time: relay.now.unix })])
      relay.elapse(10 * MINUTE_MS)
      told += relay.tells().length
    }
    // Sixteen hours, in which its day may change once.
    expect([2, 3, 4]).toContain(told)
  })

  it("goes to one or two where we cannot reach it ourselves, and is not kept", () => {
    const counts = new Set<number>()
    for (let byte = 0; byte < 20; byte++) {
      const relay = crowd()
      relay.told(1, [known(onion(byte))])
      relay.elapse(10 * MINUTE_MS)
      expect(relay.outputs.filter(({ _tag }) => _tag === "Learned")).toEqual([])
      counts.add(relay.tells().length)
    }
    expect(counts).toEqual(new Set([1, 2]))
  })

  it("is fresh, one of at most ten, and not part of the answer that we asked for", () => {
    const passedOn = (relay: Relay): number => {
      relay.elapse(10 * MINUTE_MS)
      return relay.tells().length
    }
    const stale = crowd()
    stale.told(1, [known("21.1.1.1", { time: UnixSeconds(START - 600) })])
    expect(passedOn(stale)).toBe(0)

    const many = crowd()
    many.told(
      1,
      Array.from({ length: 11 }, (_, i) => known(nth(i)))
    )
    expect(passedOn(many)).toBe(0)
    many.told(
      1,
      Array.from({ length: 10 }, (_, i) => known(nth(100 + i), { time: many.now.unix }))
    )
    expect(passedOn(many)).toBeGreaterThan(0)

    const answer = crowd()
    answer.ready(50, { kind: "outbound-full-relay", mayFlood: true })
    answer.told(50, [known("21.1.1.1")])
    expect(passedOn(answer)).toBe(0)
    const full = crowd()
    full.ready(50, { kind: "outbound-full-relay", mayFlood: true })
    full.told(
      50,
      Array.from({ length: 1000 }, (_, i) => known(nth(i)))
    )
    full.told(50, [known("21.1.1.1")])
    expect(passedOn(full)).toBe(0)
    // A message that is not full was the answer, or its end.
    answer.told(50, [known("21.1.1.2", { time: answer.now.unix })])
    expect(passedOn(answer)).toBe(2)
  })

  it("is nothing that is refused, unroutable or known to the peer", () => {
    const relay = crowd(1, 2)
    relay.refused.add("21.1.1.1")
    relay.told(1, [known("21.1.1.1"), known("10.0.0.1")])
    relay.told(2, [known("21.1.1.2")])
    relay.told(3, [known("21.1.1.2")])
    relay.elapse(10 * MINUTE_MS)
    const told = relay.tells()
    // Peers 2 and 3 have told of it themselves.
    expect(told.map(({ peer, addresses }) => [peer, textOf(addresses)])).toEqual([[1, ["21.1.1.2:8333"]]])
  })

  it("goes only to peers that have spoken of addresses", () => {
    const relay = new Relay()
    for (let id = 1; id <= 10; id++) relay.ready(id, { mayFlood: true })
    relay.told(1, [known("21.1.1.1")])
    relay.elapse(10 * MINUTE_MS)
    expect(relay.tells()).toEqual([])
  })

  it.each([
    ["around 2^32", (n: number) => 2 ** 32 - 10 + n],
    ["alike in their low half", (n: number) => n * 2 ** 32 + 7]
  ])("goes to peers with ids %s as to any others (ATTACKS 9: ids beyond 32 bits)", (_, idOf) => {
    const relay = new Relay()
    const ids = Array.from({ length: 20 }, (_, n) => idOf(n))
    for (const id of ids) {
      relay.ready(id, { mayFlood: true })
      relay.asked(id)
    }
    relay.take()
    for (let i = 0; i < 100; i++) relay.told(ids[0] as number, [known(nth(i))])
    relay.elapse(30 * MINUTE_MS)
    expect(new Set(relay.tells().map(({ peer }) => peer))).toEqual(new Set(ids.slice(1)))
  })
})

describe("what waits for a peer", () => {
  it("is not crowded out by what it knows", () => {
    const relay = new Relay()
    for (const id of [1, 2]) {
      relay.ready(id, { mayFlood: true })
      relay.asked(id)
    }
    relay.told(2, [known("21.1.1.1")])
    relay.told(1, [known("21.1.1.2")])
    for (let i = 0; i < 3000; i++) relay.told(1, [known("21.1.1.1")])
    relay.elapse(10 * MINUTE_MS)
    const toTwo = relay.tells().filter(({ peer }) => peer === 2)
    expect(toTwo.map(({ addresses }) => textOf(addresses))).toEqual([["21.1.1.2:8333"]])
  })

  it("leaves as news once the answer has left", () => {
    const relay = new Relay()
    relay.book = [known(nth(1))]
    for (const id of [1, 2]) {
      relay.ready(id, { mayFlood: true })
      relay.asked(id)
    }
    expect(relay.tells().map(({ asked }) => asked)).toEqual([true, true])
    relay.told(1, [known("21.1.1.1")])
    relay.elapse(10 * MINUTE_MS)
    expect(relay.tells().map(({ asked, peer }) => [asked, peer])).toEqual([[false, 2]])
  })

  it("is a thousand addresses at most, however many are passed on to it", () => {
    const relay = new Relay()
    for (const id of [1, 2]) {
      relay.ready(id, { mayFlood: true })
      relay.asked(id)
    }
    for (let i = 0; i < 300; i++)
      relay.told(
        1,
        Array.from({ length: 10 }, (_, n) => known(nth(10 * i + n)))
      )
    relay.take()
    relay.elapse(10 * MINUTE_MS)
    expect(relay.tells().map(({ addresses }) => addresses.length)).toEqual([MAX_ADDR_TO_SEND])
  })

  it("is nothing before it speaks of addresses, and takes no memory", () => {
    const relay = new Relay()
    relay.handle({ _tag: "AnnounceSelf", on: true })
    for (let id = 1; id <= 10_000; id++) relay.ready(id)
    expect([relay.machine.size, relay.machine.nextTimeout(), relay.take()]).toEqual([10_000, undefined, []])
    for (let id = 1; id <= 10_000; id++) relay.gone(id)
    expect(relay.machine.size).toBe(0)
  })
})
