import { toHex } from "@satwire/bytes"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type NodeAddress,
  hasRightLength,
  ipv4InIpv6,
  ipv4Of,
  isSameHost,
  isSameNode,
  nodeKey,
  parseNode
} from "../src/index.ts"
import { arbitraryHost } from "./Addresses.ts"

const node = (text: string): NodeAddress => {
  const parsed = parseNode(text)
  if (parsed === undefined) throw new Error(`no node: ${text}`)
  return parsed
}

describe("the key of a node", () => {
  it.each([
    ["250.1.1.1:8333", "00000000000000000000fffffa010101208d"],
    ["[2001:4860::1]:1", "200148600000000000000000000000010001"],
    ["[fc00:1:2:3:4:5:6:7]:256", "fc0000010002000300040005000600070100"],
    [
      "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333",
      "79bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f208d"
    ]
  ])("%s is %s", (text, key) => {
    expect(toHex(nodeKey(node(text)))).toBe(key)
  })

  it("is another for another node of its network", () => {
    const port = fc.integer({ min: 0, max: 65_535 })
    fc.assert(
      fc.property(arbitraryHost, arbitraryHost, port, port, (a, b, one, other) => {
        fc.pre(a.network === b.network)
        const [x, y] = [
          { ...a, port: one },
          { ...b, port: other }
        ]
        expect(toHex(nodeKey(x)) === toHex(nodeKey(y))).toBe(isSameNode(x, y))
        expect(isSameNode(x, { ...a, port: one })).toBe(true)
        expect(isSameHost(x, a)).toBe(true)
      })
    )
  })
})

describe("an address", () => {
  it("is as long as its network says", () => {
    fc.assert(fc.property(arbitraryHost, (host) => hasRightLength(host)))
    expect(hasRightLength({ network: "ipv4", address: new Uint8Array(16) })).toBe(false)
    expect(hasRightLength({ network: "internal", address: new Uint8Array(10) })).toBe(true)
    expect(hasRightLength({ network: "__proto__" as "ipv4", address: new Uint8Array(4) })).toBe(false)
  })

  it("of IPv4 is put into 16 bytes and taken out again", () => {
    const ip = ipv4InIpv6(Uint8Array.of(1, 2, 3, 4))
    expect(toHex(ip)).toBe("00000000000000000000ffff01020304")
    expect(ipv4Of(ip)).toEqual(Uint8Array.of(1, 2, 3, 4))
    expect(ipv4Of(new Uint8Array(16))).toBeUndefined()
    expect(() => ipv4InIpv6(new Uint8Array(3))).toThrow(RangeError)
  })
})
