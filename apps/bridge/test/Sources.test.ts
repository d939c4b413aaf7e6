import * as IpNetwork from "effect/net/IpNetwork"
import type * as NetAddress from "effect/net/NetAddress"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_SOURCES, Sources, sourceOf } from "../src/bridge/Sources.ts"

const limits = { maxConnections: 5, maxPerSource: 2, perMinute: 6 }

describe("the sources of a bridge", () => {
  it("have so many connections at once, each and all together", () => {
    const sources = new Sources(limits)
    expect(["a", "a", "a"].map((source) => sources.enter(source, 0))).toEqual([
      undefined,
      undefined,
      "too many connections of this source"
    ])
    expect(["b", "c", "d", "e"].map((source) => sources.enter(source, 0))).toEqual([
      ...[undefined, undefined, undefined],
      "too many connections"
    ])
    sources.leave("a")
    expect(sources.enter("e", 0)).toBe(undefined)
    expect(sources.open).toBe(5)
  })

  it("have so many new connections a minute, refused ones among them", () => {
    const sources = new Sources(limits)
    const attempt = (nowMs: number): string => {
      const excess = sources.enter("a", nowMs)
      if (excess === undefined) sources.leave("a")
      return excess ?? "in"
    }
    const full = "too many new connections of this source"
    expect(Array.from({ length: 8 }, () => attempt(0))).toEqual([...Array(6).fill("in"), full, full])
    expect([attempt(9_999), attempt(10_000), attempt(10_001)]).toEqual([full, "in", full])
  })

  it("are forgotten when they have nothing open and are quiet for a minute", () => {
    const sources = new Sources({ ...limits, maxConnections: 100 })
    for (let i = 0; i < 50; i++) sources.enter(`quiet ${i}`, 0)
    for (let i = 0; i < 50; i++) sources.leave(`quiet ${i}`)
    sources.enter("open", 0)
    expect(sources.size).toBe(51)
    sources.enter("new", 60_000)
    expect(sources.size).toBe(2)
  })

  it("are bounded, however many there are, and never lose count of what is open", () => {
    const sources = new Sources({ ...limits, maxConnections: 3 })
    for (let i = 0; i < 3; i++) sources.enter(`open ${i}`, 0)
    for (let i = 0; i < MAX_SOURCES + 1000; i++) sources.enter(`flood ${i}`, 1)
    expect(sources.size).toBeLessThanOrEqual(MAX_SOURCES)
    for (let i = 0; i < 3; i++) sources.leave(`open ${i}`)
    expect(sources.open).toBe(0)
  })

  it("count every connection exactly once, in any order of coming and going", () => {
    const move = fc.record({ source: fc.constantFrom("a", "b", "c"), enters: fc.boolean(), afterMs: fc.nat(20_000) })
    fc.assert(
      fc.property(fc.array(move, { maxLength: 200 }), (moves) => {
        const sources = new Sources(limits)
        const open: Record<string, number> = { a: 0, b: 0, c: 0 }
        let nowMs = 0
        for (const { source, enters, afterMs } of moves) {
          nowMs += afterMs
          if (enters) {
            if (sources.enter(source, nowMs) === undefined) open[source] = (open[source] ?? 0) + 1
          } else if ((open[source] ?? 0) > 0) {
            sources.leave(source)
            open[source] = (open[source] ?? 0) - 1
          }
          const counts = Object.values(open)
          expect(sources.open).toBe(counts.reduce((sum, count) => sum + count, 0))
          expect(Math.max(...counts)).toBeLessThanOrEqual(limits.maxPerSource)
          expect(sources.open).toBeLessThanOrEqual(limits.maxConnections)
        }
      })
    )
  })
})

describe("who asks", () => {
  const own = ["10.0.0.0/8", "::1/128"].map(IpNetwork.fromStringUnsafe)
  const isProxy = (address: NetAddress.IpAddress): boolean =>
    own.some((network) => IpNetwork.contains(network, address))

  it("is the other end, whatever it says of others", () => {
    expect(sourceOf("8.8.8.8", "1.2.3.4", isProxy)).toBe("8.8.8.8")
    expect(sourceOf("::ffff:8.8.8.8", undefined, isProxy)).toBe("8.8.8.8")
  })

  it("is behind our own proxies the last who is none of them", () => {
    expect(sourceOf("10.0.0.1", "6.6.6.6, 1.2.3.4", isProxy)).toBe("1.2.3.4")
    expect(sourceOf("::1", "6.6.6.6, 1.2.3.4, 10.0.0.2", isProxy)).toBe("1.2.3.4")
    expect(sourceOf("10.0.0.1", undefined, isProxy)).toBe("10.0.0.1")
    expect(sourceOf("10.0.0.1", "6.6.6.6, unknown", isProxy)).toBe("10.0.0.1")
  })
})
