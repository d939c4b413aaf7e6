import { arbitraryHash } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BlockHash, Txid, Wtxid, ZERO_HASH, blockHashFromHex, fromHex, toHex } from "../src/index.ts"

describe("a hash in hexadecimal", () => {
  it("shows the bytes from last to first, as explorers do", () => {
    const hash = Uint8Array.from({ length: 32 }, (_, i) => i)
    expect(toHex(hash)).toBe("1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100")
    expect([...hash.subarray(0, 3)]).toEqual([0, 1, 2])
  })

  it("is read back", () => {
    fc.assert(
      fc.property(arbitraryHash, (hash) => {
        expect(fromHex(toHex(hash))).toEqual(hash)
      })
    )
  })

  it("is refused with other than 64 digits", () => {
    for (const hex of ["", "00", "0".repeat(62), "0".repeat(66), "g".repeat(64)]) {
      expect(fromHex(hex)).toBeUndefined()
      expect(() => blockHashFromHex(hex)).toThrow(RangeError)
    }
  })
})

describe("a mark of a hash", () => {
  it("is refused to anything but 32 bytes", () => {
    for (const mark of [BlockHash, Txid, Wtxid]) {
      expect(mark(new Uint8Array(32))).toEqual(ZERO_HASH)
      expect(() => mark(new Uint8Array(31))).toThrow(RangeError)
    }
  })
})
