import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_BUCKET_SIZE } from "../src/index.ts"
import { ShortIdTable } from "../src/ShortIdTable.ts"

/** Six bytes for each number below 2^48. */
const raw = (ids: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(6 * ids.length)
  const view = new DataView(bytes.buffer)
  ids.forEach((id, i) => {
    view.setUint32(6 * i, id % 2 ** 32, true)
    view.setUint16(6 * i + 4, Math.floor(id / 2 ** 32), true)
  })
  return bytes
}

const tableOf = (ids: ReadonlyArray<number>): ShortIdTable | undefined =>
  ShortIdTable.of(
    raw(ids),
    ids.map((_, i) => 3 * i)
  )

const find = (table: ShortIdTable | undefined, id: number): number | undefined =>
  table?.find(id | 0, Math.floor(id / 2 ** 32))

const isMarked = (table: ShortIdTable, id: number): boolean => {
  const mark = (id | 0) & table.markMask
  return ((table.marks[mark >>> 5] as number) & (1 << (mark & 31))) !== 0
}

const arbitraryId = fc.oneof(
  fc.nat(40),
  fc.double({ min: 0, max: 2 ** 48 - 1, noNaN: true }).map(Math.floor),
  fc.nat(3).map((high) => high * 2 ** 32 + 5)
)

describe("the table of a block's short ids", () => {
  it("finds every id and no other, and marks those that it has", () => {
    const ids = fc.uniqueArray(arbitraryId, { maxLength: 300 })
    fc.assert(
      fc.property(ids, fc.array(arbitraryId, { maxLength: 50 }), (list, others) => {
        const table = tableOf(list)
        if (table === undefined) return
        list.forEach((id, i) => {
          expect(find(table, id)).toBe(3 * i)
          expect(isMarked(table, id)).toBe(true)
        })
        for (const other of others) if (!list.includes(other)) expect(find(table, other)).toBe(-1)
      })
    )
  })

  it("is none where two ids are equal", () => {
    fc.assert(
      fc.property(fc.uniqueArray(arbitraryId, { minLength: 1, maxLength: 60 }), fc.nat(), (list, n) => {
        expect(tableOf([...list, list[n % list.length] as number])).toBeUndefined()
      })
    )
  })

  it("is none where more than twelve ids fall into one bucket", () => {
    const inOneBucket = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i * 2 ** 20)
    expect(find(tableOf(inOneBucket(MAX_BUCKET_SIZE)), 11 * 2 ** 20)).toBe(33)
    expect(tableOf(inOneBucket(MAX_BUCKET_SIZE + 1))).toBeUndefined()
  })

  it("is one for honest ids, of as many transactions as a block can have", () => {
    // Of 16,000 honest ids a bucket of more than twelve is seen once in a million.
    let state = 1
    const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) * 2 ** 16 + (state & 0xffff)
    for (let block = 0; block < 10; block++) expect(tableOf(Array.from({ length: 16_000 }, next))).toBeDefined()
  })
})
