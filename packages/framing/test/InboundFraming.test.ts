import { concat } from "@satwire/bytes"
import { ChaChaRandom, portableCurve } from "@satwire/crypto"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { mainnet, regtest } from "@satwire/primitives"
import { arbitraryMessages } from "@satwire/testkit"
import { type Message, VERACK, encodePayload } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { InboundFraming, type InboundOptions } from "../src/index.ts"
import { converse, output, v2 } from "./RawPeer.ts"
import { drain, events, frame, framed, framing } from "./streams.ts"

const inbound = (options: Partial<InboundOptions> = {}): InboundFraming =>
  new InboundFraming({
    magic: mainnet.magic,
    sha256: platformSha256,
    aead: platformAead,
    curve: portableCurve,
    random: ChaChaRandom.fromNumber(99),
    ...options
  })

const [version] = fc.sample(arbitraryMessages.version, { numRuns: 1, seed: 1 }) as [Message]
const tags = (heard: ReadonlyArray<{ readonly _tag: string; readonly message?: Message }>): ReadonlyArray<string> =>
  heard.map((event) => event.message?._tag ?? event._tag)

describe("who dials us", () => {
  it("is spoken to in v1 where the first message is a version, whatever the chunks", () => {
    const stream = framed(version, VERACK)
    for (const sizes of [[1], [3], [15, 1], [16], [17], [stream.length]]) {
      const reader = inbound()
      expect(tags(events(stream, sizes, reader))).toEqual(["version", "verack"])
      expect([reader.transport, reader.sessionId]).toEqual(["v1", undefined])
      reader.send(VERACK)
      expect(output(reader)).toEqual(framed(VERACK))
    }
  })

  it("is spoken to in v2 otherwise, whatever the chunks", () => {
    for (const sizes of [[1], [3], [15, 1], [16], [17], [100_000]]) {
      const [dialler, reader] = [v2(true, 7), inbound()]
      dialler.send(version)
      const heard = converse(dialler, reader, sizes)
      expect(tags(heard.b)).toEqual(["version"])
      expect([dialler.transport, reader.transport]).toEqual(["v2", "v2"])
      expect(reader.sessionId).toEqual(dialler.sessionId)
      reader.send(VERACK)
      expect(tags(converse(dialler, reader, sizes).a)).toEqual(["verack"])
    }
  })

  it("is not answered, and not known, before a byte tells", () => {
    const prefix = framed(version).subarray(0, 16)
    for (let length = 0; length < 16; length++) {
      const reader = inbound()
      expect(events(prefix.subarray(0, length), [2], reader)).toEqual([])
      expect([reader.transport, reader.takeOutput(), reader.bufferedBytes]).toEqual(["detecting", undefined, 0])
      // The first other byte is a key's, and is answered with a key.
      reader.receive(Uint8Array.of(0xff ^ (prefix[length] as number)))
      expect(drain(reader)).toEqual([])
      expect(output(reader).length).toBeGreaterThanOrEqual(64)
      expect(reader.bufferedBytes).toBe(length + 1)
    }
  })

  it("may have a key that begins as a v1 connection does, up to fifteen bytes", () => {
    const prefix = framed(version).subarray(0, 15)
    const reader = inbound({ deferExchange: true })
    const key = concat([prefix, new Uint8Array(49).fill(3)])
    expect(events(key, [5], reader)).toEqual([])
    expect([reader.transport, reader.needsExchange, reader.takeOutput()]).toEqual(["detecting", true, undefined])
    reader.exchange()
    expect(reader.needsExchange).toBe(false)
    expect(output(reader).length).toBeGreaterThanOrEqual(64 + 36)
  })

  it("is a v1 peer of another network", () => {
    const stream = frame("version", encodePayload(version), { magic: regtest.magic })
    expect(events(stream, [4], inbound())).toEqual([
      { _tag: "Fault", fault: { _tag: "WrongMagic", magic: regtest.magic } }
    ])
  })

  it("hears what was to be sent before it was known how", () => {
    const one = inbound()
    one.send(VERACK)
    events(framed(version), [9], one)
    expect(output(one)).toEqual(framed(VERACK))
    const [dialler, two] = [v2(true, 7), inbound()]
    two.send(VERACK)
    expect(tags(converse(dialler, two).a)).toEqual(["verack"])
  })

  it("in v1 finds a v2 dialler foreign, and a v2 dialler takes its silence for v1", () => {
    const [dialler, old] = [v2(true, 7), framing()]
    old.receive(output(dialler))
    expect(drain(old)).toMatchObject([{ _tag: "Fault", fault: { _tag: "WrongMagic" } }])
    expect(dialler.attempt).toBe("unanswered")
  })
})
