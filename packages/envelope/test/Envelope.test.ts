import { toHex } from "@satwire/bytes"
import { ChaChaRandom, makeSchnorrKey, portableSha256, portableSignatures } from "@satwire/crypto"
import { UnixSeconds } from "@satwire/machine"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { Unpackr } from "msgpackr/unpack"
import { describe, expect, it } from "vitest"
import {
  type Envelope,
  decodeEnvelope,
  encodeEnvelope,
  encodeSigned,
  envelopeId,
  isSignedBy,
  withHops
} from "../src/index.ts"

const random = ChaChaRandom.fromNumber(10)
const key = makeSchnorrKey(random)
const ok = Result.getOrThrow
const kindOf = (bytes: Uint8Array, max?: number) =>
  Result.merge(
    Result.map(
      Result.mapError(decodeEnvelope(bytes, max), (error) => error.kind),
      () => "fine"
    )
  )

const hello: Envelope = {
  type: "chat/1",
  origin: "alice",
  nonce: 7,
  expires: UnixSeconds(1_767_229_200),
  target: undefined,
  body: Uint8Array.of(0xa2, 0x68, 0x69),
  hops: 0,
  signature: undefined
}
const bytes = ok(encodeEnvelope(hello))
const signed = ok(encodeSigned(hello, key, portableSha256, new Uint8Array(32)))

const name = (max: number) =>
  fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: max })
    .map((codes) => String.fromCharCode(...codes))
const envelopes: fc.Arbitrary<Envelope> = fc.record({
  type: name(64),
  origin: name(128),
  nonce: fc.maxSafeNat(),
  expires: fc.integer({ min: 0, max: 0xffff_ffff }).map(UnixSeconds),
  target: fc.option(name(128), { nil: undefined }),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(255, 256, 65_535, 65_536).map((n) => new Uint8Array(n))
  ),
  hops: fc.integer({ min: 0, max: 127 }),
  signature: fc.constant(undefined)
})

describe("an envelope", () => {
  it("is these bytes", () => {
    expect(toHex(bytes)).toBe("990100ce6955c710cf0000000000000007a6636861742f31a5616c696365c0c403a26869c0")
    expect(toHex(envelopeId(portableSha256, bytes, false))).toBe(toHex(idByHand(bytes)))
  })
  it("goes there and back, and any reader of MessagePack reads it alike", () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const encoded = ok(encodeEnvelope(envelope))
        expect(ok(decodeEnvelope(encoded))).toEqual(envelope)
        const { hops, expires, type, origin, target, body } = envelope
        const read = new Unpackr({ useRecords: false, int64AsType: "number" }).unpack(encoded) as Array<unknown>
        expect([...read.slice(0, 8)]).toEqual([1, hops, expires, envelope.nonce, type, origin, target ?? null, body])
      }),
      { numRuns: 60 }
    )
  })
  it("has one encoding: a damaged one is refused, or is another envelope", () => {
    fc.assert(
      fc.property(fc.constantFrom(bytes, signed), fc.nat(), fc.integer({ min: 1, max: 255 }), (whole, at, by) => {
        const damaged = whole.slice()
        damaged[at % whole.length] = (damaged[at % whole.length] as number) ^ by
        const read = decodeEnvelope(damaged)
        if (Result.isSuccess(read)) expect(ok(encodeEnvelope(read.success))).toEqual(damaged)
      }),
      { numRuns: 500 }
    )
  })
  it("never throws on anything, cut or made up", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rubbish) => {
        expect(kindOf(rubbish)).not.toBe("fine")
        const likely = bytes.slice()
        likely.set(rubbish.subarray(0, bytes.length - 17), 17)
        decodeEnvelope(likely)
      }),
      { numRuns: 500 }
    )
    for (let end = 0; end < signed.length; end++) expect(kindOf(signed.subarray(0, end))).toBe("malformed")
  })
  it("is refused where a length takes more bytes than it needs", () => {
    const long = Uint8Array.from([...bytes.subarray(0, 17), 0xd9, 6, ...bytes.subarray(18)])
    expect(kindOf(long)).toBe("malformed")
    const body = bytes.indexOf(0xc4)
    expect(kindOf(Uint8Array.from([...bytes.subarray(0, body), 0xc5, 0, ...bytes.subarray(body + 1)]))).toBe(
      "malformed"
    )
  })
  it("tells a version that it does not know, and one that is too large, from rubbish", () => {
    const later = bytes.slice()
    later[1] = 2
    expect(kindOf(later)).toBe("badVersion")
    expect(kindOf(bytes, bytes.length - 1)).toBe("overLimit")
    expect(kindOf(bytes, bytes.length)).toBe("fine")
    const error = Result.getFailure(decodeEnvelope(later))
    expect(Option.getOrThrow(error).toString()).toBe("of an unknown version: version at byte 1")
  })
  it.each([
    ["an empty type", { type: "" }],
    ["a type of 65 bytes", { type: "x".repeat(65) }],
    ["a space in a name", { origin: "al ice" }],
    ["letters beyond ASCII", { target: "zoë" }],
    ["a nonce that is no whole number", { nonce: 0.5 }],
    ["an expiry before 1970", { expires: UnixSeconds(-1) }],
    ["128 hops", { hops: 128 }],
    ["a signature by another than its origin", { signature: { key: key.publicKey, bytes: new Uint8Array(64) } }]
  ])("is not encoded with %s", (_, wrong) => {
    expect(Result.isFailure(encodeEnvelope({ ...hello, ...wrong }))).toBe(true)
  })
})

