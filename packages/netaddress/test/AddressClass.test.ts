import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type NetAddr,
  isHeNet,
  isLocal,
  isRoutable,
  isTeredo,
  isTunnelled,
  isValid,
  linkedIpv4,
  netClass,
  networkOf
} from "../src/index.ts"
import { type Cidr, addressOf, arbitraryHost, cidr, edges, host, numberOf } from "./Addresses.ts"

/** What the public network does not lead to, as the RFCs write it. */
const UNROUTABLE = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "169.254.0.0/16",
  "100.64.0.0/10",
  "192.0.2.0/24",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "127.0.0.0/8",
  "0.0.0.0/8",
  "255.255.255.255/32",
  "fe80::/64",
  "fc00::/7",
  "2001:10::/28",
  "2001:20::/28",
  "2001:db8::/32",
  "::1/128",
  "::/128"
].map(cidr)

const isInside = (address: NetAddr, range: Cidr): boolean =>
  range.network === address.network &&
  numberOf(address) >> BigInt(range.width - range.bits) === range.first >> BigInt(range.width - range.bits)

const nearRanges = UNROUTABLE.flatMap(edges)

describe("an address", () => {
  it("is routable exactly outside of the ranges that lead nowhere, to their very edges", () => {
    for (const address of nearRanges) {
      expect([address, isRoutable(address)]).toEqual([address, !UNROUTABLE.some((range) => isInside(address, range))])
    }
    fc.assert(
      fc.property(arbitraryHost, (address) => {
        expect(isRoutable(address)).toBe(!UNROUTABLE.some((range) => isInside(address, range)))
      })
    )
  })

  it("that is routable is valid, and one that is local is not routable", () => {
    fc.assert(
      fc.property(fc.oneof(arbitraryHost, fc.constantFrom(...nearRanges)), (address) => {
        if (isRoutable(address)) expect(isValid(address)).toBe(true)
        if (isLocal(address)) expect(isRoutable(address)).toBe(false)
      })
    )
  })

  it.each(["127.0.0.1", "127.255.255.255", "0.1.2.3", "::1"])("%s is this host's own", (text) => {
    expect(isLocal(host(text))).toBe(true)
  })

  it.each(["128.0.0.0", "1.0.0.0", "::2", "::1:1"])("%s is not", (text) => {
    expect(isLocal(host(text))).toBe(false)
  })

  it.each([
    ["0.0.0.0", false],
    ["255.255.255.255", false],
    ["0.0.0.1", true],
    ["10.0.0.1", true],
    ["::", false],
    ["2001:db8::1", false],
    ["fe80::1", true]
  ])("%s names a host: %s", (text, valid) => {
    expect(isValid(host(text))).toBe(valid)
  })

  it("of CJDNS lies in fc00::/8 or is none", () => {
    const address = new Uint8Array(16).fill(1)
    expect(isValid({ network: "cjdns", address })).toBe(false)
    expect(isRoutable({ network: "cjdns", address })).toBe(false)
    expect(isRoutable(host("fc00:1:2:3:4:5:6:7"))).toBe(true)
  })

  it("of TorV3 and I2P is always routable, an internal one never", () => {
    const address = new Uint8Array(32)
    expect(isRoutable({ network: "torv3", address })).toBe(true)
    expect(isRoutable({ network: "i2p", address })).toBe(true)
    const internal = { network: "internal", address: new Uint8Array(10).fill(7) } as const
    expect([isValid(internal), isRoutable(internal), networkOf(internal)]).toEqual([false, false, "internal"])
  })

  it("is Teredo's in 2001::/32 alone, and tunnelled where IPv4 stands in it otherwise", () => {
    const [first, last, before, after] = edges(cidr("2001::/32")) as [NetAddr, NetAddr, NetAddr, NetAddr]
    expect([first, last, before, after].map(isTeredo)).toEqual([true, true, false, false])
    expect(isTunnelled(first)).toBe(false)
    const tunnels = ["2002::/16", "64:ff9b::/96", "::ffff:0:0:0/96"].map(cidr)
    for (const tunnel of tunnels) {
      const [first, last, before, after] = edges(tunnel) as [NetAddr, NetAddr, NetAddr, NetAddr]
      expect([first, last, before, after].map(isTunnelled)).toEqual([true, true, false, false])
    }
    expect([isTeredo(host("1.2.3.4")), isTunnelled(host("1.2.3.4"))]).toEqual([false, false])
  })

  it("is Hurricane Electric's in 2001:470::/32 alone", () => {
    const [first, last, before, after] = edges(cidr("2001:470::/32"))
    expect([first, last, before, after].map((address) => isHeNet(address as NetAddr))).toEqual([
      true,
      true,
      false,
      false
    ])
    expect(isHeNet({ network: "cjdns", address: host("2001:470::1").address })).toBe(false)
  })
})

describe("the IPv4 address behind one of IPv6", () => {
  it.each([
    ["1.2.3.4", "itself"],
    ["::ffff:0:102:304", "RFC 6145"],
    ["64:ff9b::102:304", "RFC 6052"],
    ["2002:102:304:9999:9999:9999:9999:9999", "RFC 3964"],
    ["2001:0:9999:9999:9999:9999:fefd:fcfb", "RFC 4380"]
  ])("is 1.2.3.4 of %s (%s), which counts as IPv4", (text) => {
    const address = host(text)
    expect([...(linkedIpv4(address) ?? [])]).toEqual([1, 2, 3, 4])
    expect(netClass(address)).toBe("ipv4")
    expect(networkOf(address)).toBe(text.includes(":") ? "ipv6" : "ipv4")
  })

  it("is there within the ranges and nowhere else", () => {
    const ranges = ["::ffff:0:0:0/96", "64:ff9b::/96", "2002::/16", "2001::/32"].map(cidr)
    for (const address of ranges.flatMap(edges)) {
      const expected = isRoutable(address) && ranges.some((range) => isInside(address, range))
      expect([address, linkedIpv4(address) !== undefined]).toEqual([address, expected])
    }
  })

  it("is none of an address that is not routable", () => {
    expect(linkedIpv4(host("10.0.0.1"))).toBeUndefined()
    expect(netClass(host("10.0.0.1"))).toBe("unroutable")
    expect(networkOf(addressOf("ipv6", 1n))).toBe("unroutable")
    // A tunnel to a private address is an address of the public network.
    expect([...(linkedIpv4(host("2002:a00:1::1")) ?? [])]).toEqual([10, 0, 0, 1])
  })
})
