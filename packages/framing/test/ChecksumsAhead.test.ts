/** Checksums that are worked out for several frames together say the same of each as for each alone. */
import { concat } from "@satwire/bytes"
import { portableSha256, wasmSha256 } from "@satwire/crypto"
import { regtest } from "@satwire/primitives"
import { frame } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type FramingEvent, V1Framing } from "../src/index.ts"

const BACKENDS = [
  ["plain JavaScript", portableSha256],
  ["WebAssembly", wasmSha256()]
] as const

const payload = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7 + seed)

const tags = (framing: V1Framing): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let event = framing.next(); event !== undefined; event = framing.next()) found.push(word(event))
  return found
}

const word = (event: FramingEvent): string => (event._tag === "Dropped" ? `Dropped ${event.why}` : event._tag)

describe.each(BACKENDS)("with %s", (_, sha256) => {
  const framing = (): V1Framing => new V1Framing({ magic: regtest.magic, sha256 })

  it("one bad frame among many alike is dropped, and no other", () => {
    for (let bad = 0; bad < 40; bad++) {
      const frames = Array.from({ length: 40 }, (_, i) => frame("x", payload(33, i)))
      const spoiled = frames[bad] as Uint8Array
      spoiled[24 + (bad % 33)] = (spoiled[24 + (bad % 33)] as number) ^ 1
      const one = framing()
      one.receive(concat(frames))
      const expected = Array.from({ length: 40 }, (_, i) => (i === bad ? "Dropped checksum" : "Unknown"))
      expect(tags(one)).toEqual(expected)
    }
  })

  it("any mixture of lengths, good and bad, in any chunks comes to what each comes to alone", () => {
    const aFrame = fc.tuple(fc.constantFrom(0, 1, 8, 8, 8, 36, 36, 100, 2047, 2048), fc.integer({ min: 0, max: 9 }))
    fc.assert(
      fc.property(fc.array(aFrame, { maxLength: 60 }), fc.integer({ min: 1, max: 9000 }), (frames, chunkBytes) => {
        const made = frames.map(([length, seed]) => {
          const bytes = frame("x", payload(length, seed))
          if (seed === 0) bytes[20] = (bytes[20] as number) ^ 0x80
          return bytes
        })
        const alone = made.flatMap((bytes) => {
          const one = framing()
          one.receive(bytes)
          return tags(one)
        })
        const together = framing()
        const stream = concat(made)
        const seen: Array<string> = []
        for (let at = 0; at < stream.length; at += chunkBytes) {
          together.receive(stream.subarray(at, at + chunkBytes))
          seen.push(...tags(together))
          together.release()
        }
        expect(seen).toEqual(alone)
      })
    )
  })

  it("what is known of a chunk is forgotten with it, also where the same memory comes again", () => {
    const chunk = concat(Array.from({ length: 8 }, (_, i) => frame("x", payload(40, i))))
    const one = framing()
    one.receive(chunk)
    expect(one.next()?._tag).toBe("Unknown")
    const other = framing()
    chunk[64 + 24] = (chunk[64 + 24] as number) ^ 1
    other.receive(chunk)
    expect(tags(other).slice(0, 3)).toEqual(["Unknown", "Dropped checksum", "Unknown"])
    expect(tags(one).slice(0, 2)).toEqual(["Dropped checksum", "Unknown"])
  })
})
