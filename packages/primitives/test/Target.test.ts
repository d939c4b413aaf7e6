import { arbitraryHash, arbitraryU32 } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bitsFromTarget, meetsTarget, targetFromBits, targetWords, workFromBits, workFromTarget } from "../src/index.ts"

const MAX = 2n ** 256n - 1n

/** `SetCompact` of Bitcoin Core's `arith_uint256.cpp`, step by step. */
const naiveSetCompact = (bits: number): { target: bigint; negative: boolean; overflow: boolean } => {
  const size = bits >>> 24
  let word = bits & 0x007fffff
  let target: bigint
  if (size <= 3) {
    word >>>= 8 * (3 - size)
    target = BigInt(word)
  } else {
    target = (BigInt(word) << BigInt(8 * (size - 3))) & MAX
  }
  return {
    target,
    negative: word !== 0 && (bits & 0x00800000) !== 0,
    overflow: word !== 0 && (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32))
  }
}

/** A target of any length, and not only the longest. */
const targets = fc
  .tuple(fc.bigInt(0n, MAX), fc.nat(255))
  .map(([target, shift]) => target >> BigInt(shift))
  .filter((target) => target > 0n)

const number = (hash: Uint8Array): bigint => hash.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

describe("the compact form of a target", () => {
  it("names what Core's arith_uint256_tests say, and nothing where no hash can meet it", () => {
    const facts: ReadonlyArray<readonly [number, bigint | undefined]> = [
      [0x00000000, undefined],
      [0x00123456, undefined],
      [0x01003456, undefined],
      [0x02000056, undefined],
      [0x03000000, undefined],
      [0x04000000, undefined],
      // Negative zero, and a negative number whose digits are shifted away.
      [0x00923456, undefined],
      [0x01803456, undefined],
      [0x02800056, undefined],
      [0x03800000, undefined],
      [0x04800000, undefined],
      [0x01123456, 0x12n],
      [0x02123456, 0x1234n],
      [0x03123456, 0x123456n],
      [0x04123456, 0x12345600n],
      [0x05009234, 0x92340000n],
      [0x20123456, 0x123456n << 232n],
      // Negative.
      [0x01fedcba, undefined],
      [0x04923456, undefined],
      // Over 256 bits, and just below.
      [0xff123456, undefined],
      [0x21010000, undefined],
      [0x22000100, undefined],
      [0x23000001, undefined],
      [0x2100ffff, 0xffffn << 240n],
      [0x220000ff, 0xffn << 248n]
    ]
    for (const [bits, target] of facts) expect(targetFromBits(bits)).toBe(target)
  })

  it("is written as Core's arith_uint256_tests say", () => {
    const facts: ReadonlyArray<readonly [bigint, number]> = [
      [0n, 0],
      [0x12n, 0x01120000],
      [0x80n, 0x02008000],
      [0x1234n, 0x02123400],
      [0x123456n, 0x03123456],
      [0x12345600n, 0x04123456],
      [0x92340000n, 0x05009234],
      [0x1234560000000000000000000000000000000000000000000000000000000000n, 0x20123456],
      [MAX, 0x2100ffff]
    ]
    for (const [target, bits] of facts) expect(bitsFromTarget(target)).toBe(bits)
  })

  it("names what a step-by-step reading of Core's SetCompact names, for any 32 bits", () => {
    const sized = fc.tuple(fc.nat(36), fc.nat(0xffffff)).map(([size, word]) => ((size << 24) | word) >>> 0)
    fc.assert(
      fc.property(fc.oneof(arbitraryU32, sized), (bits) => {
        const { target, negative, overflow } = naiveSetCompact(bits)
        expect(targetFromBits(bits)).toBe(negative || overflow || target === 0n ? undefined : target)
      }),
      { numRuns: 2000 }
    )
  })

  it("is the target rounded down to its three leading digits, and then stable", () => {
    fc.assert(
      fc.property(targets, (target) => {
        const bits = bitsFromTarget(target)
        const rounded = targetFromBits(bits) ?? 0n
        expect(rounded).toBeLessThanOrEqual(target)
        expect(target - rounded).toBeLessThan(rounded / 0x8000n + 1n)
        expect(bitsFromTarget(rounded)).toBe(bits)
      })
    )
  })
})

describe("the work of a target", () => {
  it("is 2^32 + 2^16 + 1 hashes at mainnet's easiest", () => {
    expect(workFromBits(0x1d00ffff)).toBe(0x100010001n)
    expect(workFromBits(0x207fffff)).toBe(2n)
    expect(workFromBits(0)).toBe(0n)
  })

  it("is Core's (~target / (target + 1)) + 1", () => {
    fc.assert(
      fc.property(targets, (target) => {
        expect(workFromTarget(target)).toBe((MAX - target) / (target + 1n) + 1n)
      })
    )
  })
})

describe("a hash", () => {
  it("meets a target exactly when, read as a little-endian number, it is at most that", () => {
    fc.assert(
      fc.property(arbitraryHash, targets, fc.nat(7), (hash, target, offset) => {
        const memory = new Uint8Array(32 + offset)
        memory.set(hash, offset)
        expect(meetsTarget(memory, offset, targetWords(target))).toBe(number(hash) <= target)
      })
    )
  })

  it("meets the target that it is, not the one below, and in every word", () => {
    fc.assert(
      fc.property(arbitraryHash, fc.nat(255), (hash, bit) => {
        const own = number(hash)
        expect(meetsTarget(hash, 0, targetWords(own))).toBe(true)
        if (own > 0n) expect(meetsTarget(hash, 0, targetWords(own - 1n))).toBe(false)
        const other = own ^ (1n << BigInt(bit))
        expect(meetsTarget(hash, 0, targetWords(other))).toBe(other > own)
      })
    )
  })
})
