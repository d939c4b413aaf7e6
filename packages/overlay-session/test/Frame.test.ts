import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FRAME_HEAD_BYTES, FrameKind, FrameReader, frameOf } from "../src/index.ts"

const MAX = 5000

const readAll = (stream: Uint8Array, cuts: ReadonlyArray<number>) => {
  const reader = new FrameReader(MAX)
  const frames: Array<readonly [number, Array<number>]> = []
  let at = 0
  let isWhole = true
  for (const end of [...cuts, stream.length]) {
    isWhole &&= reader.read(stream.slice(at, end), (kind, payload) => {
      frames.push([kind, [...payload]])
      return true
    })
    expect(reader.heldBytes).toBeLessThanOrEqual(2 * MAX)
    at = end
  }
  return { frames, isWhole }
}

describe("a stream of frames", () => {
  it("is the same in any chunks", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 })
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(3000), { maxLength: 12 }), (payloads, places) => {
        const stream = Uint8Array.from(payloads.flatMap((payload) => [...frameOf(FrameKind.envelope, payload)]))
        const cuts = places.map((place) => Math.min(place, stream.length)).sort((a, b) => a - b)
        const { frames, isWhole } = readAll(stream, cuts)
        expect(isWhole).toBe(true)
        expect(frames).toEqual(payloads.map((payload) => [FrameKind.envelope, [...payload]]))
      }),
      { numRuns: 200 }
    )
  })
  it("of any bytes never throws, and takes memory for what has come alone", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        (rubbish) =>
          void readAll(
            rubbish,
            [3, 7].filter((cut) => cut <= rubbish.length)
          )
      ),
      {
        numRuns: 300
      }
    )
    const reader = new FrameReader(4 * 1024 * 1024)
    reader.read(Uint8Array.of(0, 0x30, 0, 0, 2), () => true)
    expect(reader.heldBytes).toBeLessThanOrEqual(1024)
  })
  it.each([
    ["too long by one", MAX + 2],
    ["empty", 0]
  ])("ends where a frame is %s, whole or cut", (_, length) => {
    const head = Uint8Array.of(0, 0, length >>> 8, length)
    expect(new FrameReader(MAX).read(head, () => true)).toBe(false)
    const cut = new FrameReader(MAX)
    expect(cut.read(head.subarray(0, 2), () => true)).toBe(true)
    expect(cut.read(head.subarray(2), () => true)).toBe(false)
    expect(frameOf(FrameKind.ping, new Uint8Array(0))).toHaveLength(FRAME_HEAD_BYTES)
  })
})
