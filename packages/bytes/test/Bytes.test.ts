import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { concat, copyOut, equals, fromHex, toHex } from "../src/index.ts"

describe("hexadecimal", () => {
  it("names every array of bytes, two lower-case digits a byte, first byte first", () => {
    expect(toHex(Uint8Array.of(0, 1, 0xab, 0xff))).toBe("0001abff")
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes)
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes)
      })
    )
  })

  it("is refused with an odd number of digits or a sign that is no digit", () => {
    for (const hex of ["0", "abc", "0g", "g0", "0x00", " 0", "0/", "0:", "0@", "0`", "é0"]) {
      expect(fromHex(hex)).toBeUndefined()
    }
  })
})

describe("arrays of bytes", () => {
  it("are equal when they hold the same bytes, whatever memory they lie in", () => {
    const memory = Uint8Array.of(9, 1, 2, 3, 9)
    expect(equals(memory.subarray(1, 4), Uint8Array.of(1, 2, 3))).toBe(true)
    expect(equals(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2))).toBe(false)
    expect(equals(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 4))).toBe(false)
    expect(equals(new Uint8Array(0), new Uint8Array(0))).toBe(true)
  })

  it("are joined into one exact array", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (parts) => {
        expect([...concat(parts)]).toEqual(parts.flatMap((part) => [...part]))
      })
    )
  })

  it("share nothing with the view that they were copied out of", () => {
    const memory = Uint8Array.of(1, 2, 3, 4)
    const copy = copyOut(memory.subarray(1, 3))
    memory.fill(0)
    expect([...copy]).toEqual([2, 3])
    expect(copy.buffer.byteLength).toBe(2)
  })
})
