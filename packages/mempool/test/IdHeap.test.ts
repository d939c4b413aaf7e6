import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { IdHeap } from "../src/IdHeap.ts"

describe("a heap of numbers", () => {
  it("has the first one first, whatever is added, moved and taken out", () => {
    const step = fc.record({ id: fc.nat(200), key: fc.nat(30), isTakenOut: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const keys = new Map<number, number>()
        const isBefore = (a: number, b: number): boolean =>
          (keys.get(a) as number) - (keys.get(b) as number) < 0 || (keys.get(a) === keys.get(b) && a < b)
        const heap = new IdHeap(isBefore)
        const here = new Set<number>()
        for (const { id, key, isTakenOut } of steps) {
          expect(heap.has(id)).toBe(here.has(id))
          if (here.has(id) && isTakenOut) {
            heap.delete(id)
            here.delete(id)
          } else {
            keys.set(id, key)
            if (here.has(id)) heap.moved(id)
            else heap.add(id)
            here.add(id)
          }
          const [first = -1] = [...here].sort((a, b) => (isBefore(a, b) ? -1 : 1))
          expect([heap.first, heap.size]).toEqual([first, here.size])
        }
      }),
      { numRuns: 60 }
    )
  })

  it("is filled at once as if each were added", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(5000), { maxLength: 200 }), (ids) => {
        const heap = new IdHeap((a, b) => a % 97 < b % 97 || (a % 97 === b % 97 && a < b))
        heap.fill(Int32Array.from(ids))
        const out: Array<number> = []
        while (heap.size > 0) {
          out.push(heap.first)
          heap.delete(heap.first)
        }
        expect(out).toEqual(ids.toSorted((a, b) => (a % 97) - (b % 97) || a - b))
      })
    )
  })
})
