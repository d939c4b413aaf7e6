import { ChaChaRandom } from "@satwire/crypto"
import { describe, expect, it } from "vitest"
import { KnownInventory } from "../src/KnownInventory.ts"

const hashOf = (n: number): Uint8Array => {
  const hash = new Uint8Array(32)
  new DataView(hash.buffer).setUint32(0, n)
  return hash
}

describe("what a peer is known to have", () => {
  it("is the last 50,000, in memory by how many there are", () => {
    const known = new KnownInventory(ChaChaRandom.fromNumber(1))
    const sizes = [known.sizeBytes]
    for (let n = 0; n < 110_000; n++) {
      known.insert(hashOf(n))
      if (n === 0 || n === 500 || n === 5500) sizes.push(known.sizeBytes)
    }
    expect(sizes.map((bytes) => Math.round(bytes / 1000))).toEqual([0, 5, 59, 598])
    expect(known.sizeBytes).toBe(sizes.at(-1))
    for (let n = 60_000; n < 110_000; n += 7) expect(known.contains(hashOf(n))).toBe(true)
    let wrong = 0
    for (let n = 200_000; n < 230_000; n++) if (known.contains(hashOf(n))) wrong += 1
    expect(wrong).toBeLessThan(3)
  })

  it("forgets none of the first ones when it grows", () => {
    const known = new KnownInventory(ChaChaRandom.fromNumber(1))
    for (let n = 0; n < 6000; n++) known.insert(hashOf(n))
    expect(Array.from({ length: 6000 }, (_, n) => known.contains(hashOf(n))).every(Boolean)).toBe(true)
  })
})
