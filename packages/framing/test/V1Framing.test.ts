import { concat } from "@satwire/bytes"
import { platformSha256 } from "@satwire/crypto/node"
import { mainnet } from "@satwire/primitives"
import { arbitraryMessage, arbitraryMessages } from "@satwire/testkit"
import {
  Inventory,
  MAX_PROTOCOL_MESSAGE_LENGTH,
  type Message,
  VERACK,
  encodePayload,
  headersMessage
} from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type FramingEvent, V1Framing } from "../src/index.ts"
import { drain, events, frame, framed, framing } from "./streams.ts"

const ping = (nonce: bigint): Message => ({ _tag: "ping", nonce })
const asEvent = (message: Message): FramingEvent => ({
  _tag: "Message",
  message,
  sizeBytes: 24 + encodePayload(message).length
})

/** A payload of more than one reserve: 100,000 bytes of no meaning. */
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) ^ (i >> 8))

const chunkSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 5000 })), {
  minLength: 1,
  maxLength: 5
})

describe("a stream of v1 frames", () => {
  it("gives the same events whatever the chunks, though each chunk's memory is overwritten after its turn", () => {
    fc.assert(
      fc.property(fc.array(arbitraryMessage, { maxLength: 6 }), chunkSizes, (messages, sizes) => {
        expect(events(framed(...messages), sizes)).toEqual(messages.map(asEvent))
      })
    )
  })

  it("gives the same events whatever the chunks, also where frames are foreign, damaged or malformed", () => {
    const payload = fc.uint8Array({ maxLength: 60 })
    const arbitraryFrame = fc.oneof(
      arbitraryMessage.map((message) => framed(message)),
      fc
        .tuple(fc.constantFrom("ping", "inv", "verack", "headers", "what", "__proto__", "a\u0001b"), payload)
        .map(([command, bytes]) => frame(command, bytes)),
      payload.map((bytes) => frame("ping", bytes, { checksum: 1 }))
    )
    fc.assert(
      fc.property(fc.array(arbitraryFrame, { maxLength: 6 }), chunkSizes, (frames, sizes) => {
        const stream = concat(frames)
        const whole = events(stream)
        expect(whole).toHaveLength(frames.length)
        expect(events(stream, sizes)).toEqual(whole)
      })
    )
  })

  it("never throws on bytes that nobody meant, and says nothing after a fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), chunkSizes, (bytes, sizes) => {
        const stream = concat([framed(ping(1n)), bytes])
        const all = events(stream, sizes)
        const fault = all.findIndex((event) => event._tag === "Fault")
        expect(fault === -1 || fault === all.length - 1).toBe(true)
      })
    )
  })

  it("never throws where any one byte is changed, and still gives every message before it", () => {
    const messages = [ping(1n), headersMessage(noise(160)), ping(2n)]
    const stream = framed(...messages)
    for (let at = 0; at < stream.length; at++) {
      const damaged = new Uint8Array(stream)
      damaged[at] = (damaged[at] as number) ^ 0x55
      const all = events(damaged, [7])
      const before = at < 32 ? 0 : at < 32 + 24 + 163 ? 1 : 2
      expect(all.slice(0, before)).toEqual(messages.slice(0, before).map(asEvent))
      expect(all[before]).not.toEqual(asEvent(messages[before] as Message))
    }
  })

  it("gives nothing for a frame that is cut at any byte", () => {
    const stream = framed(ping(1n), ping(2n))
    for (let end = 32; end < 64; end++) expect(events(stream.subarray(0, end), [5])).toEqual([asEvent(ping(1n))])
  })

  it("is handed out one event at a time, so that a turn can stop within a chunk and go on in the next", () => {
    const reader = framing()
    const chunk = framed(ping(1n), ping(2n), ping(3n))
    reader.receive(chunk)
    expect(reader.next()).toEqual(asEvent(ping(1n)))
    reader.release()
    chunk.fill(0)
    expect(reader.bufferedBytes).toBe(64)
    const second = framed(ping(4n))
    reader.receive(second.subarray(0, 10))
    reader.release()
    reader.receive(second.subarray(10))
    expect(reader.next()).toEqual(asEvent(ping(2n)))
    reader.release()
    second.fill(0)
    expect(drain(reader)).toEqual([3n, 4n].map((nonce) => asEvent(ping(nonce))))
    expect(reader.bufferedBytes).toBe(0)
  })

  it("is read at linear cost in chunks of one byte, and in chunks that nobody drains", () => {
    const block = frame("block", noise(1_000_000))
    const reader = framing()
    const one = new Uint8Array(1)
    for (const byte of block) {
      one[0] = byte
      reader.receive(one)
      reader.release()
    }
    expect(reader.bufferedBytes).toBe(block.length)
    expect(drain(reader).map((event) => event._tag)).toEqual(["Undecodable"])
    expect(events(block, [1]).map((event) => event._tag)).toEqual(["Undecodable"])
  })
})

