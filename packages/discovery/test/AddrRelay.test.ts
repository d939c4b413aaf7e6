import { PeerId, UnixSeconds } from "@satwire/machine"
import { formatNode, isSameNode } from "@satwire/netaddress"
import { GETADDR, MAX_ADDR_TO_SEND } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  ADDR_FETCH_TIMEOUT_MS,
  AVG_ADDRESS_BROADCAST_INTERVAL_MS,
  AVG_LOCAL_ADDRESS_BROADCAST_INTERVAL_MS,
  type RelayKind
} from "../src/index.ts"
import { START, known, node, nth, onion, textOf } from "./Known.ts"
import { Relay } from "./Relay.ts"

const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS
const KINDS: ReadonlyArray<RelayKind> = [
  "inbound",
  "outbound-full-relay",
  "block-relay-only",
  "manual",
  "feeler",
  "addr-fetch",
  "private-broadcast"
]

const ONION = onion(7)

describe("getaddr", () => {
  it("is sent once, to whom we dialled to hear of addresses", () => {
    const asked = KINDS.filter((kind) => {
      const relay = new Relay()
      relay.ready(1, { kind })
      relay.elapse(DAY_MS)
      return relay.taken("Send").filter(({ message }) => message === GETADDR).length === 1
    })
    expect(asked).toEqual(["outbound-full-relay", "manual", "addr-fetch"])
  })

  it("is answered at once to a peer that dialled us, and only once", () => {
    const relay = new Relay()
    relay.book = [known(nth(1)), known(nth(2))]
    relay.ready(1)
    relay.elapse(MINUTE_MS)
    relay.asked(1)
    const [answer, ...more] = relay.tells()
    expect([answer?.asked, textOf(answer?.addresses ?? []), more]).toEqual([true, textOf([nth(1), nth(2)]), []])
    relay.asked(1)
    relay.elapse(DAY_MS)
    expect(relay.take()).toEqual([])
    // Nor with what is known later, where our user allows that.
    relay.ready(2, { mayFlood: true })
    relay.asked(2)
    relay.book = [known(nth(3))]
    relay.take()
    relay.asked(2)
    relay.elapse(DAY_MS)
    expect(relay.take()).toEqual([])
  })

  it("has its answer in place of what waited for the peer", () => {
    const relay = new Relay()
    relay.book = [known(nth(1))]
    for (const id of [1, 2]) {
      relay.ready(id, { mayFlood: true })
      relay.told(id, [known("10.0.0.1")])
    }
    relay.told(1, [known("21.1.1.1")])
    relay.asked(2)
    relay.elapse(DAY_MS)
    expect(relay.tells().map(({ addresses }) => textOf(addresses))).toEqual([textOf([nth(1)])])
  })

  it("is not answered to whom we dialled", () => {
    for (const kind of KINDS.filter((kind) => kind !== "inbound")) {
      const relay = new Relay()
      relay.book = [known(nth(1))]
      relay.ready(1, { kind })
      relay.take()
      relay.asked(1)
      relay.elapse(DAY_MS)
      expect(relay.tells()).toEqual([])
    }
  })

  it("is answered without what is banned or discouraged, and without what the peer's messages cannot say", () => {
    const relay = new Relay()
    relay.book = [known("21.1.1.1"), known("21.1.1.2"), known(ONION)]
    relay.refused.add("21.1.1.1")
    relay.ready(1, { addrV2: false })
    relay.asked(1)
    relay.ready(2, { socket: "another" })
    relay.asked(2)
    const [old, modern] = relay.tells().map(({ addresses }) => textOf(addresses))
    expect(old).toEqual(["21.1.1.2:8333"])
    expect(modern).toEqual(["21.1.1.2:8333", formatNode(ONION)])
  })

  it("has the same answer on one network and socket for 21 to 27 hours (ATTACKS 20)", () => {
    const relay = new Relay()
    const ask = (id: number, socket: string, network?: "torv3"): ReadonlyArray<string> => {
      relay.ready(id, { socket, network })
      relay.asked(id)
      const [answer] = relay.tells()
      relay.handle({ _tag: "PeerGone", peer: PeerId(id) })
      return textOf(answer?.addresses ?? [])
    }
    relay.book = [known(nth(1))]
    const first = ask(1, "10.0.0.1:8333")
    relay.book = [known(nth(2))]
    relay.elapse(21 * 60 * MINUTE_MS - 1)
    expect(ask(2, "10.0.0.1:8333")).toEqual(first)
    // An answer of its own: it must not show that both are one node.
    expect(ask(3, "10.0.0.1:8334")).toEqual(textOf([nth(2)]))
    expect(ask(4, "10.0.0.1:8333", "torv3")).toEqual(textOf([nth(2)]))
    relay.elapse(6 * 60 * MINUTE_MS + 1)
    expect(ask(5, "10.0.0.1:8333")).toEqual(textOf([nth(2)]))
  })

  it("is answered with what is known now where our user allows it", () => {
    const relay = new Relay()
    relay.book = [known(nth(1))]
    relay.ready(1)
    relay.asked(1)
    relay.book = [known(nth(2))]
    relay.take()
    relay.ready(2, { mayFlood: true })
    relay.asked(2)
    expect(textOf(relay.tells()[0]?.addresses ?? [])).toEqual(textOf([nth(2)]))
  })

  it("has an answer of at most 1,000 addresses, in one message", () => {
    const relay = new Relay()
    relay.book = Array.from({ length: 2500 }, (_, i) => known(nth(i)))
    relay.ready(1)
    relay.asked(1)
    expect(relay.tells().map(({ addresses }) => addresses.length)).toEqual([1000])
  })
})

