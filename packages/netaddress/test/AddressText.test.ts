import { fromHex } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { describeWithData } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { NETWORKS, formatHost, formatNode, internalAddr, parseHost, parseNode } from "../src/index.ts"
import { arbitraryHost } from "./Addresses.ts"

describe("the text of an address", () => {
  it("is read back to the same address", () => {
    fc.assert(
      fc.property(arbitraryHost, fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        expect(parseHost(formatHost(host))).toEqual(host)
        expect(parseNode(formatNode({ ...host, port }))).toEqual({ ...host, port })
      })
    )
  })

  it.each([
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:DB8::ABCD", "2001:db8::abcd"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["1::2:3:4:5:6:7", "1:0:2:3:4:5:6:7"]
  ])("%s is written %s (RFC 5952)", (read, written) => {
    const host = parseHost(read)
    expect(host === undefined ? "" : formatHost(host)).toBe(written)
  })

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "0x1.2.3.4",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "1::2::3",
    "12345::",
    "g::",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "fe80::1%eth0",
    "seed.example",
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd",
    "qg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
    "kpgvmscirrdqpekbqjsvw5teanhatztpp2gl6eee4zkowvwfxwenqaid.onion".replace("aid", "aie"),
    "expyuzz4wqqyqhjn.onion",
    "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdr.b32.i2p",
    "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkd.b32.i2p",
    "example.i2p"
  ])('"%s" is no address', (text) => {
    expect(parseHost(text)).toBeUndefined()
  })

  it("is read in any case, and never makes anything throw", () => {
    const onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
    expect(parseHost(onion.toUpperCase())).toEqual(parseHost(onion))
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9a-f:.[\]%]{0,40}$/),
      fc.stringMatching(/^[a-z2-7]{0,60}\.(onion|b32\.i2p)$/)
    )
    fc.assert(
      fc.property(texts, (text) => {
        const host = parseHost(text)
        if (host !== undefined) expect(parseHost(formatHost(host))).toEqual(host)
        parseNode(text, 8333)
      }),
      { numRuns: 2000 }
    )
  })

  it("may leave out the port, and stands in brackets where it has colons of its own", () => {
    expect(parseNode("1.2.3.4", 8333)).toMatchObject({ network: "ipv4", port: 8333 })
    expect(parseNode("1.2.3.4:1", 8333)).toMatchObject({ port: 1 })
    expect(parseNode("1.2.3.4")).toBeUndefined()
    expect(parseNode("2001:db8::1", 8333)).toMatchObject({ network: "ipv6", port: 8333 })
    expect(parseNode("[2001:db8::1]", 8333)).toMatchObject({ port: 8333 })
    expect(parseNode("[2001:db8::1]:18444", 8333)).toMatchObject({ port: 18_444 })
    expect(parseNode("[1.2.3.4]:8333")).toBeUndefined()
    expect(parseNode("1.2.3.4:65536")).toBeUndefined()
    expect(parseNode("1.2.3.4:")).toBeUndefined()
    expect(parseNode("ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p", 8333)).toMatchObject({ port: 0 })
  })

  it("of a name is Core's .internal", () => {
    const seen = fromHex("ca978112ca1bbdcafac2") ?? new Uint8Array()
    expect(formatHost({ network: "internal", address: seen })).toBe("zklycewkdo64v6wc.internal")
    // Of the name "a", whose SHA-256 begins so.
    expect(internalAddr("a", portableSha256)).toEqual({ network: "internal", address: seen })
  })
})

interface Vectors {
  readonly vectors: ReadonlyArray<{
    readonly hex: string
    readonly valid?: boolean
    readonly network?: string
    readonly address?: string
  }>
}

describeWithData(describe, "addresses of others", (data) => {
  it("are written as Core writes them", () => {
    const { vectors } = data.json("vectors/bip155/addrv2_netaddr.json") as Vectors
    let seen = 0
    for (const { address = "", hex, network, valid } of vectors) {
      const row = NETWORKS.find((one) => one.network === network)
      const raw = fromHex(hex)
      if (valid !== true || row === undefined || raw === undefined) continue
      expect([raw[0], raw[1]]).toEqual([row.id, row.length])
      expect(formatHost({ network: row.network, address: raw.subarray(2) })).toBe(address)
      expect(parseHost(address)).toEqual({ network: row.network, address: raw.slice(2) })
      seen++
    }
    expect(seen).toBe(5)
  })

  it("all fixed seeds of Core are read and written back", () => {
    const kinds = new Set<string>()
    for (const chain of ["main", "test", "testnet4", "signet"]) {
      const lines = data
        .text(`chainparams/nodes_${chain}.txt`)
        .split("\n")
        .map((line) => line.replace(/#.*/, "").trim())
      for (const line of lines.filter((one) => one !== "")) {
        const node = parseNode(line)
        expect([line, node === undefined ? "" : formatNode(node)]).toEqual([line, line])
        if (node !== undefined) kinds.add(node.network)
      }
    }
    expect([...kinds].toSorted()).toEqual(["cjdns", "i2p", "ipv4", "ipv6", "torv3"])
  })
})
