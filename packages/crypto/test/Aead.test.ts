import { chacha20poly1305 } from "@noble/ciphers/chacha.js"
import { toHex } from "@satwire/bytes"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AEAD_PIECE_BYTES, type Aead, ChaChaRandom, aeadBySize, portableAead } from "../src/index.ts"
import { nativeAead, platformAead } from "../src/node.ts"

const random = ChaChaRandom.fromNumber(8439)
const key = random.bytes(32)
const nonce = random.bytes(12)
const NONE = new Uint8Array(0)
const GUARD = 5

const backends: ReadonlyArray<readonly [string, Aead]> = [
  ["portable", portableAead],
  ["native", nativeAead],
  ["platform", platformAead],
  ["mixed", aeadBySize(portableAead, nativeAead, 40)]
]

/** Around blocks, around the crossovers, around pieces, and some far above. */
const LENGTHS = [
  ...Array.from({ length: 150 }, (_, length) => length),
  ...[200, 4096, AEAD_PIECE_BYTES, 2 * AEAD_PIECE_BYTES].flatMap((at) => [at - 17, at - 1, at, at + 1]),
  1_000_003
]

/** The reference: noble as its users call it. */
const reference = (associated: Uint8Array, text: Uint8Array): Uint8Array =>
  chacha20poly1305(key, nonce, associated).encrypt(text)

describe.each(backends)("the %s cipher", (_, aead) => {
  const cipher = aead.withKey(key)

  it("seals as noble does and opens what it sealed, at every length, anywhere in memory", () => {
    for (const length of LENGTHS) {
      const text = random.bytes(length)
      for (const associated of [NONE, random.bytes(length % 40)]) {
        const expected = reference(associated, text)
        const input = new Uint8Array(length + 2 * GUARD).fill(0xaa)
        input.set(text, GUARD)
        const sealed = new Uint8Array(length + 16 + 2 * GUARD).fill(0xbb)
        cipher.seal(nonce, associated, input, GUARD, GUARD + length, sealed, GUARD)
        expect(Buffer.compare(sealed.subarray(GUARD, -GUARD), expected)).toBe(0)
        expect(sealed.subarray(-GUARD)).toEqual(new Uint8Array(GUARD).fill(0xbb))
        const opened = new Uint8Array(length + GUARD + 1).fill(0xcc)
        expect(cipher.open(nonce, associated, sealed, GUARD, sealed.length - GUARD, opened, 1)).toBe(true)
        expect(Buffer.compare(opened.subarray(1, 1 + length), text)).toBe(0)
        expect(opened.subarray(1 + length)).toEqual(new Uint8Array(GUARD).fill(0xcc))
      }
    }
  })

  it("seals and opens in place", () => {
    for (const length of [0, 1, 63, 1000, 5000, 200_001]) {
      const text = random.bytes(length)
      const memory = new Uint8Array(length + 16 + 3)
      memory.set(text, 3)
      cipher.seal(nonce, NONE, memory, 3, 3 + length, memory, 3)
      expect(Buffer.compare(memory.subarray(3), reference(NONE, text))).toBe(0)
      expect(cipher.open(nonce, NONE, memory, 3, memory.length, memory, 3)).toBe(true)
      expect(Buffer.compare(memory.subarray(3, 3 + length), text)).toBe(0)
    }
  })

  it("opens nothing in which a bit was changed, nor with other associated data, another nonce or another key", () => {
    const arbitrary = fc.record({
      length: fc.constantFrom(0, 1, 30, 900, 3000, 70_000),
      withAssociated: fc.boolean(),
      flip: fc.nat(),
      bit: fc.integer({ min: 0, max: 7 })
    })
    fc.assert(
      fc.property(arbitrary, ({ length, withAssociated, flip, bit }) => {
        const associated = withAssociated ? random.bytes(20) : NONE
        const sealed = new Uint8Array(reference(associated, random.bytes(length)))
        const out = new Uint8Array(length)
        const open = (bytes: Uint8Array, from = cipher, with_ = nonce, about = associated): boolean =>
          from.open(with_, about, bytes, 0, bytes.length, out, 0)
        expect(open(sealed)).toBe(true)
        const damaged = new Uint8Array(sealed)
        const at = flip % damaged.length
        damaged[at] = (damaged[at] as number) ^ (1 << bit)
        expect(open(damaged)).toBe(false)
        expect(open(sealed, cipher, nonce, Uint8Array.of(1, ...associated))).toBe(false)
        expect(open(sealed, cipher, random.bytes(12))).toBe(false)
        expect(open(sealed, aead.withKey(random.bytes(32)))).toBe(false)
      }),
      { numRuns: 40 }
    )
  })

  it("opens nothing that is shorter than its tag", () => {
    for (let length = 0; length < 16; length++) {
      expect(cipher.open(nonce, NONE, new Uint8Array(16), 0, length, new Uint8Array(16), 0)).toBe(false)
    }
  })

  it("keeps its own copy of the key", () => {
    const given = new Uint8Array(key)
    const own = aead.withKey(given)
    given.fill(0)
    const sealed = new Uint8Array(19)
    own.seal(nonce, NONE, Uint8Array.of(1, 2, 3), 0, 3, sealed, 0)
    expect(toHex(sealed)).toBe(toHex(reference(NONE, Uint8Array.of(1, 2, 3))))
  })
})
