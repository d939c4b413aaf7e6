import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Chains } from "../src/index.ts"

describe("chains", () => {
  it("keep the order of their items, whichever are taken out", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(40)), { maxLength: 300 }), (ops) => {
        const chains = new Chains()
        const owners = new Map<number, number>()
        const naive: Array<Array<number>> = [[], [], [], []]
        for (const [owner, item] of ops) {
          const held = owners.get(item)
          if (held === undefined) {
            chains.append(owner, item)
            owners.set(item, owner)
            naive[owner]?.push(item)
          } else {
            chains.remove(held, item)
            owners.delete(item)
            naive[held] = (naive[held] ?? []).filter((each) => each !== item)
          }
        }
        naive.forEach((items, owner) => {
          const found: Array<number> = []
          for (let item = chains.first(owner); item >= 0; item = chains.after(item)) found.push(item)
          expect(found).toEqual(items)
        })
      }),
      { numRuns: 60 }
    )
  })
})
