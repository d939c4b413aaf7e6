import type { Endpoint } from "@satwire/transport"
import * as NetAddress from "effect/net/NetAddress"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Targets, parseTarget } from "../src/bridge/Targets.ts"

const targetsOf = (...texts: ReadonlyArray<string>): Targets =>
  new Targets(
    texts.map((text) => {
      const target = parseTarget(text)
      if (target === undefined) throw new Error(`${text} is no target`)
      return target
    })
  )
const at = (host: string, port = 8333): Endpoint => ({ host, port })
const ip = NetAddress.ipFromStringUnsafe

describe("the list of targets", () => {
  it("allows nothing that is not on it, and nothing at all where it is empty", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        expect(new Targets([]).refusal({ host, port })).toBeDefined()
      })
    )
    const one = targetsOf("8.8.8.8:8333")
    expect(one.refusal(at("8.8.8.8"))).toBe(undefined)
    for (const other of [at("8.8.8.8", 8334), at("8.8.4.4"), at("node.example"), at("2001:4860::8888")]) {
      expect(one.refusal(other)).toBe("it is not on the list")
    }
  })

  it("takes a network on Bitcoin's own ports, or on the one that is named", () => {
    const networks = targetsOf("8.8.0.0/16", "9.9.0.0/16:9000", "[2a00::]/16:8333", "2a01::/16")
    for (const port of [8333, 18333, 38333, 48333, 18444]) expect(networks.refusal(at("8.8.1.2", port))).toBe(undefined)
    expect(networks.refusal(at("8.8.1.2", 22))).toBeDefined()
    expect(networks.refusal(at("8.9.1.2"))).toBeDefined()
    expect(networks.refusal(at("9.9.1.2", 9000))).toBe(undefined)
    expect(networks.refusal(at("9.9.1.2"))).toBeDefined()
    expect(networks.refusal(at("2a00:1::1"))).toBe(undefined)
    expect(networks.refusal(at("2a01:1::1", 18_444))).toBe(undefined)
  })

  it("does not open what is private, loopback or otherwise special by a network that is larger than that", () => {
    const everything = targetsOf("0.0.0.0/0", "::/0", "node.example:8333")
    const special = [
      ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"],
      ...["198.18.0.1", "203.0.113.5", "224.0.0.1", "255.255.255.255"],
      ...["::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"],
      // IPv4 in disguise: mapped, compatible, NAT64, 6to4.
      ...["::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::1"]
    ]
    for (const host of special) {
      expect([host, everything.refusal(at(host))]).toEqual([host, expect.stringMatching(/^it is special \(/)])
      expect(everything.refusalOfResolved(ip(host), 8333)).toMatch(/^it resolves to .* special/)
    }
    for (const host of ["8.8.8.8", "172.15.0.1", "2a00:1450::1"]) {
      expect(everything.refusal(at(host))).toBe(undefined)
      expect(everything.refusalOfResolved(ip(host), 8333)).toBe(undefined)
    }
  })

  it("opens what is special where it is listed itself", () => {
    const listed = targetsOf("127.0.0.1:18444", "10.0.0.0/8", "[::1]:8333")
    expect(listed.refusal(at("127.0.0.1", 18_444))).toBe(undefined)
    expect(listed.refusal(at("::ffff:127.0.0.1", 18_444))).toBe(undefined)
    expect(listed.refusal(at("127.0.0.2", 18_444))).toBeDefined()
    expect(listed.refusal(at("10.255.0.1"))).toBe(undefined)
    expect(listed.refusal(at("::1"))).toBe(undefined)
  })

  it("resolves names that are listed and no others, and judges what comes of it by the address", () => {
    const named = targetsOf("Node.Example:8333", "localhost:18444", "127.0.0.0/8:18444")
    for (const name of ["node.example", "node.example."]) {
      expect(named.refusal(at(name))).toBe(undefined)
    }
    expect(named.refusal(at("node.example", 8334))).toBeDefined()
    expect(named.refusal(at("evil.example"))).toBe("it is not on the list")
    expect(named.refusalOfResolved(ip("192.168.0.1"), 8333)).toBe(
      "it resolves to 192.168.0.1:8333, which is special (private) and not on the list itself"
    )
    expect(named.refusalOfResolved(ip("127.0.0.1"), 18_444)).toBe(undefined)
    expect(named.refusalOfResolved(ip("::ffff:127.0.0.1"), 8333)).toBeDefined()
  })

  it("understands nothing but hosts, addresses and networks", () => {
    for (const text of [
      ...["", ":8333", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4/33", "1.2.3.4/8:0", "1.2.3.4/x", "/8", "::1/129", "a/8"],
      ...["http://node.example", "node.example/", "*", "[::1", "fe80::1%eth0", "1.2.3/8", "1.2.3.4:8333/8"]
    ]) {
      expect([text, parseTarget(text)]).toEqual([text, undefined])
    }
  })
})
