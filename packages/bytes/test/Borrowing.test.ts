import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Reader, type Writer, compactSize64Length, decode, decodeFrom, encode } from "../src/index.ts"

const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) ^ (i >> 8))

describe("a reader of borrowed memory", () => {
  it("gives byte fields that stay as they were when the memory is used again", () => {
    const lengths = fc.array(fc.oneof(fc.nat(40), fc.nat(20_000)), { maxLength: 8 })
    fc.assert(
      fc.property(lengths, (sizes) => {
        const original = noise(sizes.reduce((sum, size) => sum + size, 0))
        const shared = new Uint8Array(original)
        const reader = Reader.borrowing(shared)
        const views = sizes.map((size) => reader.view(size))
        shared.fill(0xee)
        let at = 0
        for (const view of views) {
          expect(view).toEqual(original.subarray(at, at + view.length))
          at += view.length
        }
      }),
      { numRuns: 50 }
    )
  })

  it("copies once for many small fields, so that fields share memory that nobody else has", () => {
    const reader = Reader.borrowing(noise(1000))
    const [a, b] = [reader.view(10), reader.view(10)]
    expect(a.buffer).toBe(b.buffer)
    expect(a.buffer.byteLength).toBe(1000)
  })

  it("can be aimed at another range, back and forth", () => {
    const bytes = noise(50_000)
    const reader = Reader.borrowing(bytes)
    for (const [start, end] of [
      [40_000, 40_010],
      [0, 10],
      [49_990, 50_000]
    ] as const) {
      reader.aim(start, end)
      expect(reader.left).toBe(10)
      expect(reader.view(10)).toEqual(bytes.subarray(start, end))
    }
  })

  it("does not read beyond the range that it is aimed at", () => {
    const reader = Reader.borrowing(noise(100))
    reader.aim(10, 20)
    const result = decodeFrom(reader, { decode: (r) => r.view(11, "field") })
    expect(Result.isFailure(result) && result.failure).toMatchObject({
      kind: "malformed",
      what: "field ends early",
      at: 0
    })
  })
})

describe("a reader of bytes that are its own", () => {
  it("gives views, which copy nothing", () => {
    const bytes = noise(10)
    expect(new Reader(bytes).view(4).buffer).toBe(bytes.buffer)
  })

  it("gives the same nothing for every empty field, so that millions of them cost no memory", () => {
    const reader = new Reader(noise(1))
    expect(reader.view(0)).toBe(reader.view(0))
  })

  it("copies into memory of the caller's", () => {
    const target = new Uint8Array(5)
    const reader = new Reader(Uint8Array.of(1, 2, 3, 4))
    reader.copyTo(target, 1, 3)
    expect(target).toEqual(Uint8Array.of(0, 1, 2, 3, 0))
    expect(reader.left).toBe(1)
  })
})

describe("a CompactSize over 64 bits", () => {
  it("round-trips in its shortest form", () => {
    const edges = fc.constantFrom(0n, 0xfcn, 0xfdn, 0xffffn, 0x10000n, 0xffffffffn, 0x100000000n, 2n ** 64n - 1n)
    fc.assert(
      fc.property(fc.oneof(edges, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), (value) => {
        const bytes = encode(compactSize64Length(value), (w: Writer) => w.compactSize64(value))
        expect(decode(bytes, (r) => r.compactSize64())).toEqual(Result.succeed({ value, bytesLeft: 0 }))
      })
    )
  })

  it.each([[[0xfd, 0xfc, 0]], [[0xfe, 0xff, 0xff, 0, 0]], [[0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]]])(
    "is malformed in a longer form: %j",
    (bytes) => {
      const result = decode(Uint8Array.from(bytes), (r) => r.compactSize64("services"))
      expect(Result.isFailure(result) && result.failure.kind).toBe("malformed")
    }
  )
})
