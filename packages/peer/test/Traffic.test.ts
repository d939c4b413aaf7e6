import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { VERACK } from "@satwire/wire"
import { Traffic, type TrafficCount, type TrafficLabel } from "../src/Traffic.ts"
import { PeerBench } from "./PeerBench.ts"
import { framed, versionOf } from "./frames.ts"

const labels: ReadonlyArray<TrafficLabel> = [
  "ping",
  "pong",
  "inv",
  "block",
  "headers",
  "*other*",
  "*dropped*",
  "*decoy*"
]
const one = fc.record({
  side: fc.constantFrom("received" as const, "sent" as const),
  label: fc.constantFrom(...labels),
  bytes: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 20, max: 2000 }) },
    fc.integer({ min: 20, max: 40_000_000 })
  ),
  times: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.nat(300))
})

describe("the traffic of a connection", () => {
  it("is counted by command and side, however much it is and in whatever order", () => {
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), (history) => {
        const traffic = new Traffic()
        const naive = { received: new Map<string, [number, number]>(), sent: new Map<string, [number, number]>() }
        for (const { side, label, bytes, times } of history) {
          for (let i = 0; i < times; i++) traffic.message(side, label, bytes)
          if (times === 0) continue
          const [messages, sum] = naive[side].get(label) ?? [0, 0]
          naive[side].set(label, [messages + times, sum + times * bytes])
        }
        const snapshot = traffic.snapshot()
        for (const side of ["received", "sent"] as const) {
          const counts = [...snapshot[side]].map(([label, { bytes, messages }]) => [label, [messages, bytes]])
          expect(new Map(counts as Array<[string, [number, number]]>)).toEqual(naive[side])
        }
      })
    )
  })

  it("is counted when more orders of commands have come up than are remembered", () => {
    const kinds = labels.slice(0, 7)
    const shuffled = (n: number): ReadonlyArray<TrafficLabel> =>
      kinds.toSorted((a, b) => (Math.imul(n, kinds.indexOf(a) + 7) % 97) - (Math.imul(n, kinds.indexOf(b) + 7) % 97))
    const all = Array.from({ length: 3000 }, (_, n) => {
      const traffic = new Traffic()
      for (const label of shuffled(n)) traffic.message("received", label, 100 + n)
      return traffic
    })
    for (const [n, traffic] of all.entries()) {
      expect([...traffic.snapshot().received.values()]).toEqual(kinds.map(() => ({ messages: 1, bytes: 100 + n })))
    }
  })
})

describe("what passes over a connection", () => {
  const bytesOf = (counts: ReadonlyMap<TrafficLabel, TrafficCount>): number =>
    [...counts.values()].reduce((sum, { bytes }) => sum + bytes, 0)

  it("is counted in whole frames by command, which together are its bytes", () => {
    const bench = new PeerBench()
    bench.receive(framed(versionOf(), VERACK, { _tag: "ping", nonce: 1n }))
    const { bytesReceived, bytesSent, received, sent } = bench.peer.snapshot()
    expect([bytesOf(received), bytesOf(sent)]).toEqual([bytesReceived, bytesSent])
    expect(sent.get("pong")).toEqual({ messages: 1, bytes: 32 })
  })

  it("may be bytes that were given as they are, under their command where that is known", () => {
    const bench = PeerBench.ready()
    bench.writes()
    bench.input({ _tag: "SendRaw", command: "what", payload: Uint8Array.of(1, 2, 3) })
    // It would not be sent of our own accord.
    bench.input({ _tag: "SendRaw", command: "verack", payload: Uint8Array.of(7) })
    const [what, verack] = bench.writes()
    expect(what?.subarray(24)).toEqual(Uint8Array.of(1, 2, 3))
    expect(verack?.subarray(24)).toEqual(Uint8Array.of(7))
    const { bytesSent, sent } = bench.peer.snapshot()
    expect(sent.get("*other*")).toEqual({ messages: 1, bytes: 27 })
    expect(sent.get("verack")).toEqual({ messages: 2, bytes: 24 + 25 })
    expect(bytesOf(sent)).toBe(bytesSent)
  })
})
