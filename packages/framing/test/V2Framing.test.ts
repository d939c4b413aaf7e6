import { concat, equals } from "@satwire/bytes"
import { ChaChaRandom, portableAead, portableCurve } from "@satwire/crypto"
import { mainnet, regtest } from "@satwire/primitives"
import { arbitraryMessage, frame } from "@satwire/testkit"
import {
  Inventory,
  MAX_PROTOCOL_MESSAGE_LENGTH,
  type Message,
  VERACK,
  codecOf,
  encodePayload,
  headersMessage
} from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type FramingEvent, MAX_CONTENTS_SIZE, MAX_GARBAGE_LEN, V2Framing, shouldRetryAsV1 } from "../src/index.ts"
import { NOTHING, converse, met, output, ready, v2 } from "./RawPeer.ts"
import { drain, events } from "./streams.ts"

const ping = (nonce: bigint): Message => ({ _tag: "ping", nonce })
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) ^ (i >> 8))

/** Three bytes of length, a header, the id or command, the payload and the tag. */
const sizeOf = (message: Message): number =>
  20 + (codecOf(message._tag)?.shortId === undefined ? 13 : 1) + encodePayload(message).length
const asEvent = (message: Message): FramingEvent => ({ _tag: "Message", message, sizeBytes: sizeOf(message) })

const chunkSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 5000 })), {
  minLength: 1,
  maxLength: 5
})
const seeds = fc.integer({ min: 0, max: 1_000_000 })

/** Contents under a command in full. */
const longForm = (command: string, payload: Uint8Array): Uint8Array =>
  concat([
    Uint8Array.of(0),
    Uint8Array.from({ length: 12 }, (_, i) => (i < command.length ? command.charCodeAt(i) : 0)),
    payload
  ])
const shortForm = (id: number, payload: Uint8Array): Uint8Array => concat([Uint8Array.of(id), payload])

