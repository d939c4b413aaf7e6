import { Flow, partOf } from "@satwire/machine"
import { expect, it } from "vitest"

it("takes messages and bytes together, or nothing", () => {
  const flow = new Flow({ messages: { perSecond: 1, burst: 3 }, bytes: { perSecond: 10, burst: 100 } }, 0)
  expect(flow.take(1, 101, 0)).toBe(false)
  expect(flow.take(4, 1, 0)).toBe(false)
  expect(flow.take(3, 100, 0)).toBe(true)
  expect([flow.has(1, 10, 999), flow.has(1, 10, 1000), flow.has(1, 11, 1000)]).toEqual([false, true, false])
})

it("a part lets one of each kind pass, and never more than the whole at once", () => {
  const rate = { perSecond: 80, burst: 160 }
  expect(partOf(rate, 1 / 8)).toEqual({ perSecond: 10, burst: 20 })
  expect([partOf(rate, 1 / 8, 50).burst, partOf(rate, 1 / 8, 500).burst]).toEqual([50, 160])
})
