import { ChaChaRandom } from "@satwire/crypto"
import { encodeEnvelope } from "@satwire/envelope"
import { UnixSeconds } from "@satwire/machine"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  COMPRESS_FROM_BYTES,
  Capability,
  FrameKind,
  KEPT_TYPES,
  MAX_KEPT_BYTES,
  Packer,
  Unpacker,
  decodeDelta,
  encodeDelta
} from "../src/index.ts"
import { platformDeflate } from "../src/node.ts"

const MAX = 1024 * 1024
const ALL = Capability.delta | Capability.deflate
const random = ChaChaRandom.fromNumber(5)

const envelope = (body: Uint8Array, type = "state/1") =>
  Result.getOrThrow(
    encodeEnvelope({
      type,
      origin: "alice",
      nonce: 1,
      expires: UnixSeconds(1),
      target: undefined,
      body,
      hops: 0,
      signature: undefined
    })
  )
const pair = (capabilities: number) =>
  [new Packer(platformDeflate, capabilities), new Unpacker(platformDeflate, ALL, MAX)] as const

describe("a delta", () => {
  it("makes the message again, whatever it was before", () => {
    const piece = fc.uint8Array({ minLength: 20, maxLength: 60 })
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.array(fc.nat(7), { maxLength: 12 }),
        piece,
        (pieces, order, fresh) => {
          const before = Uint8Array.from(pieces.flatMap((one) => [...one]))
          const after = Uint8Array.from(order.flatMap((n) => [...(pieces[n] ?? fresh)]))
          const delta = encodeDelta(before, after)
          if (delta !== undefined) expect(decodeDelta(before, delta, MAX)).toEqual(after)
        }
      ),
      { numRuns: 300 }
    )
  })
  it("is small where little changed, also where what follows has moved", () => {
    const before = random.bytes(100_000)
    const after = Uint8Array.from([...before.subarray(0, 40_001), 1, 2, 3, ...before.subarray(40_001)])
    const delta = encodeDelta(before, after)
    expect(delta?.length).toBeLessThan(80)
    expect(delta && decodeDelta(before, delta, MAX)).toEqual(after)
  })
  it("is none where all is new", () => {
    expect(encodeDelta(random.bytes(5000), random.bytes(5000))).toBeUndefined()
  })
  it("of any bytes never throws, and makes no more than it may", () => {
    const before = random.bytes(64)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (delta) => {
        expect(decodeDelta(before, delta, 1000)?.length ?? 0).toBeLessThanOrEqual(1000)
      }),
      { numRuns: 2000 }
    )
    expect(decodeDelta(before, Uint8Array.of(0xe9, 0x07), 1000)).toBeUndefined()
  })
})

describe("an envelope on its way", () => {
  it.each([0, Capability.deflate, Capability.delta, ALL])(
    "is the same at the other end, of what it reads being %i",
    (capabilities) => {
      const [packer, unpacker] = pair(capabilities)
      let body = random.bytes(3000)
      for (let i = 0; i < 40; i++) {
        body = Uint8Array.from(body)
        body[random.below(body.length)] = i
        if (i % 9 === 0) body = new Uint8Array(random.below(5000))
        const sent = envelope(body, `type/${i % 10 === 0 ? i : 1}`)
        const { kind, payload } = packer.pack(sent)
        expect(unpacker.unpack(kind, payload.slice())).toEqual(sent)
      }
    }
  )
  it("is as it is where it is short, deflated where it is long, and what changed where one came before", () => {
    const [packer] = pair(ALL)
    const text = new Uint8Array(4000).fill(65)
    expect(packer.pack(envelope(new Uint8Array(COMPRESS_FROM_BYTES - 50))).kind).toBe(FrameKind.envelope)
    const first = packer.pack(envelope(text))
    expect([first.kind, first.payload.length < 200]).toEqual([FrameKind.deflated, true])
    text[2000] = 66
    expect(packer.pack(envelope(text)).kind).toBe(FrameKind.delta)
    expect(packer.pack(envelope(random.bytes(4000), "other/1")).kind).toBe(FrameKind.envelope)
  })
  it("is kept for so many types, and up to so many bytes", () => {
    const [packer] = pair(Capability.delta)
    const body = random.bytes(2000)
    for (let i = 0; i <= KEPT_TYPES; i++) packer.pack(envelope(body, `t/${i}`))
    expect(packer.pack(envelope(body, "t/0")).kind).toBe(FrameKind.envelope)
    expect(packer.pack(envelope(body, "t/0")).kind).toBe(FrameKind.delta)
    const large = random.bytes(MAX_KEPT_BYTES + 1)
    packer.pack(envelope(large, "large"))
    expect(packer.pack(envelope(large, "large")).kind).toBe(FrameKind.envelope)
  })
  it("inflates to no more than it may", () => {
    const bomb = platformDeflate.deflate(new Uint8Array(MAX + 1))
    expect(bomb.length).toBeLessThan(5000)
    expect(new Unpacker(platformDeflate, ALL, MAX).unpack(FrameKind.deflated, bomb)).toBeUndefined()
    expect(new Unpacker(platformDeflate, ALL, MAX + 1).unpack(FrameKind.deflated, bomb)).toHaveLength(MAX + 1)
  })
  it("of any bytes never throws", () => {
    const [, unpacker] = pair(ALL)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.uint8Array({ maxLength: 80 }), (kind, payload) => {
        unpacker.unpack(kind, payload)
      }),
      { numRuns: 500 }
    )
  })
})
