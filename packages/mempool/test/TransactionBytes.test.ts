import { equals } from "@satwire/bytes"
import { ChaChaRandom } from "@satwire/crypto"
import { describe, expect, it } from "vitest"
import { TransactionBytes } from "../src/TransactionBytes.ts"

/** All memory in which the bytes of these lie. */
const memoryOf = (bytes: TransactionBytes, ids: Iterable<number>): number => {
  const pieces = new Set(Array.from(ids, (id) => bytes.memory(id)))
  return [...pieces].reduce((sum, piece) => sum + piece.length, 0)
}

describe("bytes that lie side by side", () => {
  it("are what was put there, in at most twice the memory and a chunk or two, through any history", () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = ChaChaRandom.fromNumber(seed)
      const bytes = new TransactionBytes()
      const naive = new Map<number, Uint8Array>()
      const free: Array<number> = []
      for (let step = 0; step < 3000; step++) {
        // In turns it grows and shrinks.
        if (random.below(100) < (step % 1000 < 500 ? 75 : 30)) {
          const id = free.pop() ?? naive.size
          const put = random.bytes(random.below(30) === 0 ? random.below(9000) : 60 + random.below(700))
          bytes.put(id, put)
          naive.set(id, put)
        } else if (naive.size > 0) {
          const id = [...naive.keys()][random.below(naive.size)] as number
          bytes.delete(id)
          naive.delete(id)
          free.push(id)
        }
        if (step % 250 !== 0) continue
        for (const [id, put] of naive) expect(equals(bytes.view(id), put)).toBe(true)
        const live = [...naive.values()].reduce((sum, put) => sum + put.length, 0)
        expect(memoryOf(bytes, naive.keys())).toBeLessThanOrEqual(2 * live + 2 * 32 * 1024)
      }
    }
  })

  it("take little where all but a few have left while they were filled", () => {
    const bytes = new TransactionBytes()
    for (let id = 0; id < 30_000; id++) {
      bytes.put(id, new Uint8Array(300).fill(id))
      if (id % 100 !== 0) bytes.delete(id)
    }
    const left = Array.from({ length: 300 }, (_, i) => 100 * i)
    expect(memoryOf(bytes, left)).toBeLessThanOrEqual(2 * 300 * 300 + 32 * 1024)
    for (const id of left) expect(bytes.view(id)).toEqual(new Uint8Array(300).fill(id))
  })

  it("stay readable for who holds a view, whatever becomes of them", () => {
    const bytes = new TransactionBytes()
    bytes.put(0, new Uint8Array(300).fill(7))
    const held = bytes.view(0)
    bytes.delete(0)
    for (let id = 0; id < 1000; id++) bytes.put(id, new Uint8Array(300).fill(8))
    expect(held).toEqual(new Uint8Array(300).fill(7))
  })
})
