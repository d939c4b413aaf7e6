import { concat } from "@satwire/bytes"
import { arbitraryMessages } from "@satwire/testkit"
import { type Message, encodePayload } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { converse, output, ready, v2 } from "./RawPeer.ts"
import { allocated } from "./Allocated.ts"
import { drain } from "./streams.ts"

const RESERVE_BYTES = 256 * 1024
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) ^ (i >> 8))

describe("memory of the v2 transport", () => {
  it("is not spent on a length that a stranger announces: 4,000,013 announced and nothing sent hold a few bytes", () => {
    const { framing, raw } = ready()
    const packet = raw.packet(new Uint8Array(4_000_013))
    const bytes = allocated(() => {
      framing.receive(packet.subarray(0, 4))
      expect(drain(framing)).toEqual([])
      framing.release()
    })
    expect(framing.bufferedBytes).toBe(1)
    expect(bytes).toBeLessThanOrEqual(17 * 1024)
  })

  it("never is more than what was received and 256 KiB while a packet comes in, nor while it is opened", () => {
    const { framing, raw } = ready()
    const length = 3_000_000
    const packet = raw.packet(concat([Uint8Array.of(200), noise(length)]))
    let before = 0
    for (let at = 0; at < packet.length; at += 50_000) {
      const chunk = packet.subarray(at, at + 50_000)
      const made = allocated(() => {
        framing.receive(chunk)
        before += drain(framing).length
        framing.release()
      })
      expect(made).toBeLessThanOrEqual(length + RESERVE_BYTES)
      expect(framing.bufferedBytes).toBeLessThanOrEqual(Math.min(at + 50_000, packet.length))
    }
    expect(before).toBe(1)
  })

  it("of a packet that lies whole in a chunk is one array, of exactly what the packet says", () => {
    const { framing, raw } = ready()
    const block = raw.packet(concat([Uint8Array.of(200), noise(1_000_000)]))
    framing.receive(block)
    // Besides that array only pieces that the cipher works on, and copies that a library makes of them.
    const made = allocated(() => expect(drain(framing)).toHaveLength(1))
    expect(made).toBeLessThanOrEqual(1_000_002 + RESERVE_BYTES)
  })

  it("of an idle peer is no window: a turn's small packets share one, and it goes with the turn", () => {
    const { framing, raw } = ready()
    const ping = raw.packet(concat([Uint8Array.of(18), new Uint8Array(8)]))
    const lone = allocated(() => {
      framing.receive(ping)
      expect(drain(framing)).toHaveLength(1)
      framing.release()
    })
    expect(lone).toBeLessThanOrEqual(1024)
    expect(framing.bufferedBytes).toBe(0)
  })
})

describe("the messages of every command over v2", () => {
  it.each(Object.entries<fc.Arbitrary<Message>>(arbitraryMessages))(
    "%s keeps its bytes when the chunk is overwritten and more packets come",
    (_, arbitrary) => {
      const [a, b] = [v2(true, 1), v2(false, 2)]
      converse(a, b)
      fc.assert(
        fc.property(arbitrary, fc.boolean(), (message, isCut) => {
          const bytes: Array<Uint8Array | undefined> = []
          const kept: Array<Message> = []
          for (let turn = 0; turn < 2; turn++) {
            a.send(message)
            a.send(message)
            const stream = output(a)
            const cut = isCut ? stream.length >> 1 : stream.length
            for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
              b.receive(chunk)
              for (const event of drain(b)) {
                if (event._tag !== "Message") continue
                kept.push(event.message)
                bytes.push(encodePayload(event.message))
              }
              b.release()
              chunk.fill(0xff)
            }
          }
          expect(kept.map(encodePayload)).toEqual(bytes)
          expect(kept.length === 4 || message._tag === "feature" || message._tag === "verack").toBe(true)
          expect(bytes.every((each) => Buffer.compare(each ?? stopped(), encodePayload(message)) === 0)).toBe(true)
        }),
        { numRuns: 15 }
      )
    }
  )
})

const stopped = (): never => {
  throw new Error("a message has bytes")
}