describe("two ends of a v2 connection", () => {
  it("give each other's messages, whatever the chunks, though each chunk is overwritten after its turn", () => {
    // A `feature` behind a `verack` has lost its id.
    const messages = fc
      .array(arbitraryMessage, { maxLength: 4 })
      .map((drawn) => drawn.toSorted((a, b) => Number(b._tag === "feature") - Number(a._tag === "feature")))
    fc.assert(
      fc.property(seeds, messages, messages, chunkSizes, (seed, fromA, fromB, sizes) => {
        const [a, b] = [v2(true, seed), v2(false, seed + 1)]
        // Sent before anything is known of the other end.
        for (const message of fromA) a.send(message)
        for (const message of fromB) b.send(message)
        const heard = converse(a, b, sizes)
        expect(heard.b).toEqual(fromA.map(asEvent))
        expect(heard.a).toEqual(fromB.map(asEvent))
        expect([a.bufferedBytes, b.bufferedBytes]).toEqual([0, 0])
      }),
      { numRuns: 60 }
    )
  })

  it("send what is given byte by byte, under its id where its command has one, and tell its size on the wire", () => {
    const [a, b] = [v2(true, 1), v2(false, 2)]
    converse(a, b)
    const sizes = ["what", "ping"].map((command) => a.send({ _tag: "*raw*", command, payload: noise(3) }))
    expect([...sizes, a.send(VERACK)]).toEqual([36, 24, 33])
    expect(converse(a, b).b).toMatchObject([
      { _tag: "Unknown", command: "what", sizeBytes: 36 },
      { _tag: "Undecodable", command: "ping", sizeBytes: 24 },
      { _tag: "Message", sizeBytes: 33 }
    ])
  })

  it("go on for many keys in both directions, in chunks of one byte", () => {
    const [a, b] = [v2(true, 1), v2(false, 2)]
    converse(a, b)
    for (let i = 0; i < 700; i++) {
      a.send(ping(BigInt(i)))
      if (i % 3 === 0) b.send({ _tag: "pong", nonce: BigInt(i) })
      const heard = converse(a, b, [1])
      expect(heard.b).toEqual([asEvent(ping(BigInt(i)))])
      expect(heard.a).toHaveLength(i % 3 === 0 ? 1 : 0)
    }
  })

  it("have one session id, which each tells only once the other has proved it, and another one the next time", () => {
    const [a, b] = [v2(true, 1), v2(false, 2)]
    const hello = output(a)
    b.receive(hello)
    drain(b)
    expect([a.transport, b.transport, b.sessionId]).toEqual(["detecting", "detecting", undefined])
    converse(a, b)
    expect([a.transport, b.transport]).toEqual(["v2", "v2"])
    expect(a.sessionId).toHaveLength(32)
    expect(equals(a.sessionId as Uint8Array, b.sessionId as Uint8Array)).toBe(true)
    const [c, d] = [v2(true, 3), v2(false, 2)]
    converse(c, d)
    expect(equals(a.sessionId as Uint8Array, c.sessionId as Uint8Array)).toBe(false)
  })

  it("write the same bytes again from the same seeds, and with any other cipher backend", () => {
    const streams = [{}, {}, { aead: portableAead }].map((options) => {
      const [a, b] = [v2(true, 1, options), v2(false, 2, options)]
      a.send(ping(1n))
      b.send(headersMessage(noise(80 * 100)))
      const hello = output(a)
      b.receive(hello)
      drain(b)
      const answer = output(b)
      a.receive(answer)
      drain(a)
      return [hello, answer, output(a)]
    })
    expect(streams[1]).toEqual(streams[0])
    expect(streams[2]).toEqual(streams[0])
  })

  it("send garbage of every length that is allowed", () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 6; seed++) lengths.add(output(v2(true, seed)).length - 64)
    expect(lengths.size).toBe(6)
    for (const length of lengths) expect(length).toBeLessThanOrEqual(MAX_GARBAGE_LEN)
    for (const length of [0, 1, 15, 16, 17, MAX_GARBAGE_LEN]) {
      const [a, b] = [v2(true, 1, { garbage: noise(length) }), v2(false, 2, { garbage: noise(length) })]
      a.send(VERACK)
      expect(converse(a, b, [1000]).b).toEqual([asEvent(VERACK)])
    }
    expect(() => v2(true, 1, { garbage: noise(MAX_GARBAGE_LEN + 1) })).toThrow(/4095/u)
  })

  it("never come to speak across networks", () => {
    const [a, b] = [v2(true, 1), v2(false, 2, { magic: regtest.magic, garbage: noise(4095) })]
    a.send(VERACK)
    converse(a, b)
    expect([a.sessionId, b.sessionId]).toEqual([undefined, undefined])
    b.receive(noise(5000))
    expect(drain(b)).toEqual([{ _tag: "Fault", fault: { _tag: "MissingTerminator" } }])
  })

  it("hand out one event at a time, so that a turn can stop within a chunk and go on in the next", () => {
    const { framing, raw } = ready()
    const packets = [1, 2, 3, 4].map((n) => raw.packet(shortForm(18, encodePayload(ping(BigInt(n))))))
    const chunk = concat(packets.slice(0, 3))
    framing.receive(chunk)
    expect(framing.next()).toEqual(asEvent(ping(1n)))
    framing.release()
    chunk.fill(0)
    expect(framing.bufferedBytes).toBe(2 * 29)
    const last = new Uint8Array(packets[3] as Uint8Array)
    framing.receive(last.subarray(0, 10))
    framing.release()
    framing.receive(last.subarray(10))
    expect(framing.next()).toEqual(asEvent(ping(2n)))
    framing.release()
    last.fill(0)
    expect(drain(framing)).toEqual([3n, 4n].map((nonce) => asEvent(ping(nonce))))
    expect(framing.bufferedBytes).toBe(0)
  })
})

