import { ChaChaRandom } from "@satwire/crypto"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Chains } from "../src/Chains.ts"
import { HashNumbers } from "../src/HashNumbers.ts"
import { hashOf } from "./NaiveTxRequests.ts"

describe("numbers of hashes", () => {
  it("find what is there and nothing else, whatever came and went", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(150), { maxLength: 600 }), (toggled) => {
        const numbers = new HashNumbers(ChaChaRandom.fromNumber(1))
        const naive = new Map<number, number>()
        for (const each of toggled) {
          const number = numbers.find(hashOf(each))
          expect(number).toBe(naive.get(each) ?? -1)
          if (number >= 0) {
            expect(numbers.at(number)).toEqual(hashOf(each))
            numbers.remove(number)
            naive.delete(each)
          } else naive.set(each, numbers.add(hashOf(each)))
        }
        expect(numbers.size).toBe(naive.size)
        expect(new Set(naive.values()).size).toBe(naive.size)
        for (const [each, number] of naive) expect(numbers.find(hashOf(each))).toBe(number)
      }),
      { numRuns: 60 }
    )
  })

  it("are small and used again", () => {
    const numbers = new HashNumbers(ChaChaRandom.fromNumber(1))
    for (let round = 0; round < 500; round++) {
      numbers.add(hashOf(round))
      if (round >= 10) numbers.remove(numbers.find(hashOf(round - 10)))
      expect(numbers.find(hashOf(round))).toBeLessThan(12)
    }
  })

  it("take names of other lengths, from the middle of other bytes", () => {
    const numbers = new HashNumbers(ChaChaRandom.fromNumber(1), 36)
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => i)
    numbers.add(bytes, 5)
    expect([numbers.find(bytes, 5), numbers.find(bytes, 6), numbers.find(bytes.slice(5, 41))]).toEqual([0, -1, 0])
  })
})

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