describe("a frame that Core ends the connection for", () => {
  it("has another network's magic: the four bytes are enough", () => {
    const fault: FramingEvent = { _tag: "Fault", fault: { _tag: "WrongMagic", magic: 0x20544547 } }
    expect(events(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"), [3])).toEqual([fault])
    expect(events(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))).toEqual([fault])
  })

  it("announces more than 4,000,000 bytes, which is judged before any of them has come", () => {
    const header = frame("block", new Uint8Array(0), { length: MAX_PROTOCOL_MESSAGE_LENGTH + 1 })
    const fault: FramingEvent = { _tag: "Fault", fault: { _tag: "Oversized", command: "block", sizeBytes: 4_000_001 } }
    expect(events(header)).toEqual([fault])
    expect(events(header, [1])).toEqual([fault])
  })

  it("may announce 4,000,000 exactly", () => {
    const stream = frame("what", noise(MAX_PROTOCOL_MESSAGE_LENGTH))
    expect(events(stream, [65_536])).toEqual([{ _tag: "Unknown", command: "what", sizeBytes: 4_000_024 }])
  })

  it("is the last thing that is said: what follows is ignored and nothing of it is kept", () => {
    const reader = framing()
    const stream = concat([frame("ping", noise(8), { magic: 1 }), framed(ping(1n))])
    expect(events(stream, [stream.length], reader).map((event) => event._tag)).toEqual(["Fault"])
    expect(events(framed(ping(2n)), [5], reader)).toEqual([])
    expect(reader.bufferedBytes).toBe(0)
  })
})

describe("a frame that is dropped", () => {
  it("has a wrong checksum, also where the payload is empty, and the next one is read", () => {
    for (const sizes of [[1], [1000]]) {
      const stream = concat([
        frame("ping", noise(8), { checksum: 1 }),
        frame("verack", new Uint8Array(0), { checksum: 1 }),
        frame("unknown", noise(50), { checksum: 1 }),
        framed(VERACK)
      ])
      expect(events(stream, sizes)).toEqual([
        { _tag: "Dropped", why: "checksum", command: "ping", sizeBytes: 32 },
        { _tag: "Dropped", why: "checksum", command: "verack", sizeBytes: 24 },
        { _tag: "Dropped", why: "checksum", command: "unknown", sizeBytes: 74 },
        asEvent(VERACK)
      ])
    }
  })

  it.each([
    ["an unprintable byte", "pi\u0007g", "pi?g"],
    ["a byte above ASCII", "pi\u00e9g", "pi?g"],
    ["a byte after the first zero", "ping\0x", "ping"],
    ["a zero at its beginning and then bytes", "\0ping", ""]
  ])("has a command with %s", (_, command, shown) => {
    expect(events(concat([frame(command, noise(8)), framed(VERACK)]))).toEqual([
      { _tag: "Dropped", why: "command", command: shown, sizeBytes: 32 },
      asEvent(VERACK)
    ])
  })
})

describe("a command that the table does not have", () => {
  it.each(["__proto__", "constructor", "toString", "twelve_chars", "", "PING", "ping "])(
    "%j is data like any other",
    (command) => {
      for (const sizes of [[9], [4000]]) {
        expect(events(concat([frame(command, noise(70)), framed(VERACK)]), sizes)).toEqual([
          { _tag: "Unknown", command, sizeBytes: 94 },
          asEvent(VERACK)
        ])
      }
    }
  )
})

describe("a payload that is longer than any value of its command", () => {
  it("has its tail tolerated as Core does: the value is read from its beginning", () => {
    const nonce = encodePayload(ping(5n))
    const long = frame("ping", concat([nonce, noise(100_000)]))
    for (const sizes of [[long.length], [1000], [65_536]]) {
      expect(events(long, sizes)).toEqual([{ _tag: "Message", message: ping(5n), sizeBytes: long.length }])
    }
  })

  it("is dropped where its checksum is wrong, which covers the tail too", () => {
    const long = frame("ping", noise(100_000))
    long[long.length - 1] = (long[long.length - 1] as number) ^ 1
    for (const sizes of [[long.length], [1000]]) {
      expect(events(long, sizes)).toEqual([
        { _tag: "Dropped", why: "checksum", command: "ping", sizeBytes: long.length }
      ])
    }
  })

  it("is over its limit where it announces too many entries", () => {
    const entries = Inventory.ofType(
      1,
      Array.from({ length: 50_001 }, () => new Uint8Array(32))
    )
    const payload = concat([Uint8Array.of(0xfd, 0x51, 0xc3), entries.raw])
    for (const sizes of [[payload.length + 24], [65_536]]) {
      const [event] = events(frame("inv", payload), sizes)
      expect(event).toMatchObject({ _tag: "Undecodable", command: "inv", error: { kind: "overLimit" } })
    }
  })
})

describe("what is written", () => {
  it("is one buffer with every message since the last time, in order, and belongs to who takes it", () => {
    fc.assert(
      fc.property(fc.array(arbitraryMessage, { minLength: 1, maxLength: 5 }), (messages) => {
        const writer = framing()
        const sizes = messages.map((message) => writer.send(message))
        const output = writer.takeOutput() as Uint8Array
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(output.length)
        expect(output.byteLength).toBe(output.buffer.byteLength)
        expect(events(output)).toEqual(messages.map(asEvent))
        expect(writer.takeOutput()).toBeUndefined()
      })
    )
  })

  it("is the frame that a packet capture shows", () => {
    const writer = new V1Framing({ magic: mainnet.magic, sha256: platformSha256 })
    writer.send(VERACK)
    const verack = [
      0xf9,
      0xbe,
      0xb4,
      0xd9,
      ...new TextEncoder().encode("verack"),
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0x5d,
      0xf6,
      0xe0,
      0xe2
    ]
    expect(writer.takeOutput()).toEqual(Uint8Array.from(verack))
  })

  it("may be what is given byte by byte, whether it makes sense or not", () => {
    const writer = framing()
    const sizes = [
      writer.send({ _tag: "*raw*", command: "what", payload: noise(3) }),
      writer.send({ _tag: "*raw*", command: "ping", payload: noise(3) }),
      writer.send({ _tag: "*raw*", command: "addr", payload: new Uint8Array(4_000_001) })
    ]
    const written = writer.takeOutput() as Uint8Array
    expect(sizes).toEqual([27, 27, 4_000_025])
    expect(events(written)).toMatchObject([
      { _tag: "Unknown", command: "what", sizeBytes: 27 },
      { _tag: "Undecodable", command: "ping", sizeBytes: 27 },
      { _tag: "Fault", fault: { _tag: "Oversized", command: "addr" } }
    ])
  })

  it("never holds more than any peer takes in one message: asking for it is our own bug", () => {
    const many = headersMessage(new Uint8Array(80 * 50_000))
    expect(() => framing().send(many)).toThrow(/4050003 bytes/u)
  })
})

describe("the messages of every command", () => {
  it.each(Object.entries<fc.Arbitrary<Message>>(arbitraryMessages))(
    "%s keeps its bytes when the chunk is overwritten",
    (_, arbitrary) => {
      fc.assert(
        fc.property(arbitrary, (message) => {
          const stream = framed(message, message)
          const reader = framing()
          reader.receive(stream)
          const received = drain(reader)
          reader.release()
          const before = received.map((event) => (event._tag === "Message" ? encodePayload(event.message) : undefined))
          stream.fill(0xff)
          const after = received.map((event) => (event._tag === "Message" ? encodePayload(event.message) : undefined))
          expect(after).toEqual(before)
          expect(after[0]).toEqual(encodePayload(message))
        }),
        { numRuns: 30 }
      )
    }
  )
})
