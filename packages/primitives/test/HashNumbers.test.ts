import { ChaChaRandom } from "@satwire/crypto"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { HashNumbers } from "../src/index.ts"

/** 32 bytes that stand for a number. */
const hashOf = (n: number): Uint8Array => {
  const hash = new Uint8Array(32).fill(7)
  new DataView(hash.buffer).setUint32(12, n)
  return hash
}

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
