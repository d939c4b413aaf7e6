import { ChaChaRandom } from "@satwire/crypto"
import { arbitraryHash } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { HashIndex, type HashOrigin, toHex } from "../src/index.ts"

const origins: ReadonlyArray<HashOrigin> = ["computed", "chosen"]

/** Hashes out of few bytes: most differ from others in one place. */
const nearlyEqual = fc.tuple(fc.nat(31), fc.nat(3)).map(([place, value]) => {
  const hash = new Uint8Array(32).fill(0x55)
  hash[place] = value
  return hash
})

const flip = (hash: Uint8Array, place: number, bits: number): Uint8Array => {
  const flipped = new Uint8Array(hash)
  flipped[place] = (flipped[place] ?? 0) ^ bits
  return flipped
}

describe.each(origins)("an index of %s hashes", (origin) => {
  const make = (seed = 1): HashIndex => new HashIndex(ChaChaRandom.fromNumber(seed), origin)

  it("answers as a Map does, whatever is added and asked for", () => {
    const steps = fc.array(fc.oneof(arbitraryHash, nearlyEqual), { maxLength: 300 })
    fc.assert(
      fc.property(fc.nat(), steps, (seed, hashes) => {
        const index = make(seed)
        const naive = new Map<string, number>()
        for (const hash of hashes) {
          const expected = naive.get(toHex(hash)) ?? -1
          expect(index.find(hash)).toBe(expected)
          if (expected >= 0) continue
          expect(index.add(hash)).toBe(naive.size)
          naive.set(toHex(hash), naive.size)
          expect(index.size).toBe(naive.size)
        }
        for (const [hex, number] of naive) expect(toHex(index.at(number))).toBe(hex)
      })
    )
  })

  it("keeps every number and hash while it grows", () => {
    const count = 5000
    const keys = ChaChaRandom.fromNumber(5).bytes(32 * 2 * count)
    const index = make()
    for (let i = 0; i < count; i++) {
      expect(index.add(keys, 32 * i)).toBe(i)
      // Just added, and the one whose turn to be added is furthest away.
      expect(index.find(keys, 32 * i)).toBe(i)
      expect(index.find(keys, 32 * (2 * count - 1))).toBe(-1)
    }
    for (let i = 0; i < 2 * count; i++) expect(index.find(keys, 32 * i)).toBe(i < count ? i : -1)
    for (let i = 0; i < count; i += 7) expect(index.at(i)).toEqual(keys.slice(32 * i, 32 * i + 32))
  })

  it("tells apart hashes that differ in one bit, wherever it is", () => {
    const index = make()
    const hash = ChaChaRandom.fromNumber(6).bytes(32)
    index.add(hash)
    for (let place = 0; place < 32; place++) {
      for (let bit = 0; bit < 8; bit++) expect(index.find(flip(hash, place, 1 << bit))).toBe(-1)
    }
    for (let place = 0; place < 32; place++) index.add(flip(hash, place, 1))
    for (let place = 0; place < 32; place++) expect(index.find(flip(hash, place, 1))).toBe(place + 1)
    expect(index.find(hash)).toBe(0)
  })

  it("stays right where every hash meets in one slot: the same first eight bytes", () => {
    const index = make()
    const members = Array.from({ length: 300 }, (_, i) => {
      const hash = new Uint8Array(32).fill(0xaa)
      hash[8] = i & 0xff
      hash[31] = i >> 8
      return hash
    })
    members.forEach((hash, i) => expect(index.add(hash)).toBe(i))
    members.forEach((hash, i) => expect(index.find(hash)).toBe(i))
    expect(index.find(new Uint8Array(32).fill(0xaa))).toBe(-1)
  })

  it("keeps copies: neither its keys nor what it gave out change it", () => {
    const index = make()
    const hash = new Uint8Array(32).fill(1)
    index.add(hash)
    hash.fill(2)
    index.at(0).fill(3)
    expect(index.find(new Uint8Array(32).fill(1))).toBe(0)
    expect(index.find(hash)).toBe(-1)
  })

  it("stays right for a family that the salted mix cannot tell apart under any salt", () => {
    // Flipping the top bit of the first word moves the mix by a pattern that these bits of the second word undo.
    const keys = new Uint8Array(32 * 600)
    const view = new DataView(keys.buffer)
    for (let i = 0; i < 600; i++) {
      view.setUint32(32 * i, (i & 1) === 0 ? 0 : 0x80000000, true)
      view.setUint32(32 * i + 4, (i & 1) === 0 ? 0 : 0x80010000, true)
      view.setUint32(32 * i + 8, i, true)
    }
    const index = make(9)
    for (let i = 0; i < 600; i++) index.add(keys, 32 * i)
    for (let i = 0; i < 600; i++) expect(index.find(keys, 32 * i)).toBe(i)
  })
})
