import { describe, expect, it } from "vitest"
import { FIRST_RETRY_MS, LAST_RETRY_MS } from "../src/index.ts"
import { Town, node } from "./Town.ts"

const FRIEND = "friend.example:8333"

/** Only those that somebody names are dialled. */
const quiet = (): Town => new Town({ book: undefined })

describe("an endpoint that our user named", () => {
  it("is dialled at once, and after failures with pauses from a second to a minute", () => {
    const town = quiet()
    town.answers = () => false
    town.input({ _tag: "Keep", endpoint: FRIEND })
    town.elapse(10 * 60_000)
    const pauses = town.all("DialEnded").map(({ retryInMs }) => retryInMs)
    expect(pauses.slice(0, 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    expect(pauses.length).toBe(15)
  })

  it("is dialled once, however often it is named", () => {
    const town = quiet()
    for (let i = 0; i < 5; i++) town.input({ _tag: "Keep", endpoint: FRIEND })
    town.elapse(60_000)
    expect(town.all("Dial").length).toBe(1)
    expect(town.manager.kept).toEqual([FRIEND])
  })

  it("is dialled after a second again when the connection lasted", () => {
    const town = quiet()
    town.input({ _tag: "Keep", endpoint: FRIEND })
    for (let i = 1; i < 5; i++) {
      town.elapse(LAST_RETRY_MS + 1)
      town.close(town.peerAt(FRIEND))
      town.elapse(FIRST_RETRY_MS - 1)
      expect(town.all("Dial").length).toBe(i)
      town.elapse(1)
      expect(town.all("Dial").length).toBe(i + 1)
    }
  })

  it.each([
    ["BrokeTheRules", { cost: "discourage" }],
    ["OurOwnAddress", { reachedItself: true }]
  ] as const)("is given up for %s, and dialled again only when it is named anew", (because, end) => {
    const town = quiet()
    town.input({ _tag: "Keep", endpoint: FRIEND })
    town.close(town.peerAt(FRIEND), end)
    town.elapse(24 * 60 * 60_000)
    expect(town.all("GivenUp")).toEqual([{ _tag: "GivenUp", endpoint: FRIEND, because }])
    expect(town.all("Dial").length).toBe(1)
    town.input({ _tag: "Keep", endpoint: FRIEND })
    expect(town.all("Dial").length).toBe(2)
  })

  it("is dialled in v1 at once where it seems to know nothing else, and in v2 the time after", () => {
    const town = quiet()
    town.input({ _tag: "Keep", endpoint: FRIEND })
    town.close(town.peerAt(FRIEND), { retryAsV1: true })
    expect(town.all("Dial").map(({ transport }) => transport)).toEqual([undefined, "v1"])
    town.close(town.peerAt(FRIEND))
    town.elapse(LAST_RETRY_MS)
    expect(town.all("Dial").at(-1)?.transport).toBeUndefined()
  })

  it("is let go when it is released, also while it is being dialled, and dialled no more", () => {
    const town = quiet()
    town.input({ _tag: "Keep", endpoint: FRIEND })
    town.input({ _tag: "Release", endpoint: FRIEND })
    expect(town.all("LetGo").map(({ because }) => because)).toEqual(["released"])
    const slow = quiet()
    const outputs = new Array<{ readonly _tag: string; readonly dial?: number }>()
    slow.manager.handle({ _tag: "Keep", endpoint: FRIEND }, slow.now, outputs)
    slow.manager.handle({ _tag: "Release", endpoint: FRIEND }, slow.now, outputs)
    const peer = slow.arrive("9.9.9.9:9")
    slow.manager.handle(
      { _tag: "Opened", dial: outputs[0]?.dial ?? 0, peer: (peer + 1) as typeof peer },
      slow.now,
      outputs
    )
    expect(outputs.at(-1)).toEqual({ _tag: "LetGo", peer: peer + 1, because: "released" })
    for (const one of [town, slow]) {
      one.elapse(60_000)
      expect(one.manager.kept).toEqual([])
    }
  })

  it("is not chosen by us too", () => {
    const town = new Town()
    town.book.know("11.1.1.1:8333")
    town.answers = () => false
    town.input({ _tag: "Keep", endpoint: "11.1.1.1:8333" })
    town.elapse(10 * 60_000)
    expect(new Set(town.all("Dial").map(({ kind }) => kind))).toEqual(new Set(["manual"]))
  })

  it("may be spoken to in v1 alone, again and again or once", () => {
    const town = quiet()
    town.answers = () => false
    town.input({ _tag: "Keep", endpoint: FRIEND, transport: "v1" })
    town.input({ _tag: "DialOnce", endpoint: "11.1.1.2:8333", kind: "manual", transport: "v1" })
    town.elapse(2 * LAST_RETRY_MS)
    const dials = town.all("Dial")
    expect(dials.length).toBeGreaterThan(3)
    expect(new Set(dials.map(({ transport }) => transport))).toEqual(new Set(["v1"]))
  })

  it("may do what a rule allows to those that we dial there, whom we found ourselves may not", () => {
    const permissions = new Set(["noban"] as const)
    const subnet = { base: node("11.0.0.0:1"), prefixBits: 8 }
    const town = new Town({
      book: undefined,
      permissions: [{ permissions, subnet, directions: new Set(["out"] as const) }]
    })
    town.input({ _tag: "DialOnce", endpoint: "11.1.1.2:8333", kind: "manual" })
    town.input({ _tag: "DialOnce", endpoint: "12.1.1.2:8333", kind: "manual" })
    town.input({ _tag: "DialOnce", endpoint: "11.1.1.3:8333", kind: "addr-fetch" })
    expect(town.all("Admitted")).toEqual([{ _tag: "Admitted", peer: town.peerAt("11.1.1.2:8333"), permissions }])
  })

  it("that is dialled once is not dialled again", () => {
    const town = quiet()
    town.input({ _tag: "DialOnce", endpoint: FRIEND, kind: "manual" })
    town.close(town.peerAt(FRIEND), { retryAsV1: true })
    town.close(town.peerAt(FRIEND))
    town.elapse(60 * 60_000)
    expect(town.all("Dial").map(({ transport }) => transport)).toEqual([undefined, "v1"])
    expect(town.manager.isEmpty).toBe(true)
  })
})
