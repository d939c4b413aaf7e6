import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Traffic, type TrafficLabel } from "../src/Traffic.ts"

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