describe("the handshake", () => {
  it("tolerates a version packet that says more than we understand", () => {
    const { framing, raw } = met()
    const stream = concat([raw.handshake(noise(10), noise(5000)), raw.packet(shortForm(18, new Uint8Array(8)))])
    expect(events(stream, [100], framing)).toEqual([asEvent(ping(0n))])
  })

  it("lets decoys stand before the version packet, the first of which vouches for the garbage", () => {
    const { framing, raw } = met()
    const garbage = noise(77)
    const stream = concat([
      raw.hello(garbage),
      raw.packet(noise(100), true, garbage),
      raw.packet(NOTHING, true),
      raw.packet(NOTHING),
      raw.packet(shortForm(18, new Uint8Array(8)))
    ])
    expect(events(stream, [7], framing)).toEqual([
      { _tag: "Decoy", sizeBytes: 120 },
      { _tag: "Decoy", sizeBytes: 20 },
      asEvent(ping(0n))
    ])
    expect(framing.attempt).toBe("ready")
  })

  it("does not know a terminator in garbage that only begins like one", () => {
    const { framing, raw } = met()
    const { sendTerminator } = raw.secrets
    const garbage = concat([sendTerminator.subarray(0, 15), sendTerminator.subarray(0, 15), noise(3)])
    expect(events(raw.handshake(garbage), [1], framing)).toEqual([])
    expect(framing.transport).toBe("v2")
  })

  it("ends where 4,095 bytes of garbage and sixteen more brought no terminator", () => {
    for (const sizes of [[1], [4000], [100_000]]) {
      const { framing, raw } = met()
      const stream = concat([raw.key.publicKey, noise(MAX_GARBAGE_LEN + 16)])
      expect(events(stream.subarray(0, -1), sizes, framing)).toEqual([])
      expect(framing.bufferedBytes).toBe(MAX_GARBAGE_LEN + 15)
      expect(events(stream.subarray(-1), [1], framing)).toEqual([
        { _tag: "Fault", fault: { _tag: "MissingTerminator" } }
      ])
      expect(framing.bufferedBytes).toBe(0)
    }
  })

  it("ends where the garbage is not the one that the first packet vouches for, be it a decoy", () => {
    for (const isDecoy of [false, true]) {
      const { framing, raw } = met()
      const stream = concat([raw.hello(noise(20)), raw.packet(NOTHING, isDecoy, noise(21))])
      expect(events(stream, [64], framing)).toEqual([{ _tag: "Fault", fault: { _tag: "BadPacket", sizeBytes: 20 } }])
      expect(framing.attempt).toBe("answered")
    }
  })

  it("ends with the packet that would make it longer than 4 MiB, before any of that packet has come", () => {
    const { framing, raw } = met()
    expect(events(raw.hello(), [4000], framing)).toEqual([])
    const large = raw.packet(new Uint8Array(4_000_000), true)
    expect(events(large, [65_536], framing)).toEqual([{ _tag: "Decoy", sizeBytes: 4_000_020 }])
    const more = raw.packet(new Uint8Array(200_000))
    expect(events(more.subarray(0, 3), [3], framing)).toEqual([
      { _tag: "Fault", fault: { _tag: "HandshakeTooLong", sizeBytes: 200_020 } }
    ])
    expect([framing.transport, framing.bufferedBytes]).toEqual(["detecting", 0])
  })

  it("leaves the costly steps to who wants to bound them", () => {
    const [a, b] = [v2(true, 1), v2(false, 2, { deferExchange: true })]
    a.send(VERACK)
    const hello = output(a)
    // Ten bytes are enough to want a key of ours, which goes out before the rest of theirs has come.
    b.receive(hello.subarray(0, 10))
    expect([drain(b), b.needsExchange, b.takeOutput()]).toEqual([[], true, undefined])
    b.release()
    b.exchange()
    expect([b.needsExchange, output(b).length >= 64]).toEqual([false, true])
    b.receive(hello.subarray(10))
    expect([drain(b), b.needsExchange]).toEqual([[], true])
    b.release()
    expect(b.bufferedBytes).toBe(hello.length)
    b.exchange()
    expect(b.needsExchange).toBe(false)
    b.exchange()
    expect(drain(b)).toEqual([])
    expect(output(b)).toHaveLength(36)
    // Of an end that is given all at once both steps are one.
    const c = v2(false, 3, { deferExchange: true })
    const d = v2(true, 4, { deferExchange: true })
    d.send(VERACK)
    c.receive(output(d))
    expect([drain(c), c.needsExchange]).toEqual([[], true])
    c.exchange()
    d.receive(output(c))
    expect([drain(d), d.needsExchange]).toEqual([[], true])
    d.exchange()
    drain(d)
    c.receive(output(d))
    expect(drain(c)).toEqual([asEvent(VERACK)])
  })
})

