import { platformSha256 } from "@satwire/crypto/node"
import { headersMessage } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Backlog } from "../src/Backlog.ts"
import { PayloadGather } from "../src/PayloadGather.ts"
import { allocated } from "./Allocated.ts"
import { drain, frame, framed, framing } from "./streams.ts"

const RESERVE_BYTES = 256 * 1024
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) ^ (i >> 8))

describe("memory", () => {
  it("is not spent on a length that a stranger announces: 4,000,000 announced and one byte sent hold 16 KiB", () => {
    const start = frame("block", Uint8Array.of(1), { length: 4_000_000 })
    expect(allocated(() => framing().receive(start))).toBeLessThan(1024)
    const bytes = allocated(() => {
      const reader = framing()
      reader.receive(start)
      expect(drain(reader)).toEqual([])
      reader.release()
      expect(reader.bufferedBytes).toBe(1)
    })
    expect(bytes).toBeLessThanOrEqual(17 * 1024)
  })

  it("never is more than what was received and 256 KiB while a payload comes in", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000_000 }), fc.integer({ min: 1000, max: 300_000 }), (length, step) => {
        const gather = new PayloadGather(length, length, undefined)
        const payload = noise(Math.min(step, length))
        let held = 0
        let received = 0
        while (!gather.isComplete) {
          const before = received
          const made = allocated(() => (received += gather.take(payload, 0)))
          // Joining gives the segments back: what is held then is the one exact array.
          held = made >= length ? length : held + made
          expect(held).toBeLessThanOrEqual(received + RESERVE_BYTES)
          expect(received).toBeGreaterThan(before)
        }
        expect(gather.wanted.length).toBe(length)
      }),
      { numRuns: 40 }
    )
  })

  it("holds nothing of a payload that is skipped", () => {
    const reader = framing()
    const stream = frame("nobody", noise(1_000_000))
    reader.receive(stream.subarray(0, 900_000))
    drain(reader)
    expect(reader.bufferedBytes).toBe(0)
    reader.receive(stream.subarray(900_000))
    expect(drain(reader).map((event) => event._tag)).toEqual(["Unknown"])
  })

  it("of a large payload is one array of exactly its length, whose ownership moves with the message", () => {
    const headers = headersMessage(noise(80 * 2000))
    const reader = framing()
    reader.receive(framed(headers))
    const [event] = drain(reader)
    const message = event?._tag === "Message" ? event.message : undefined
    expect(message).toEqual(headers)
    expect(message?._tag === "headers" && message.headers.buffer.byteLength).toBe(160_000)
  })
})

describe("a payload in pieces", () => {
  it("comes out as it went in, whatever the pieces, and so does the part of it that is wanted", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700_000 }), fc.nat(), sizes, (length, cut, steps) => {
        const wanted = cut % (length + 1)
        const payload = noise(length)
        const hash = platformSha256.createSha256d()
        const gather = new PayloadGather(length, wanted, hash)
        for (let at = 0, i = 0; at < length; i++) {
          at += gather.take(payload.subarray(at, at + (steps[i % steps.length] as number)), 0)
        }
        expect(Buffer.compare(gather.wanted, payload.subarray(0, wanted))).toBe(0)
        const digests = [new Uint8Array(32), new Uint8Array(32)] as const
        hash.digest(digests[0], 0)
        platformSha256.sha256d(payload, 0, length, digests[1], 0)
        expect(digests[0]).toEqual(digests[1])
      }),
      { numRuns: 50 }
    )
  })
})

describe("a backlog", () => {
  it("gives back what was appended, in order, in any pattern of appending and taking", () => {
    const step = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constant("take" as const),
      fc.integer({ min: 5000, max: 40_000 })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const backlog = new Backlog()
        const put: Array<number> = []
        const got: Array<number> = []
        for (const each of steps) {
          if (each === "take") {
            for (const byte of backlog.take() ?? []) got.push(byte)
          } else {
            const chunk = typeof each === "number" ? noise(each) : each
            backlog.append(chunk)
            for (const byte of chunk) put.push(byte)
          }
          expect(backlog.bytes).toBe(put.length - got.length)
        }
        for (let rest = backlog.take(); rest !== undefined; rest = backlog.take())
          for (const byte of rest) got.push(byte)
        expect(got).toEqual(put)
      }),
      { numRuns: 50 }
    )
  })
})
