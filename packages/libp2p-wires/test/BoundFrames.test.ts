/** Messages by their length in front, in any pieces. */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { StreamMessageEvent } from "@libp2p/interface"
import { Uint8ArrayList } from "uint8arraylist"
import { boundFrames } from "../src/index.ts"

const MOST = 300

const framed = (length: number): ReadonlyArray<number> => {
  const prefix = length < 128 ? [length] : [(length & 127) | 128, length >> 7]
  return [...prefix, ...Array.from({ length }, () => 255)]
}

const isAborted = (bytes: Uint8Array, size: number): boolean => {
  let aborted = false
  const stream = Object.assign(new EventTarget(), { abort: () => (aborted = true) })
  boundFrames(stream, MOST)
  for (let at = 0; at < bytes.length; at += 2 * size) {
    const pieces = [bytes.subarray(at, at + size), bytes.subarray(at + size, at + 2 * size)]
    stream.dispatchEvent(new StreamMessageEvent(new Uint8ArrayList(...pieces)))
  }
  return aborted
}

it("a stream ends with the first message that is too large, whatever its pieces are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: MOST + 20 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 400 }),
      (lengths, size) => {
        const bytes = Uint8Array.from(lengths.flatMap(framed))
        assert.strictEqual(
          isAborted(bytes, size),
          lengths.some((length) => length > MOST)
        )
      }
    )
  )
  assert.isTrue(isAborted(new Uint8Array(10).fill(128), 1))
})