describe("a v1 peer", () => {
  const prefix = (magic: number): Uint8Array =>
    concat([
      Uint8Array.from([0, 8, 16, 24], (shift) => (magic >>> shift) & 0xff),
      longForm("version", NOTHING).subarray(1),
      noise(60)
    ])

  it("that answers a v2 key is known by sixteen bytes", () => {
    const framing = v2(true, 1)
    output(framing)
    expect(events(prefix(mainnet.magic).subarray(0, 16), [5], framing)).toEqual([
      { _tag: "Fault", fault: { _tag: "PeerIsV1" } }
    ])
    expect(framing.attempt).toBe("v1")
  })

  it("of another network is named, where it dialled us", () => {
    const framing = v2(false, 1)
    expect(events(prefix(regtest.magic), [9], framing)).toEqual([
      { _tag: "Fault", fault: { _tag: "WrongMagic", magic: regtest.magic } }
    ])
  })

  it("is the likely reason for an attempt that nobody answered, and only for that", () => {
    const framing = v2(true, 1)
    expect([framing.attempt, shouldRetryAsV1(framing.attempt)]).toEqual(["unsent", false])
    output(framing)
    expect([framing.attempt, shouldRetryAsV1(framing.attempt)]).toEqual(["unanswered", true])
    framing.receive(Uint8Array.of(7))
    expect([framing.attempt, shouldRetryAsV1(framing.attempt)]).toEqual(["answered", false])
    expect(shouldRetryAsV1("v1")).toBe(true)
    expect(shouldRetryAsV1(ready().framing.attempt)).toBe(false)
  })
})

describe("a packet", () => {
  const fault = (tag: string): object => ({ _tag: "Fault", fault: { _tag: tag } })

  it("that was changed in any byte but its length is not opened, and is the last thing that is said", () => {
    const contents = shortForm(18, encodePayload(ping(1n)))
    for (let at = 3; at < 20 + contents.length; at++) {
      const { framing, raw } = ready()
      const packet = raw.packet(contents)
      packet[at] = (packet[at] as number) ^ 0x10
      const stream = concat([packet, raw.packet(contents)])
      expect(events(stream, [at], framing)).toMatchObject([fault("BadPacket")])
      expect(events(raw.packet(contents), [9], framing)).toEqual([])
      expect(framing.bufferedBytes).toBe(0)
    }
  })

  it("that was changed in its length is found out, at the latest when as much has come as it pretends", () => {
    const contents = shortForm(18, encodePayload(ping(1n)))
    for (let bit = 0; bit < 24; bit++) {
      const { framing, raw } = ready()
      const packet = raw.packet(contents)
      packet[bit >> 3] = (packet[bit >> 3] as number) ^ (1 << (bit & 7))
      const heard: Array<FramingEvent> = [...events(packet, [5], framing)]
      for (let more = 0; heard.length === 0 && more < 70; more++)
        heard.push(...events(noise(65_536), [65_536], framing))
      expect(heard).toHaveLength(1)
      expect(["BadPacket", "OversizedPacket"]).toContain(heard[0]?._tag === "Fault" ? heard[0].fault._tag : "")
    }
  })

  it("cannot be sent twice, left out or swapped with another", () => {
    const contents = [1n, 2n].map((nonce) => shortForm(18, encodePayload(ping(nonce))))
    const tampered: ReadonlyArray<(one: Uint8Array, two: Uint8Array) => ReadonlyArray<Uint8Array>> = [
      (one) => [one, one],
      (_, two) => [two],
      (one, two) => [two, one]
    ]
    for (const tamper of tampered) {
      const { framing, raw } = ready()
      const [one, two] = contents.map((each) => raw.packet(each))
      const heard = events(concat([...tamper(one as Uint8Array, two as Uint8Array), noise(300_000)]), [50], framing)
      const last = heard.at(-1)
      expect(["BadPacket", "OversizedPacket"]).toContain(last?._tag === "Fault" ? last.fault._tag : "nothing")
    }
  })

  it("gives nothing where it is cut at any byte", () => {
    const contents = shortForm(18, encodePayload(ping(1n)))
    for (let end = 0; end < 20 + contents.length; end++) {
      const { framing, raw } = ready()
      expect(events(raw.packet(contents).subarray(0, end), [4], framing)).toEqual([])
      expect(framing.bufferedBytes).toBe(end === 3 ? 0 : end < 3 ? end : end - 3)
    }
  })

  it("may have contents of 4,000,013 bytes and not one more, which is judged from its length", () => {
    const largest = longForm("nobody", new Uint8Array(MAX_PROTOCOL_MESSAGE_LENGTH))
    expect(largest).toHaveLength(MAX_CONTENTS_SIZE)
    const { framing, raw } = ready()
    expect(events(raw.packet(largest), [65_536], framing)).toEqual([
      { _tag: "Unknown", command: "nobody", sizeBytes: 4_000_033 }
    ])
    const other = ready(2)
    const over = other.raw.packet(new Uint8Array(4_000_014))
    expect(events(over.subarray(0, 3), [1], other.framing)).toEqual([
      { _tag: "Fault", fault: { _tag: "OversizedPacket", sizeBytes: 4_000_014 } }
    ])
  })

  it("that is a decoy is an event and nothing else, whatever it carries", () => {
    const { framing, raw } = ready()
    const stream = concat([
      raw.packet(shortForm(18, encodePayload(ping(1n))), true),
      raw.packet(shortForm(18, encodePayload(ping(2n)))),
      raw.packet(NOTHING, true)
    ])
    expect(events(stream, [13], framing)).toEqual([
      { _tag: "Decoy", sizeBytes: 29 },
      asEvent(ping(2n)),
      { _tag: "Decoy", sizeBytes: 20 }
    ])
  })

  it("that is one decoy too many since the last message ends the connection", () => {
    const { framing, raw } = ready()
    const size = 4_000_013
    const decoys = (count: number): ReadonlyArray<FramingEvent> =>
      Array.from({ length: count }, () => events(raw.packet(new Uint8Array(size), true), [1 << 20], framing)).flat()
    expect(decoys(8).every(({ _tag }) => _tag === "Decoy")).toBe(true)
    expect(events(raw.packet(shortForm(18, new Uint8Array(8))), [100], framing)).toEqual([asEvent(ping(0n))])
    expect(decoys(8).every(({ _tag }) => _tag === "Decoy")).toBe(true)
    expect(decoys(1)).toEqual([{ _tag: "Fault", fault: { _tag: "DecoyFlood", sizeBytes: 9 * (size + 20) } }])
  })

  it("may be a decoy of ours, before and behind messages", () => {
    const [a, b] = [v2(true, 1), v2(false, 2)]
    a.sendDecoy(100)
    a.send(VERACK)
    a.sendDecoy(0)
    expect(converse(a, b).b).toEqual([
      { _tag: "Decoy", sizeBytes: 120 },
      asEvent(VERACK),
      { _tag: "Decoy", sizeBytes: 20 }
    ])
  })
})