const idByHand = (whole: Uint8Array): Uint8Array => {
  const id = new Uint8Array(32)
  portableSha256.sha256(whole, 3, whole.length - 1, id, 0)
  return id
}

describe("an id", () => {
  it("stays over hops and changes with everything else but the signature", () => {
    const id = envelopeId(portableSha256, bytes, false)
    expect(envelopeId(portableSha256, withHops(bytes, 3), false)).toEqual(id)
    expect(ok(decodeEnvelope(withHops(bytes, 3)))).toEqual({ ...hello, hops: 3 })
    for (const other of [
      { type: "chat/2" },
      { origin: "bob" },
      { nonce: 8 },
      { target: "carol" },
      { body: new Uint8Array(3) }
    ])
      expect(envelopeId(portableSha256, ok(encodeEnvelope({ ...hello, ...other })), false)).not.toEqual(id)
  })
})

describe("a signature", () => {
  const envelope = ok(decodeEnvelope(signed))
  const id = envelopeId(portableSha256, signed, true)
  it("is its origin's, and survives being passed on", () => {
    expect(envelope.origin).toBe(toHex(key.publicKey))
    expect(isSignedBy(portableSignatures, envelope, id)).toBe(true)
    const passedOn = withHops(signed, 2)
    expect(
      isSignedBy(portableSignatures, ok(decodeEnvelope(passedOn)), envelopeId(portableSha256, passedOn, true))
    ).toBe(true)
    expect(ok(encodeEnvelope({ ...envelope, hops: 2 }))).toEqual(passedOn)
  })
  it("of an altered envelope is not valid, nor is none", () => {
    const altered = ok(encodeEnvelope({ ...envelope, body: Uint8Array.of(0xa2, 0x68, 0x6f) }))
    expect(isSignedBy(portableSignatures, ok(decodeEnvelope(altered)), envelopeId(portableSha256, altered, true))).toBe(
      false
    )
    expect(isSignedBy(portableSignatures, hello, envelopeId(portableSha256, bytes, false))).toBe(false)
  })
  it("stands on an origin that is a key in lower-case hexadecimal, or nothing is decoded", () => {
    const upper = signed.slice()
    for (let at = 17; at < 17 + 7 + 2 + 64; at++)
      if ((upper[at] as number) >= 0x61 && (upper[at] as number) <= 0x66 && at > 25)
        upper[at] = (upper[at] as number) - 32
    expect(kindOf(upper)).toBe("malformed")
  })
})
