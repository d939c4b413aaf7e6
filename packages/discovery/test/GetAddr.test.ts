import { formatNode } from "@satwire/netaddress"
import { GETADDR } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { ONION, known, nth, textOf } from "./Known.ts"
import { DAY_MS, KINDS, MINUTE_MS, Relay } from "./Relay.ts"

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
      relay.gone(id)
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
