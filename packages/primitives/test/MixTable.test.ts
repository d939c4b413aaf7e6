import { ChaChaRandom } from "@satwire/crypto"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { HashMix, MixTable } from "../src/index.ts"

const under = (table: MixTable, mix: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let number = table.first(mix); number >= 0; number = table.next(mix)) found.push(number)
  return found.toSorted((a, b) => a - b)
}

describe("a table of numbers by their mixes", () => {
  it("answers as a Map of sets does, whatever is added and taken out", () => {
    // Few mixes, most of which meet in the same places, and of both signs.
    const mix = fc.constantFrom(0, 1, 2, 63, 64, 65, -1, -64, 0x7fffffff, -0x80000000)
    const steps = fc.array(fc.tuple(fc.boolean(), mix, fc.nat(40)), { maxLength: 400 })
    fc.assert(
      fc.property(steps, (all) => {
        const table = new MixTable()
        const naive = new Map<number, Set<number>>()
        let size = 0
        for (const [isAdded, mix, number] of all) {
          const numbers = naive.get(mix) ?? new Set()
          naive.set(mix, numbers)
          if (!isAdded) {
            expect(table.delete(mix, number)).toBe(numbers.has(number))
            if (numbers.delete(number)) size -= 1
          } else if (!numbers.has(number)) {
            table.add(mix, number)
            numbers.add(number)
            size += 1
          }
          expect(table.size).toBe(size)
          for (const [each, expected] of naive) expect(under(table, each)).toEqual([...expected].sort((a, b) => a - b))
        }
      }),
      { numRuns: 40 }
    )
  })

  it("grows with what it holds, and gives the memory back", () => {
    const table = new MixTable()
    const small = table.bytes
    for (let i = 0; i < 10_000; i++) table.add(Math.imul(i, 0x9e3779b1), i)
    expect(table.bytes).toBe(8 * 16_384)
    for (let i = 0; i < 10_000; i++) expect(under(table, Math.imul(i, 0x9e3779b1))).toEqual([i])
    for (let i = 0; i < 10_000; i++) expect(table.delete(Math.imul(i, 0x9e3779b1), i)).toBe(true)
    expect(table.bytes).toBe(small)
    expect(table.size).toBe(0)
  })
})

describe("a mix", () => {
  it("is another under another secret", () => {
    const bytes = ChaChaRandom.fromNumber(1).bytes(40)
    for (const origin of ["computed", "chosen"] as const) {
      const mixes = [2, 3, 4].map((seed) => new HashMix(ChaChaRandom.fromNumber(seed), origin).of(bytes, 0, 36))
      expect(new Set(mixes).size).toBe(3)
    }
  })

  it("of what a peer chose depends on every byte of the range, and on none outside", () => {
    const mix = new HashMix(ChaChaRandom.fromNumber(5), "chosen")
    const bytes = ChaChaRandom.fromNumber(6).bytes(40)
    const before = mix.of(bytes, 2, 38)
    for (let place = 0; place < 40; place++) {
      const changed = bytes.map((byte, i) => (i === place ? byte ^ 1 : byte))
      expect(mix.of(changed, 2, 38) === before).toBe(place < 2 || place >= 38)
    }
  })
})