describe("addresses that peers tell of", () => {
  it("are learned from the peer's address, two hours older than it says", () => {
    const relay = new Relay()
    relay.ready(1, { host: node("77.1.2.3") })
    relay.told(1, [known("21.1.1.1")])
    const [learned] = relay.taken("Learned")
    expect(learned).toMatchObject({ from: 1, source: { network: "ipv4" }, timePenaltyS: 7200 })
    expect([...(learned?.source.address ?? [])]).toEqual([77, 1, 2, 3])
    expect(learned?.addresses).toMatchObject([{ network: "ipv4", port: 8333, services: 1033n, time: START }])
  })

  it("are learned from nowhere where the peer was reached by a name through a proxy", () => {
    const relay = new Relay()
    relay.ready(1, { kind: "outbound-full-relay", host: undefined })
    relay.told(1, [known("21.1.1.1")])
    expect(relay.taken("Learned")[0]?.source).toEqual({ network: "ipv6", address: new Uint8Array(16) })
  })

  it("are nothing on connections that are not for them", () => {
    for (const kind of ["block-relay-only", "feeler", "private-broadcast"] as const) {
      const relay = new Relay()
      relay.ready(1, { kind })
      relay.ready(2)
      relay.asked(2)
      relay.take()
      relay.told(1, [known("21.1.1.1")])
      relay.elapse(DAY_MS)
      expect(relay.take()).toEqual([])
    }
  })

  it("are left out where the node keeps no blocks, where they are refused, and where we do not get", () => {
    const relay = new Relay()
    relay.refused.add("21.1.1.3")
    relay.ready(1, { mayFlood: true })
    relay.told(1, [
      known("21.1.1.1", { services: 0n }),
      known("21.1.1.2", { services: 1024n }),
      known("21.1.1.3"),
      known("192.168.1.1"),
      known(ONION),
      known("21.1.1.4", { services: 1n })
    ])
    const [learned] = relay.taken("Learned")
    expect(textOf(learned?.addresses ?? []).toSorted()).toEqual(["21.1.1.2:8333", "21.1.1.4:8333"])
    expect(relay.machine.counts(PeerId(1))).toMatchObject({ isRelaying: true, processed: 4, rateLimited: 0 })
  })

  it("are five days old where their time makes no sense (ATTACKS 9: future times)", () => {
    const relay = new Relay()
    relay.ready(1, { mayFlood: true })
    const times = [0, 100_000_000, START + 601, 0xffff_ffff, 100_000_001, START + 600]
    relay.told(
      1,
      times.map((time, i) => known(nth(i), { time: UnixSeconds(time) }))
    )
    const [learned] = relay.taken("Learned")
    const byTime = times.map((_, i) => learned?.addresses.find((address) => isSameNode(address, nth(i)))?.time)
    const old = START - 5 * 24 * 60 * 60
    expect(byTime).toEqual([old, old, old, old, 100_000_001, START + 600])
  })

  it("are more than a message may have: the peer misbehaves, and nothing is learned (ATTACKS 9)", () => {
    const relay = new Relay()
    relay.ready(1, { mayFlood: true })
    const addresses = Array.from({ length: 1001 }, (_, i) => known(nth(i)))
    relay.handle({ _tag: "Received", peer: PeerId(1), message: { _tag: "addrv2", addresses } })
    expect(relay.take()).toEqual([{ _tag: "Misbehaved", peer: 1, reason: { _tag: "TooManyAddresses", count: 1001 } }])
  })

  it("of a peer that we do not know any more are nothing", () => {
    const relay = new Relay()
    relay.ready(1)
    relay.handle({ _tag: "PeerGone", peer: PeerId(1) })
    relay.told(1, [known("21.1.1.1")])
    relay.asked(1)
    relay.handle({ _tag: "PeerGone", peer: PeerId(1) })
    expect([relay.take(), relay.machine.size, relay.machine.nextTimeout()]).toEqual([[], 0, undefined])
  })
})