describe("contents", () => {
  const said = (contents: Uint8Array): ReadonlyArray<FramingEvent> => {
    const { framing, raw } = ready()
    return events(raw.packet(contents), [50], framing)
  }

  it("are understood under an id and under a command in full, and written under the id", () => {
    const payload = encodePayload(ping(5n))
    expect(said(shortForm(18, payload))).toEqual([asEvent(ping(5n))])
    expect(said(longForm("ping", payload))).toEqual([{ _tag: "Message", message: ping(5n), sizeBytes: 41 }])
    expect(said(longForm("verack", NOTHING))).toEqual([asEvent(VERACK)])
  })

  it.each([
    ["an id that nobody has", shortForm(200, noise(3)), { _tag: "Unknown", command: "id 200" }],
    ["an id that is reserved", shortForm(29, NOTHING), { _tag: "Unknown", command: "id 29" }],
    [
      "a command that the table does not have",
      longForm("__proto__", noise(3)),
      { _tag: "Unknown", command: "__proto__" }
    ],
    ["nothing", NOTHING, { _tag: "Dropped", why: "command" }],
    ["a command that is cut off", longForm("ping", NOTHING).subarray(0, 12), { _tag: "Dropped", why: "command" }],
    ["an unprintable command", longForm("pi\u0007g", noise(8)), { _tag: "Dropped", why: "command", command: "pi?g" }],
    ["a byte behind the command's zeros", longForm("ping\0x", noise(8)), { _tag: "Dropped", why: "command" }],
    ["a payload that is cut off", shortForm(18, noise(3)), { _tag: "Undecodable", command: "ping" }]
  ])("of %s are an event, and the next packet is read", (_, contents, event) => {
    const { framing, raw } = ready()
    const stream = concat([raw.packet(contents), raw.packet(shortForm(18, new Uint8Array(8)))])
    for (const sizes of [[stream.length], [3]]) {
      const other = ready()
      const again = concat([other.raw.packet(contents), other.raw.packet(shortForm(18, new Uint8Array(8)))])
      expect(events(again, sizes, other.framing)).toMatchObject([
        { ...event, sizeBytes: 20 + contents.length },
        asEvent(ping(0n))
      ])
    }
    expect(framing.transport).toBe("v2")
  })

  it("that are longer than any value of their command keep only the value, as Core tolerates the tail", () => {
    for (const sizes of [[200_000], [1000]]) {
      const { framing, raw } = ready()
      const contents = shortForm(18, concat([encodePayload(ping(5n)), noise(100_000)]))
      expect(events(raw.packet(contents), sizes, framing)).toEqual([
        { _tag: "Message", message: ping(5n), sizeBytes: 20 + contents.length }
      ])
    }
  })

  it("that announce too many entries are over their limit", () => {
    const hashes = Array.from({ length: 50_001 }, () => new Uint8Array(32))
    const payload = concat([Uint8Array.of(0xfd, 0x51, 0xc3), Inventory.ofType(1, hashes).raw])
    const [event] = said(shortForm(14, payload))
    expect(event).toMatchObject({ _tag: "Undecodable", command: "inv", error: { kind: "overLimit" } })
  })

  it("under id 37 are no `feature` any more once verack has come", () => {
    const { framing, raw } = ready()
    const before = events(raw.packet(shortForm(37, NOTHING)), [50], framing)
    expect(before).toMatchObject([{ _tag: "Undecodable", command: "feature" }])
    events(raw.packet(longForm("verack", NOTHING)), [50], framing)
    expect(events(raw.packet(shortForm(37, NOTHING)), [50], framing)).toEqual([
      { _tag: "Unknown", command: "id 37", sizeBytes: 21 }
    ])
  })
})

