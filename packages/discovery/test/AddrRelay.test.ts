import { PeerId, UnixSeconds } from "@satwire/machine"
import { formatHost, formatNode, isRoutable, isSameNode, networkOf } from "@satwire/netaddress"
import { MAX_ADDR_TO_SEND } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ADDR_FETCH_TIMEOUT_MS, type KnownAddress, type RelayKind } from "../src/index.ts"
import { ONION, START, known, node, nth, onion, textOf } from "./Known.ts"
import { DAY_MS, KINDS, Relay } from "./Relay.ts"

describe("addresses that peers tell of", () => {
  it("are learned from the peer's address, two hours older than it says", () => {
    const relay = new Relay()
    relay.ready(1, { address: formatNode(node("77.1.2.3")) })
    relay.told(1, [known("21.1.1.1")])
    const [learned] = relay.taken("Learned")
    expect(learned).toMatchObject({ from: 1, source: { network: "ipv4" }, timePenaltyS: 7200 })
    expect([...(learned?.source.address ?? [])]).toEqual([77, 1, 2, 3])
    expect(learned?.addresses).toMatchObject([{ network: "ipv4", port: 8333, services: 1033n, time: START }])
  })

  it("are learned from nowhere where the peer was reached by a name through a proxy", () => {
    const relay = new Relay()
    relay.ready(1, { kind: "outbound-full-relay", address: undefined })
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
    relay.hear(1, { _tag: "addrv2", addresses })
    expect(relay.take()).toEqual([{ _tag: "Misbehaved", peer: 1, reason: { _tag: "TooManyAddresses", count: 1001 } }])
  })

  it("of a peer that we do not know any more are nothing", () => {
    const relay = new Relay()
    relay.ready(1)
    relay.gone(1)
    relay.told(1, [known("21.1.1.1")])
    relay.asked(1)
    relay.gone(1)
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

describe("any message of addresses", () => {
  const address = fc.record({
    node: fc.oneof(
      fc.integer({ min: 0, max: 40 }).map(nth),
      fc.constantFrom(node("10.0.0.1"), node("[2a00::1]"), onion(1), node("[fc00::1]"))
    ),
    services: fc.constantFrom(0n, 1n, 8n, 1024n, 1033n),
    age: fc.constantFrom(-100_000, -601, -600, 0, 599, 600, 100_000, START)
  })

  it("is taken in and passed on as a naive reading of the rules would have it", () => {
    fc.assert(
      fc.property(fc.uniqueArray(address, { maxLength: 12, selector: ({ node }) => formatNode(node) }), (told) => {
        const relay = new Relay()
        for (let n = 0; n < 5; n++) relay.refused.add(formatHost(nth(n)))
        // One peer tells, and one can be told.
        relay.ready(1, { mayFlood: true })
        relay.ready(2, { kind: "manual" })
        relay.told(
          1,
          told.map(({ age, node, services }) => known(node, { services, time: UnixSeconds(START - age) }))
        )
        const isHeard = ({ node, services }: (typeof told)[number]): boolean =>
          (services & 1025n) !== 0n && !relay.refused.has(formatHost(node))
        const timeOf = (age: number): number =>
          age < -600 || START - age <= 100_000_000 ? START - 5 * 86_400 : START - age
        const learned = told.filter((one) => isHeard(one) && ["ipv4", "ipv6"].includes(networkOf(one.node)))
        const fresh = told.filter(
          (one) => told.length <= 10 && isHeard(one) && timeOf(one.age) > START - 600 && isRoutable(one.node)
        )
        const seen = (list: ReadonlyArray<KnownAddress>): ReadonlyArray<string> =>
          list.map((one) => `${formatNode(one)} ${one.time} ${one.services}`).toSorted()
        const expected = (list: typeof told): ReadonlyArray<string> =>
          list.map(({ age, node, services }) => `${formatNode(node)} ${timeOf(age)} ${services}`).toSorted()
        expect(seen(relay.taken("Learned").flatMap(({ addresses }) => addresses))).toEqual(expected(learned))
        expect(relay.machine.counts(PeerId(1))?.processed).toBe(told.filter(isHeard).length)
        relay.elapse(DAY_MS)
        expect(seen(relay.tells().flatMap(({ addresses }) => addresses))).toEqual(expected(fresh))
      }),
      { numRuns: 300 }
    )
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
              relay.gone(one.id)
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
        for (const id of present.keys()) relay.gone(id)
        expect([relay.machine.size, relay.machine.nextTimeout()]).toEqual([0, undefined])
      })
    )
  })
})