describe("the rate of addresses", () => {
  const learnedOf = (relay: Relay): number =>
    relay.taken("Learned").reduce((sum, { addresses }) => sum + addresses.length, 0)

  it("is one, and then one in ten seconds (ATTACKS 9: addr floods)", () => {
    const relay = new Relay()
    relay.ready(1)
    const flood = Array.from({ length: 100 }, (_, i) => known(nth(i)))
    relay.told(1, flood)
    expect(learnedOf(relay)).toBe(1)
    relay.elapse(9_999)
    relay.told(1, flood)
    expect(learnedOf(relay)).toBe(0)
    relay.elapse(1)
    relay.told(1, flood)
    expect(learnedOf(relay)).toBe(1)
    expect(relay.machine.counts(PeerId(1))).toEqual({ isRelaying: true, processed: 2, rateLimited: 298 })
  })

  it("has room for the answer to our getaddr, and no more", () => {
    const relay = new Relay()
    relay.ready(1, { kind: "outbound-full-relay" })
    const message = (from: number): ReadonlyArray<ReturnType<typeof known>> =>
      Array.from({ length: 1000 }, (_, i) => known(nth(from + i)))
    relay.told(1, message(0))
    relay.told(1, message(1000))
    expect(learnedOf(relay)).toBe(1001)
  })

  it("lets through a thousand at once after long silence, and in ten days of 1,000 in every message no more than its share", () => {
    const relay = new Relay()
    relay.ready(1)
    const days = 10
    let learned = 0
    const perDay = 96
    for (let i = 0; i < days * perDay; i++) {
      relay.told(
        1,
        Array.from({ length: 1000 }, (_, n) => known(nth(n)))
      )
      learned += learnedOf(relay)
      relay.elapse(DAY_MS / perDay)
    }
    expect(learned).toBeLessThanOrEqual(1 + days * 8640)
    relay.elapse(30 * DAY_MS)
    relay.told(
      1,
      Array.from({ length: 1000 }, (_, n) => known(nth(n)))
    )
    relay.told(1, [known(nth(1))])
    expect(learnedOf(relay)).toBe(1000)
  })

  it("does not hold for whom our user lets", () => {
    const relay = new Relay()
    relay.ready(1, { mayFlood: true })
    relay.told(
      1,
      Array.from({ length: 1000 }, (_, i) => known(nth(i)))
    )
    expect(learnedOf(relay)).toBe(1000)
  })

  it("leaves to chance what of a message is looked at", () => {
    const first = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      const relay = new Relay(seed)
      relay.ready(1)
      relay.told(
        1,
        Array.from({ length: 100 }, (_, i) => known(nth(i)))
      )
      first.add(textOf(relay.taken("Learned")[0]?.addresses ?? []).join())
    }
    expect(first.size).toBeGreaterThan(30)
  })
})

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
    for (let id = 1; id <= 10_000; id++) relay.handle({ _tag: "PeerGone", peer: PeerId(id) })
    expect(relay.machine.size).toBe(0)
  })
})