describe("bytes that nobody meant", () => {
  it("never make it throw, in whichever state they come, and nothing is said after a fault", () => {
    const state = fc.constantFrom("first", "key", "garbage", "version", "ready")
    fc.assert(
      fc.property(seeds, state, fc.integer({ min: 1, max: 9000 }), chunkSizes, (seed, where, length, sizes) => {
        const { framing, raw } = met(seed)
        const whole = raw.handshake(noise(40))
        const cut = { first: 0, key: 30, garbage: 90, version: 64 + 40 + 16 + 5, ready: whole.length }[where]
        const random = ChaChaRandom.fromNumber(seed).bytes(length)
        const heard = events(concat([whole.subarray(0, cut), random]), sizes, framing)
        const at = heard.findIndex((event) => event._tag === "Fault")
        expect(at === -1 || at === heard.length - 1).toBe(true)
        expect(heard.every(({ _tag }) => _tag === "Fault")).toBe(true)
      }),
      { numRuns: 60 }
    )
  })

  it("are found out wherever one bit of a handshake is changed, and no message comes through", () => {
    const classes = {
      key: 10,
      garbage: 70,
      terminator: 64 + 20 + 3,
      length: 64 + 36 + 1,
      header: 64 + 36 + 3,
      tag: 64 + 36 + 19
    }
    for (const [name, at] of Object.entries(classes)) {
      const { framing, raw } = met()
      const stream = concat([raw.handshake(noise(20)), raw.packet(shortForm(18, new Uint8Array(8)))])
      stream[at] = (stream[at] as number) ^ 4
      const heard = [...events(stream, [11], framing)]
      for (let more = 0; heard.length === 0 && more < 70; more++)
        heard.push(...events(noise(65_536), [65_536], framing))
      expect(heard.map((event) => (event._tag === "Fault" ? event.fault._tag : event._tag))).toEqual([
        { key: "MissingTerminator", terminator: "MissingTerminator" }[name] ??
          expect.stringMatching(/BadPacket|Oversized|TooLong/u)
      ])
      expect(framing.sessionId).toBeUndefined()
      expect(framing.bufferedBytes).toBe(0)
    }
  })
})

describe("who answers a key with any message of v1", () => {
  it.each(["version", "reject", "sendheaders"])("%s: speaks v1, and is worth another try in it", (command) => {
    const dialler = new V2Framing({
      magic: regtest.magic,
      initiating: true,
      aead: portableAead,
      curve: portableCurve,
      random: ChaChaRandom.fromNumber(3)
    })
    dialler.takeOutput()
    dialler.receive(frame(command, new Uint8Array(8)))
    expect(dialler.next()).toEqual({ _tag: "Fault", fault: { _tag: "PeerIsV1" } })
    expect(shouldRetryAsV1(dialler.attempt)).toBe(true)
  })
})
