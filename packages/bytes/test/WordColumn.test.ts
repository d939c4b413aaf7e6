import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { WordColumn, bytesOfWords, wireWord } from "../src/index.ts"

describe("a column of words", () => {
  it("keeps every row while it grows", () => {
    const column = new WordColumn(3)
    const rows = 70_000
    for (let row = 0; row < rows; row++) {
      column.reserve(row + 1)
      for (let word = 0; word < 3; word++) column.set(row, word, Math.imul(3 * row + word, 0x9e3779b1))
    }
    let wrong = 0
    for (let row = 0; row < rows; row++) {
      for (let word = 0; word < 3; word++)
        if (column.get(row, word) !== Math.imul(3 * row + word, 0x9e3779b1)) wrong += 1
      if (column.chunk(row)[column.at(row)] !== column.get(row, 0)) wrong += 1
    }
    expect(wrong).toBe(0)
  })

  it("takes little for a few rows, and for many not 16,384 rows more than they need", () => {
    expect(new WordColumn(5).bytes).toBe(64 * 20)
    fc.assert(
      fc.property(fc.array(fc.nat(100_000), { minLength: 1, maxLength: 5 }), (reserved) => {
        const column = new WordColumn(2)
        let most = 0
        for (const rows of reserved) {
          column.reserve(rows)
          most = Math.max(most, rows)
          expect(column.bytes).toBeGreaterThanOrEqual(8 * most)
          expect(column.bytes).toBeLessThanOrEqual(8 * Math.max(64, Math.min(2 * most, most + 16_384)))
        }
      })
    )
  })

  it("gives words as the bytes that they are made of", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc)
    const words = new Int32Array(bytes.buffer)
    expect(wireWord(words[0] as number)).toBe(0x04030201)
    expect(wireWord(words[1] as number) >>> 0).toBe(0xfcfdfeff)
    expect(bytesOfWords(words, 1, 1)).toEqual(bytes.slice(4))
  })
})