describe("our own address", () => {
  it("is told to a peer when it begins to speak of addresses, in a message of its own, and once a day", () => {
    const relay = new Relay()
    relay.handle({ _tag: "AnnounceSelf", on: true })
    relay.book = [known(nth(1))]
    relay.ready(1)
    relay.asked(1)
    const [own, answer] = relay.tells()
    expect([own?.asked, textOf(own?.addresses ?? [])]).toEqual([false, ["11.1.1.1:8333"]])
    expect(own?.addresses[0]).toMatchObject({ services: 1033n, time: START })
    expect(answer?.asked).toBe(true)
    relay.elapse(100 * DAY_MS)
    const times = relay.tells().filter(({ addresses }) => textOf(addresses)[0] === "11.1.1.1:8333").length
    const expected = (100 * DAY_MS) / AVG_LOCAL_ADDRESS_BROADCAST_INTERVAL_MS
    expect(times).toBeGreaterThan(0.7 * expected)
    expect(times).toBeLessThan(1.3 * expected)
  })

  it("is known to who was told of it, and each day what it knows is forgotten", () => {
    const relay = new Relay()
    relay.handle({ _tag: "AnnounceSelf", on: true })
    for (const id of [1, 2]) {
      relay.ready(id, { mayFlood: true })
      relay.asked(id)
    }
    relay.take()
    const passOn = (): ReadonlyArray<string> => {
      for (const text of ["11.1.1.1", "21.1.1.1"]) relay.told(1, [known(text, { time: relay.now.unix })])
      relay.elapse(10 * MINUTE_MS)
      return relay.tells().flatMap(({ addresses, peer }) => (peer === 2 ? textOf(addresses) : []))
    }
    expect(passOn()).toEqual(["21.1.1.1:8333"])
    expect(passOn()).toEqual([])
    // Until it has been told of us again.
    while (relay.tells().filter(({ peer }) => peer === 2).length === 0) relay.elapse(MINUTE_MS)
    expect(passOn()).toEqual(["21.1.1.1:8333"])
  })

  it("is told to whom we dialled right after the handshake, but not on connections without addresses", () => {
    for (const kind of KINDS.filter((kind) => kind !== "inbound")) {
      const relay = new Relay()
      relay.handle({ _tag: "AnnounceSelf", on: true })
      relay.ready(1, { kind })
      const speaks = kind === "outbound-full-relay" || kind === "manual" || kind === "addr-fetch"
      expect([kind, relay.tells().length]).toEqual([kind, speaks ? 1 : 0])
    }
  })

  it("waits until we have caught up, and then goes to all", () => {
    const relay = new Relay()
    for (let id = 1; id <= 200; id++) relay.ready(id, { kind: "outbound-full-relay" })
    relay.elapse(DAY_MS)
    expect(relay.tells()).toEqual([])
    relay.handle({ _tag: "AnnounceSelf", on: true })
    relay.elapse(0)
    expect(relay.tells()).toHaveLength(200)
    relay.handle({ _tag: "AnnounceSelf", on: false })
    relay.elapse(30 * DAY_MS)
    expect(relay.tells()).toEqual([])
  })

  it("is served to 64 peers a turn, so that many do not hold up the others", () => {
    const relay = new Relay()
    for (let id = 1; id <= 200; id++) relay.ready(id, { kind: "outbound-full-relay" })
    relay.take()
    relay.handle({ _tag: "AnnounceSelf", on: true })
    relay.handle({ _tag: "Timeout" })
    expect(relay.tells()).toHaveLength(64)
  })

  it("is told in the words that the peer understands, or not at all", () => {
    const relay = new Relay()
    relay.handle({ _tag: "AnnounceSelf", on: true })
    relay.ready(1, { kind: "manual", addrV2: false })
    expect(relay.taken("Announce").map(({ message }) => message._tag)).toEqual(["addr"])
    relay.ready(2, { kind: "manual", addrV2: true })
    expect(relay.taken("Announce").map(({ message }) => message._tag)).toEqual(["addrv2"])
    relay.own = ONION
    relay.ready(3, { kind: "manual", addrV2: false })
    expect(relay.taken("Announce")).toEqual([])
    relay.own = undefined
    relay.ready(4, { kind: "manual" })
    expect(relay.taken("Announce")).toEqual([])
  })

  it("is what a peer that dialled us says it is, where that is on the public network", () => {
    const relay = new Relay()
    relay.ready(1, { seenAs: node("9.9.9.9") })
    relay.ready(2, { seenAs: node("10.0.0.1") })
    relay.ready(3, { kind: "outbound-full-relay", seenAs: node("9.9.9.8") })
    expect(relay.seen).toEqual([node("9.9.9.9")])
  })
})

