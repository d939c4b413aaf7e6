import { Writer, fromHex, toHex } from "@satwire/bytes"
import { UnixSeconds } from "@satwire/machine"
import { ipv4InIpv6 } from "@satwire/netaddress"
import { describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { type AddrV2Entry, addrV2Address, decodePayload, encodePayload } from "../src/index.ts"

/** A message of one entry whose network, length and address are these bytes. */
const payload = (address: Uint8Array, services: Uint8Array = Uint8Array.of(9)): Uint8Array => {
  const w = new Writer(new Uint8Array(1 + 4 + services.length + address.length + 2))
  w.u8(1)
  w.u32(1234)
  w.raw(services)
  w.raw(address)
  w.u16be(8333)
  return w.bytes
}

/** The entry, nothing where it is left out, the error where there is one. */
const decoded = (address: Uint8Array, services?: Uint8Array): AddrV2Entry | undefined | string => {
  const result = decodePayload("addrv2", payload(address, services), { strict: true })
  return Result.isSuccess(result) ? result.success.value.addresses[0] : result.failure.kind
}

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(" ", "")) ?? new Uint8Array(0)

describe("addrv2", () => {
  it.each([
    ["a network that nobody knows", "2a 03 010203"],
    ["a network that nobody knows and an empty address", "2a 00"],
    ["an address of 512 bytes on a network that nobody knows", `2a fd0002 ${"77".repeat(512)}`],
    ["TorV2", "03 0a f1f2f3f4f5f6f7f8f9fa"],
    ["IPv4 in the clothes of IPv6", "02 10 00000000000000000000ffff01020304"],
    ["TorV2 in the clothes of IPv6", "02 10 fd87d87eeb430102030405060708090a"],
    ["CJDNS outside fc00::/8", "06 10 aa000001000200030004000500060007"]
  ])("leaves out %s", (_, address) => {
    expect(decoded(hex(address))).toBeUndefined()
  })

  it.each([
    ["IPv4 of 5 bytes", "01 05 0102030405"],
    ["IPv6 of 4 bytes", "02 04 01020304"],
    ["TorV3 of 10 bytes", "04 0a 01020304050607080910"],
    ["I2P of 3 bytes", "05 03 010203"],
    ["CJDNS of 1 byte", "06 01 fc"],
    ["an address of 513 bytes", `2a fd0102 ${"77".repeat(513)}`],
    ["an address that claims 32 MB", "2a fe00000002 01"]
  ])("is malformed, which costs nothing, with %s", (_, address) => {
    expect(decoded(hex(address))).toBe("malformed")
  })

  it("takes services of 64 bits, in their shortest form only", () => {
    const ipv4 = hex("01 04 01020304")
    expect(decoded(ipv4, hex("ff ffffffffffffffff"))).toMatchObject({
      services: 2n ** 64n - 1n,
      port: 8333,
      time: 1234
    })
    expect(decoded(ipv4, hex("fe 00000100"))).toMatchObject({ services: 0x10000n })
    expect(decoded(ipv4, hex("ff ffffffff00000000"))).toBe("malformed")
    expect(decoded(ipv4, hex("fe ffff0000"))).toBe("malformed")
    expect(decoded(ipv4, hex("fd fc00"))).toBe("malformed")
  })
})

describe("an entry that BIP-0155 forbids to send", () => {
  it.each<[string, Pick<AddrV2Entry, "network" | "address">]>([
    ["IPv4 in the clothes of IPv6", { network: "ipv6", address: ipv4InIpv6(Uint8Array.of(1, 2, 3, 4)) }],
    ["TorV2 in the clothes of IPv6", { network: "ipv6", address: hex("fd87d87eeb430102030405060708090a") }],
    ["CJDNS outside fc00::/8", { network: "cjdns", address: new Uint8Array(16) }],
    ["an address of another length", { network: "torv3", address: new Uint8Array(10) }]
  ])("is never written: %s", (_, place) => {
    const entry: AddrV2Entry = { time: UnixSeconds(1), services: 0n, port: 8333, ...place }
    expect(() => encodePayload({ _tag: "addrv2", addresses: [entry] })).toThrow(RangeError)
  })

  it("is not made of an old address either: each goes where it belongs", () => {
    const ipv4 = Uint8Array.of(1, 2, 3, 4)
    const ipv6 = new Uint8Array(16).fill(0x20)
    expect(addrV2Address(ipv4InIpv6(ipv4))).toEqual({ network: "ipv4", address: ipv4 })
    expect(addrV2Address(ipv6)).toEqual({ network: "ipv6", address: ipv6 })
    expect(addrV2Address(hex("fd87d87eeb430102030405060708090a"))).toBeUndefined()
  })
})

interface Vector {
  readonly hex: string
  readonly valid?: boolean
  readonly network?: string
  readonly error?: string
}

/** Core's private stand-in for a name, `fd6b:88c0:8724::/48`: to anyone else an address of IPv6 that leads nowhere. */
const networkOf = (vector: Vector): string | undefined => (vector.network === "internal" ? "ipv6" : vector.network)

describeWithData(describe, "the addresses of Core's own tests", (data) => {
  const { vectors } = data.json("vectors/bip155/addrv2_netaddr.json") as { readonly vectors: ReadonlyArray<Vector> }

  it.each(vectors.map((vector) => [vector.hex, vector] as const))("%s", (_, vector) => {
    const result = decoded(hex(vector.hex))
    if (vector.error !== undefined) expect(result).toBe("malformed")
    else if (vector.valid === false) expect(result).toBeUndefined()
    else {
      const entry = result as AddrV2Entry
      expect(entry.network).toBe(networkOf(vector))
      expect(vector.hex.endsWith(toHex(entry.address))).toBe(true)
    }
  })
})
