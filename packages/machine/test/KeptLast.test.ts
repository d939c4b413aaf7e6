import { forgetOldest, keepLast } from "@satwire/machine"
import * as fc from "fast-check"
import { expect, it } from "vitest"

it("keeps the last few, each once, in the order in which they were set at last", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 6 }),
      (keys, most) => {
        const table = new Map<number, number>()
        for (const [at, key] of keys.entries()) keepLast(table, key, at, most)
        const latest = [...new Map(keys.map((key, at) => [key, at]))].sort(([, one], [, other]) => one - other)
        expect([...table]).toEqual(latest.slice(-most))
      }
    )
  )
  const none = new Map<number, number>()
  forgetOldest(none)
  expect(none.size).toBe(0)
})