describe("an addr-fetch peer", () => {
  it("is done when it has told of more than itself", () => {
    const relay = new Relay()
    relay.ready(1, { kind: "addr-fetch" })
    relay.told(1, [known("21.1.1.1")])
    expect(relay.taken("AddressesFetched")).toEqual([])
    relay.told(1, [known("21.1.1.1"), known("21.1.1.2")])
    expect(relay.taken("AddressesFetched")).toEqual([{ _tag: "AddressesFetched", peer: 1, answered: true }])
    relay.elapse(DAY_MS)
    expect(relay.taken("AddressesFetched")).toEqual([])
  })

  it("is done when it has had five minutes", () => {
    const relay = new Relay()
    relay.ready(1, { kind: "addr-fetch" })
    relay.elapse(ADDR_FETCH_TIMEOUT_MS - 1)
    expect(relay.taken("AddressesFetched")).toEqual([])
    relay.elapse(1)
    expect(relay.taken("AddressesFetched")).toEqual([{ _tag: "AddressesFetched", peer: 1, answered: false }])
  })
})

describe("any conversation about addresses", () => {
  const step = fc.oneof(
    fc.record({
      _tag: fc.constant("ready" as const),
      id: fc.integer({ min: 1, max: 6 }),
      kind: fc.constantFrom(...KINDS)
    }),
    fc.record({ _tag: fc.constant("gone" as const), id: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ _tag: fc.constant("asked" as const), id: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ _tag: fc.constant("self" as const), on: fc.boolean() }),
    fc.record({ _tag: fc.constant("elapse" as const), ms: fc.integer({ min: 0, max: DAY_MS }) }),
    fc.record({
      _tag: fc.constant("told" as const),
      id: fc.integer({ min: 1, max: 6 }),
      first: fc.integer({ min: 0, max: 3000 }),
      count: fc.integer({ min: 0, max: 1000 }),
      age: fc.integer({ min: -1000, max: 1000 })
    })
  )

  it("tells only whom it may, never more than a thousand, and nothing to who has left; and leaves nothing behind", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, seed) => {
        const relay = new Relay(seed)
        relay.book = Array.from({ length: 50 }, (_, i) => known(nth(i)))
        const present = new Map<number, RelayKind>()
        for (const one of steps) {
          switch (one._tag) {
            case "ready":
              if (present.has(one.id)) continue
              present.set(one.id, one.kind)
              relay.ready(one.id, { kind: one.kind })
              break
            case "gone":
              present.delete(one.id)
              relay.handle({ _tag: "PeerGone", peer: PeerId(one.id) })
              break
            case "asked":
              relay.asked(one.id)
              break
            case "self":
              relay.handle({ _tag: "AnnounceSelf", on: one.on })
              break
            case "elapse":
              relay.elapse(one.ms)
              break
            case "told": {
              const time = UnixSeconds(relay.now.unix - one.age)
              relay.told(
                one.id,
                Array.from({ length: one.count }, (_, i) => known(nth(one.first + i), { time }))
              )
            }
          }
          for (const { addresses, asked, peer } of relay.tells()) {
            const kind = present.get(peer)
            expect(["inbound", "outbound-full-relay", "manual", "addr-fetch"]).toContain(kind)
            expect(addresses.length).toBeGreaterThan(0)
            expect(addresses.length).toBeLessThanOrEqual(MAX_ADDR_TO_SEND)
            if (asked) expect(kind).toBe("inbound")
          }
        }
        for (const id of present.keys()) relay.handle({ _tag: "PeerGone", peer: PeerId(id) })
        expect([relay.machine.size, relay.machine.nextTimeout()]).toEqual([0, undefined])
      })
    )
  })
})
