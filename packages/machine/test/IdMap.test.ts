import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { IdMap } from "../src/index.ts"

const key = fc.oneof(
  fc.nat(20),
  fc.integer({ min: 1000, max: 1040 }),
  fc.nat(0x7fff_ffff),
  fc.constantFrom(2 ** 32, 2 ** 32 + 7, 3 * 2 ** 32 + 7, Number.MAX_SAFE_INTEGER)
)
const step = fc.oneof(
  fc.record({ do: fc.constant("set" as const), key, value: fc.nat(5) }),
  fc.record({ do: fc.constant("delete" as const), key })
)

describe("a map of ids", () => {
  it("agrees with a Map on any history", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (history) => {
        const map = new IdMap<number, number>()
        const model = new Map<number, number>()
        for (const one of history) {
          if (one.do === "set") {
            map.set(one.key, one.value)
            model.set(one.key, one.value)
          } else expect(map.delete(one.key)).toBe(model.delete(one.key))
          expect([map.get(one.key), map.has(one.key), map.size]).toEqual([
            model.get(one.key),
            model.has(one.key),
            model.size
          ])
        }
        const byKey = (a: readonly [number, number], b: readonly [number, number]): number => a[0] - b[0]
        expect([...map].toSorted(byKey)).toEqual([...model].toSorted(byKey))
        expect([...map.values()]).toEqual([...map].map(([, value]) => value))
        for (const [id] of model) expect(map.get(id)).toBe(model.get(id))
      })
    )
  })

  it("goes through ids that were given out one after another in their order, and keeps nothing of those that are gone", () => {
    const map = new IdMap<number, string>()
    for (let id = 1; id <= 1000; id++) map.set(id, `${id}`)
    expect([...map].map(([id]) => id)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
    for (let id = 1; id <= 1000; id++) map.delete(id)
    expect([...map]).toEqual([])
    expect(map.size).toBe(0)
  })
})
