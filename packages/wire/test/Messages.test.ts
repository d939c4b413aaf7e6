import { arbitraryMessages } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Command,
  type Message,
  codecOf,
  codecs,
  commands,
  decodePayload,
  encodePayload,
  messageSize
} from "../src/index.ts"

const decoded = (command: Command, payload: Uint8Array): Message => {
  const result = decodePayload(command, payload, { strict: true })
  if (Result.isFailure(result)) throw new Error(String(result.failure))
  return result.success.value
}

/** Decodes what may be anything: a value or a `DecodeError`, never a throw. */
const tryDecode = (command: Command, payload: Uint8Array): boolean => {
  const result = decodePayload(command, payload)
  if (Result.isSuccess(result)) return true
  expect(result.failure._tag).toBe("DecodeError")
  expect(["malformed", "overLimit"]).toContain(result.failure.kind)
  expect(result.failure.at).toBeLessThanOrEqual(payload.length)
  return false
}

describe.each(commands)("%s", (command) => {
  const arbitrary: fc.Arbitrary<Message> = arbitraryMessages[command]
  const codec = codecOf(command)

  it("decodes to what was encoded, with nothing left over", () => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        expect(decoded(command, encodePayload(message))).toEqual(message)
      })
    )
  })

  it("takes as many bytes as its size says, and no more than its row allows", () => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        const payload = encodePayload(message)
        expect(messageSize(message)).toBe(payload.length)
        expect(payload.length).toBeLessThanOrEqual(codec?.maxSize ?? -1)
      })
    )
  })

  it("tolerates left-over bytes where Core does, and refuses them when told to be strict", () => {
    fc.assert(
      fc.property(arbitrary, fc.uint8Array({ minLength: 1, maxLength: 9 }), (message, tail) => {
        const payload = encodePayload(message)
        const longer = new Uint8Array(payload.length + tail.length)
        longer.set(payload)
        longer.set(tail, payload.length)
        const tolerant = decodePayload(command, longer)
        if (codec?.strict === true) expect(Result.isFailure(tolerant) && tolerant.failure.kind).toBe("malformed")
        else expect(tolerant).toEqual(Result.succeed({ value: message, bytesLeft: tail.length }))
        const strict = decodePayload(command, longer, { strict: true })
        expect(Result.isFailure(strict) && strict.failure.kind).toBe("malformed")
      })
    )
  })

  it("ends in a DecodeError or a shorter value when it is cut at any byte", () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), (message, cut) => {
        const payload = encodePayload(message)
        if (payload.length > 0) tryDecode(command, payload.subarray(0, cut % payload.length))
      })
    )
  })

  it("never throws on a payload with a changed byte, and encodes again what it makes of it", () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, flip) => {
        const payload = encodePayload(message)
        if (payload.length === 0) return
        payload[at % payload.length] = (payload[at % payload.length] as number) ^ flip
        const result = decodePayload(command, payload)
        if (Result.isFailure(result)) return
        const again = encodePayload(result.success.value)
        expect(decoded(command, again)).toEqual(result.success.value)
      })
    )
  })

  it("never throws on bytes that nobody meant", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (payload) => {
        tryDecode(command, payload)
      })
    )
  })
})

describe("the table", () => {
  it("has a row under the name of each command, and no name or short id twice", () => {
    expect(codecs.map((codec) => codecOf(codec.command))).toEqual(codecs)
    expect(new Set(commands).size).toBe(commands.length)
    const shortIds = codecs.flatMap((codec) => (codec.shortId === undefined ? [] : [codec.shortId]))
    expect(new Set(shortIds).size).toBe(shortIds.length)
  })

  it("is strict about feature alone", () => {
    expect(codecs.filter(({ strict }) => strict).map(({ command }) => command)).toEqual(["feature"])
  })

  it("gives the one-byte ids of BIP-0324 and BIP-0434", () => {
    const ids = Object.fromEntries(
      codecs.flatMap((codec) => (codec.shortId === undefined ? [] : [[codec.command, codec.shortId]]))
    )
    expect(ids).toEqual({
      addr: 1,
      block: 2,
      blocktxn: 3,
      cmpctblock: 4,
      feefilter: 5,
      filteradd: 6,
      filterclear: 7,
      filterload: 8,
      getblocks: 9,
      getblocktxn: 10,
      getdata: 11,
      getheaders: 12,
      headers: 13,
      inv: 14,
      mempool: 15,
      merkleblock: 16,
      notfound: 17,
      ping: 18,
      pong: 19,
      sendcmpct: 20,
      tx: 21,
      getcfilters: 22,
      cfilter: 23,
      getcfheaders: 24,
      cfheaders: 25,
      getcfcheckpt: 26,
      cfcheckpt: 27,
      addrv2: 28,
      feature: 37
    })
  })

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "", "Ping", "ping\0"])(
    "has no row for a peer's command of %j",
    (command) => {
      expect(codecOf(command)).toBeUndefined()
    }
  )
})
