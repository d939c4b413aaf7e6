import { describeWithData } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { sipHash24, sipKey } from "../src/index.ts"
import { naiveSipHash24 } from "./NaiveSipHash.ts"

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)

/** The 64-bit result of `input[start, end)` as one number. */
const hash64 = (key: Uint8Array, input: Uint8Array, start = 0, end = input.length): bigint => {
  const halves = new Uint32Array(2)
  sipHash24(sipKey(key), input, start, end, halves)
  return (BigInt(halves[1] ?? 0) << 32n) | BigInt(halves[0] ?? 0)
}

describe("SipHash-2-4", () => {
  it("gives the value of its paper's appendix A: key 00..0f, message 00..0e", () => {
    expect(hash64(counting(16), counting(15))).toBe(0xa129ca6149be45e5n)
    expect(naiveSipHash24(counting(16), counting(15))).toBe(0xa129ca6149be45e5n)
  })

  it("gives what 64-bit words give, for any key, message and place in memory", () => {
    const keys = fc.uint8Array({ minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(keys, fc.uint8Array({ maxLength: 70 }), fc.nat(9), fc.nat(9), (key, message, before, after) => {
        const memory = new Uint8Array(before + message.length + after).fill(0xa5)
        memory.set(message, before)
        expect(hash64(key, memory, before, before + message.length)).toBe(naiveSipHash24(key, message))
      }),
      { numRuns: 500 }
    )
  })

  it("counts a message's length modulo 256", () => {
    for (const length of [255, 256, 257, 600]) {
      expect(hash64(counting(16), new Uint8Array(length))).toBe(naiveSipHash24(counting(16), new Uint8Array(length)))
    }
  })

  it("refuses a key that has not 16 bytes", () => {
    expect(() => sipKey(new Uint8Array(15))).toThrow(RangeError)
  })
})

describeWithData(describe, "SipHash-2-4's reference", (data) => {
  it("agrees on messages of every length", () => {
    const { outputs } = data.json("vectors/siphash/siphash24_reference.json") as { outputs: ReadonlyArray<string> }
    expect(outputs.length).toBe(64)
    outputs.forEach((hex, length) => expect(hash64(counting(16), counting(length))).toBe(BigInt(`0x${hex}`)))
  })
})
