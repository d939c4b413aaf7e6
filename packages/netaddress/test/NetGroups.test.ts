import { toHex } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { describeWithData } from "@satwire/testkit"
import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { AsMap, NetGroups, internalAddr, isRoutable, linkedIpv4 } from "../src/index.ts"
import { arbitraryHost, host } from "./Addresses.ts"

const groups = new NetGroups()
const hexOf = (text: string): string => toHex(groups.group(host(text)))

describe("the group of an address", () => {
  it.each([
    ["127.0.0.1", "00"],
    ["::1", "00"],
    ["10.0.0.1", "00"],
    ["169.254.1.1", "00"],
    ["2001:db8::1", "00"],
    ["1.2.3.4", "010102"],
    ["::ffff:0:102:304", "010102"],
    ["64:ff9b::102:304", "010102"],
    ["2002:102:304:9999:9999:9999:9999:9999", "010102"],
    ["2001:0:9999:9999:9999:9999:fefd:fcfb", "010102"],
    ["2001:470:abcd:9999:9999:9999:9999:9999", "0220010470af"],
    ["2001:2001:9999:9999:9999:9999:9999:9999", "0220012001"],
    ["fc12:3456::1", "05fc1f"],
    ["pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "037f"],
    ["ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p", "04af"]
  ])("%s is %s, as Core's tests say", (text, group) => {
    expect(hexOf(text)).toBe(group)
  })

  it("of a name is its own", () => {
    expect(toHex(groups.group(internalAddr("baz.net", portableSha256)))).toBe("0612929400eb4607c4ac07")
  })

  it("is one for everything with the same first bits, and another for everything else", () => {
    const fixed = { ipv4: 16, ipv6: 32, torv3: 4, i2p: 4, cjdns: 12 } as const
    fc.assert(
      fc.property(arbitraryHost, fc.nat(), (address, at) => {
        fc.pre(isRoutable(address) && (address.network === "ipv4" || linkedIpv4(address) === undefined))
        const bit = at % (address.address.length * 8)
        const other = { network: address.network, address: address.address.slice() }
        other.address[bit >> 3] = (other.address[bit >> 3] as number) ^ (0x80 >> (bit & 7))
        // The bit must not have moved the address out of its class, nor into a tunnel or to Hurricane Electric.
        fc.pre(isRoutable(other) && (other.network === "ipv4" || linkedIpv4(other) === undefined))
        const [mine, theirs] = [address, other].map((one) => toHex(groups.group(one)))
        fc.pre(mine?.length === theirs?.length)
        const bits = mine?.length === 12 ? 36 : fixed[address.network]
        expect(mine === theirs).toBe(bit >= bits)
      }),
      { numRuns: 500 }
    )
  })
})

describeWithData(describe, "the group of an address with an AS map", (data) => {
  const map = AsMap.load(data.bytes("vectors/core/asmap.raw"), portableSha256)
  if (Result.isFailure(map)) throw new Error(map.failure.what)
  const mapped = new NetGroups(map.success)
  const group = (text: string): string => toHex(mapped.group(host(text)))

  it("is the AS, of IPv4 and of what stands for it", () => {
    expect(group("250.1.2.3")).toBe("02e8030000")
    expect(group("250.255.0.1")).toBe("02e8030000")
    expect(group("101.8.0.1")).toBe("0208000000")
    expect(group("2002:6508:1::1")).toBe("0208000000")
    expect(mapped.mappedAs(host("101.8.0.1"))).toBe(8)
  })

  it("is the network's where the map has no AS, or knows no such network", () => {
    expect(group("8.8.8.8")).toBe("010808")
    expect(group("2001:2001::1")).toBe("0220012001")
    expect(group("fc12:3456::1")).toBe("05fc1f")
    expect(group("127.0.0.1")).toBe("00")
    expect(mapped.mappedAs(host("fc12:3456::1"))).toBe(0)
  })

  it("depends on the map, which the version says", () => {
    expect(mapped.usesAsMap).toBe(true)
    expect(groups.usesAsMap).toBe(false)
    expect(groups.version).toEqual(new Uint8Array(32))
    expect(mapped.version).toEqual(map.success.version)
  })
})
