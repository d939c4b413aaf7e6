import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compactOfDer, isStrictDer } from "../src/EcdsaSignature.ts"
import { derOf } from "./SignetBlocks.ts"

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

describe("a signature in strict DER (BIP-0066)", () => {
  it("is every pair of numbers from 1 to 2^256 - 1, and comes back as it was", () => {
    const number = fc.oneof(
      fc.bigInt(1n, 2n ** 256n - 1n),
      fc.constantFrom(1n, 127n, 128n, 255n, 256n, 2n ** 255n - 1n, 2n ** 255n)
    )
    fc.assert(
      fc.property(number, number, fc.nat(255), (r, s, hashType) => {
        const compact = bytes(r.toString(16).padStart(64, "0") + s.toString(16).padStart(64, "0"))
        const der = derOf(compact, hashType)
        expect(isStrictDer(der)).toBe(true)
        expect(compactOfDer(der)).toEqual(compact)
      })
    )
  })

  it.each([
    ["nothing", ""],
    ["a hash type alone", "01"],
    ["too short", "3005020101020101"],
    ["another tag", "310602010102010101"],
    ["a length that is not its own", "300702010102010101"],
    ["a long form of a length", "30810602010102010101"],
    ["r that is no number", "300603010102010101"],
    ["r of no bytes", "300602000202010101"],
    ["r below zero", "300602018102010101"],
    ["r with a zero too many", "30070202000102010101"],
    ["r that goes on behind the end", "300602060102010101"],
    ["s that is no number", "300602010103010101"],
    ["s of no bytes", "300602020101020001"],
    ["s below zero", "300602010102018101"],
    ["s with a zero too many", "30070201010202000101"],
    ["s shorter than what is left", "30070201010201010101"],
    ["no hash type", "3006020101020101"],
    ["one byte more than fits", `3047${"02220100".padEnd(72, "0")}${"02210100".padEnd(70, "0")}01`]
  ])("is not %s", (_, hex) => {
    expect(isStrictDer(bytes(hex))).toBe(false)
  })

  it("may hold numbers that are too large, which are valid for nobody", () => {
    const large = bytes(`30260221${"01".repeat(33)}02010101`)
    expect(isStrictDer(large)).toBe(true)
    expect(compactOfDer(large)).toBeUndefined()
    const swapped = bytes(`30260201010221${"01".repeat(33)}01`)
    expect(isStrictDer(swapped)).toBe(true)
    expect(compactOfDer(swapped)).toBeUndefined()
  })
})
