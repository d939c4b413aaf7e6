import { UnixSeconds } from "@satwire/machine"
import { NETWORKS, type NodeAddress, formatHost, isRoutable, parseHost } from "@satwire/netaddress"
import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { type KeptSeed, MAX_SEEDS_IN_FILE, parseSeedsFile, seedLine } from "../src/index.ts"
import { START, nth } from "./Known.ts"

const GOOD = JSON.stringify(seedLine("mainnet", nth(1), 1033n, START))

const seeds = (text: string): ReadonlyArray<KeptSeed> => Result.getOrThrow(parseSeedsFile(text, "mainnet"))

/** What is wrong with a file whose second line is this. */
const fault = (line: string): unknown => {
  const parsed = parseSeedsFile(`${GOOD}\n${line}\n`, "mainnet")
  return Result.isFailure(parsed) ? parsed.failure : "nothing"
}

const changed = (change: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ ...JSON.parse(GOOD), ...change })

describe("a seeds file", () => {
  it("has one node a line, in words that people read", () => {
    expect(GOOD).toBe(
      `{"chain":"mainnet","network":"ipv4","address":"20.0.1.1","port":8333,"services":"0000000000000409","seen":${START}}`
    )
    expect(seeds(`${GOOD}\n\n${GOOD}\r\n`)).toEqual([
      { ...nth(1), services: 1033n, seen: START },
      { ...nth(1), services: 1033n, seen: START }
    ])
    expect(seeds("")).toEqual([])
  })

  it("gives back whatever was written into it, with what it does not know left out", () => {
    const anyNode = fc
      .constantFrom(...NETWORKS)
      .chain(({ length, network }) =>
        fc.record({
          network: fc.constant(network),
          address: fc.uint8Array({ minLength: length, maxLength: length }),
          port: fc.integer({ min: 1, max: 65_535 })
        })
      )
      .map((node): NodeAddress => (node.network === "i2p" ? { ...node, port: 0 } : node))
      // What is written as an address of another network is none of its own: IPv4 in IPv6, IPv6 in the range of CJDNS.
      .filter((node) => isRoutable(node) && parseHost(formatHost(node))?.network === node.network)
    fc.assert(
      fc.property(anyNode, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(0xffff_ffff), (node, services, time) => {
        const line = { ...seedLine("mainnet", node, services, UnixSeconds(time)), userAgent: "/any/", height: 1 }
        expect(seeds(JSON.stringify(line))).toEqual([{ ...node, services, seen: time }])
      })
    )
  })

  it.each([
    ["no JSON", "{", "is no JSON object"],
    ["a number", "1", "is no JSON object"],
    ["null", "null", "is no JSON object"],
    ["another chain", changed({ chain: "testnet4" }), 'is of "testnet4", not of mainnet'],
    ["no chain", changed({ chain: undefined }), "is of nothing, not of mainnet"],
    ["a name", changed({ address: "seed.example" }), 'has the address "seed.example", which is none'],
    ["no address", changed({ address: 5 }), "has the address 5, which is none"],
    ["another network", changed({ network: "torv3" }), 'has the network "torv3" for an address of ipv4'],
    ["port 0", changed({ port: 0 }), "has the port 0, which is none"],
    ["a port beyond 65535", changed({ port: 65_536 }), "has the port 65536, which is none"],
    ["a port in words", changed({ port: "8333" }), 'has the port "8333", which is none'],
    ["services as a number", changed({ services: 9 }), "has the services 9, which are not up to 16 hexadecimal digits"],
    ["a time with a fraction", changed({ seen: 1.5 }), "was seen at 1.5, which is no time in seconds"],
    ["a long word", changed({ address: "a".repeat(100) }), `has the address "${"a".repeat(59)}…, which is none`],
    ["too long a line", changed({ note: "a".repeat(5000) }), "is longer than 4096 characters"]
  ])("that has %s in its second line is refused with the line and the reason", (_, line, what) => {
    expect(fault(line)).toEqual({ line: 2, what })
  })

  it("has a hundred thousand nodes at most", () => {
    const whole = Array.from({ length: MAX_SEEDS_IN_FILE }, () => GOOD).join("\n")
    expect(seeds(whole)).toHaveLength(MAX_SEEDS_IN_FILE)
    const parsed = parseSeedsFile(`${whole}\n${GOOD}`, "mainnet")
    expect(Result.isFailure(parsed) && parsed.failure.line).toBe(MAX_SEEDS_IN_FILE + 1)
  })

  it("never throws, whatever it holds", () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(fc.json()).map((lines) => lines.join("\n"))
    )
    fc.assert(fc.property(text, (text) => void parseSeedsFile(text, "mainnet")))
  })
})
