import { ipv4InIpv6, ipv4Of } from "@satwire/netaddress"
import { fromHex } from "@satwire/bytes"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import {
  type Message,
  NODE_NETWORK,
  NODE_NETWORK_LIMITED,
  NODE_WITNESS,
  NO_ADDRESS,
  type Version,
  decodePayload,
  encodePayload,
  sanitizeUserAgent,
  serviceNames
} from "../src/index.ts"

const version: Version = {
  _tag: "version",
  protocolVersion: 70016,
  services: 9n,
  time: 1_700_000_000n,
  receiver: { services: 0n, ip: ipv4InIpv6(Uint8Array.of(127, 0, 0, 1)), port: 8333 },
  sender: { services: 9n, ip: new Uint8Array(16).fill(1), port: 1 },
  nonce: 77n,
  userAgent: "/x/",
  startHeight: 5,
  relay: false
}

const decoded = (payload: Uint8Array): Version | undefined => {
  const result = decodePayload("version", payload)
  return Result.isSuccess(result) ? result.success.value : undefined
}

describe("an old version that ends early", () => {
  const payload = encodePayload(version)
  const absent = { sender: NO_ADDRESS, nonce: 0n, userAgent: "", startHeight: -1, relay: true }

  it.each([
    ["after the receiver's address", 46, absent],
    ["after the nonce", 80, { ...absent, sender: version.sender, nonce: 77n }],
    ["after the user agent", 84, { ...absent, sender: version.sender, nonce: 77n, userAgent: "/x/" }],
    ["after the start height", 88, { ...version, relay: true }]
  ])("is read as Core reads it when it ends %s", (_, end, expected) => {
    expect(decoded(payload.subarray(0, end))).toEqual({ ...version, ...expected })
  })

  it("is malformed when it ends within a field", () => {
    const ends = Array.from({ length: payload.length }, (_, end) => end)
    const whole = ends.filter((end) => decoded(payload.subarray(0, end)) !== undefined)
    expect(whole).toEqual([46, 80, 84, 88])
  })
})

describe("the fields that strangers choose", () => {
  it("hold any time of 64 signed bits without losing one", () => {
    for (const time of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]) {
      expect(decoded(encodePayload({ ...version, time }))?.time).toBe(time)
    }
  })

  it("hold any nonce and services of 64 bits without losing one", () => {
    for (const number of [2n ** 64n - 1n, 2n ** 53n + 1n]) {
      const back = decoded(encodePayload({ ...version, nonce: number, services: number }))
      expect([back?.nonce, back?.services]).toEqual([number, number])
    }
  })

  it("hold a user agent of any bytes, also such as are no UTF-8", () => {
    const payload = encodePayload({ ...version, userAgent: "abc" })
    payload.set([0xff, 0x00, 0xc3], 81)
    const message = decoded(payload) as Message
    expect((message as Version).userAgent).toBe("\u00ff\0\u00c3")
    expect(encodePayload(message)).toEqual(payload)
  })

  it("take any byte but 0 for a true relay", () => {
    const payload = encodePayload(version)
    payload[payload.length - 1] = 2
    expect(decoded(payload)?.relay).toBe(true)
  })
})

describe("a user agent of our own", () => {
  it("throws where a character is no byte, because that is our bug", () => {
    expect(() => encodePayload({ ...version, userAgent: "/₿/" })).toThrow(RangeError)
  })

  it("is shown as Core shows it: letters, digits and harmless punctuation", () => {
    expect(sanitizeUserAgent("/Satoshi:28.1.0(a_b; c@d?-,)/")).toBe("/Satoshi:28.1.0(a_b; c@d?-,)/")
    expect(sanitizeUserAgent('\u001b[31m<b>"it\'s"\0\u00e9</b>%n')).toBe("31mbits/bn")
  })
})

describe("service bits", () => {
  it("have the names that getpeerinfo gives them, lowest first", () => {
    expect(serviceNames(NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED)).toEqual([
      "NETWORK",
      "WITNESS",
      "NETWORK_LIMITED"
    ])
    expect(serviceNames(0xc4fn)).toEqual([
      "NETWORK",
      "UNKNOWN[2^1]",
      "BLOOM",
      "WITNESS",
      "COMPACT_FILTERS",
      "NETWORK_LIMITED",
      "P2P_V2"
    ])
    expect(serviceNames(2n ** 63n)).toEqual(["UNKNOWN[2^63]"])
    expect(serviceNames(0n)).toEqual([])
  })
})

describe("an IPv4 address in IPv6", () => {
  it("goes in and comes out", () => {
    const ip = ipv4InIpv6(Uint8Array.of(1, 2, 3, 4))
    expect(ip).toEqual(fromHex("00000000000000000000ffff01020304"))
    expect(ipv4Of(ip)).toEqual(Uint8Array.of(1, 2, 3, 4))
    expect(ipv4Of(new Uint8Array(16))).toBeUndefined()
  })
})
