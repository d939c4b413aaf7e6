import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  DecodeError,
  MAX_SIZE,
  type Reader,
  Writer,
  compactSizeAt,
  compactSizeLength,
  compactSizeLengthAt,
  decode,
  encode,
  varBytesLength
} from "../src/index.ts"

const read = (bytes: Uint8Array): ReturnType<typeof decode<number>> => decode(bytes, (r: Reader) => r.compactSize())

/** `value` after the given prefix in as many bytes as that prefix announces, minimal or not. */
const inForm = (prefix: 0xfd | 0xfe | 0xff, value: bigint): Uint8Array => {
  const bytes = { 0xfd: 2, 0xfe: 4, 0xff: 8 }[prefix]
  return Uint8Array.from([prefix, ...Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))])
}

describe("a CompactSize", () => {
  it("has the forms of Bitcoin's developer reference at the edges of each", () => {
    const forms: ReadonlyArray<readonly [number, ReadonlyArray<number>]> = [
      [0, [0]],
      [252, [252]],
      [253, [0xfd, 253, 0]],
      [515, [0xfd, 3, 2]],
      [0xffff, [0xfd, 0xff, 0xff]],
      [0x10000, [0xfe, 0, 0, 1, 0]],
      [0x02000000, [0xfe, 0, 0, 0, 2]]
    ]
    for (const [value, bytes] of forms) {
      expect([...encode(bytes.length, (w) => w.compactSize(value))]).toEqual(bytes)
      expect(read(Uint8Array.from(bytes))).toEqual(Result.succeed({ value, bytesLeft: 0 }))
      // The same in the middle of bytes that were scanned before.
      const among = Uint8Array.from([0xff, ...bytes, 0xff])
      expect([compactSizeAt(among, 1), compactSizeLengthAt(among, 1)]).toEqual([value, bytes.length])
    }
  })

  it("takes as many bytes as it was sized", () => {
    const values = fc.oneof(
      fc.nat(0x110000),
      fc.maxSafeNat(),
      fc.constantFrom(0xfc, 0xfd, 0xffff, 0x10000, 0xffffffff, 2 ** 32)
    )
    fc.assert(
      fc.property(values, (value) => {
        const w = new Writer(new Uint8Array(9))
        w.compactSize(value)
        expect(w.offset).toBe(compactSizeLength(value))
      })
    )
    expect(varBytesLength(new Uint8Array(252))).toBe(253)
    expect(varBytesLength(new Uint8Array(253))).toBe(256)
  })

  it("is refused in any form but its shortest", () => {
    const refused = (bytes: Uint8Array): void => {
      const failure = new DecodeError("malformed", "compact size: compact size is not minimal", 0)
      expect(read(bytes)).toEqual(Result.fail(failure))
    }
    fc.assert(fc.property(fc.bigInt(0n, 0xfcn), (value) => refused(inForm(0xfd, value))))
    fc.assert(fc.property(fc.bigInt(0n, 0xffffn), (value) => refused(inForm(0xfe, value))))
    fc.assert(fc.property(fc.bigInt(0n, 0xffffffffn), (value) => refused(inForm(0xff, value))))
  })

  it("is refused over MAX_SIZE, also where a number could not hold it", () => {
    expect(read(inForm(0xfe, BigInt(MAX_SIZE)))).toMatchObject({ success: { value: MAX_SIZE } })
    for (const over of [inForm(0xfe, BigInt(MAX_SIZE + 1)), inForm(0xff, 2n ** 32n), inForm(0xff, 2n ** 64n - 1n)]) {
      expect(read(over)).toMatchObject({
        failure: { kind: "malformed", what: "compact size: compact size is over MAX_SIZE" }
      })
    }
  })
})
