import { describe, expect, it } from "vitest"
import { AVG_LOCAL_ADDRESS_BROADCAST_INTERVAL_MS } from "../src/index.ts"
import { ONION, START, known, node, nth, textOf } from "./Known.ts"
import { DAY_MS, KINDS, MINUTE_MS, Relay } from "./Relay.ts"

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
