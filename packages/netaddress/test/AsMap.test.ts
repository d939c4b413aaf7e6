import { portableSha256, sha256d } from "@satwire/crypto"
import { describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AsMap, MAX_ASMAP_BYTES, NetGroups, type NetworkAddr, ipv4InIpv6 } from "../src/index.ts"
import { addressOf, cidr, host } from "./Addresses.ts"
import { type Tree, asOf, programOf } from "./AsMapProgram.ts"

const load = (file: Uint8Array): AsMap => {
  const loaded = AsMap.load(file, portableSha256)
  if (Result.isFailure(loaded)) throw new Error(`${loaded.failure.what} at ${loaded.failure.atBit}`)
  return loaded.success
}

const faultOf = (file: Uint8Array): string | undefined => {
  const loaded = AsMap.load(file, portableSha256)
  return Result.isFailure(loaded) ? loaded.failure.what : undefined
}

const ip16 = ({ address, network }: NetworkAddr): Uint8Array => (network === "ipv4" ? ipv4InIpv6(address) : address)

const ip = fc.uint8Array({ minLength: 16, maxLength: 16 })
// An AS of more than 2^24 does not fit the format.
const system = fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.integer({ min: 1, max: 16_777_216 }))
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 12 },
    { weight: 1, arbitrary: system },
    { weight: 2, arbitrary: fc.tuple(tie("tree"), tie("tree")) }
  )
}))

describe("an AS map", () => {
  it("gives the AS that a tree of prefixes gives", () => {
    fc.assert(
      fc.property(tree, fc.array(ip, { maxLength: 50 }), (prefixes, addresses) => {
        const map = load(programOf(prefixes))
        for (const address of addresses) expect(map.lookup(address)).toBe(asOf(prefixes, address))
      })
    )
  })

  it("that passes answers for every address, and any other content is refused without a throw", () => {
    let passed = 0
    const tried = fc.record({
      file: tree.map(programOf),
      flips: fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 3 }),
      address: ip
    })
    fc.assert(
      fc.property(tried, ({ address, file, flips }) => {
        for (const [at, bit] of flips) file[at % file.length] = (file[at % file.length] as number) ^ (1 << bit)
        const loaded = AsMap.load(file, portableSha256)
        if (Result.isFailure(loaded)) return
        passed++
        expect(loaded.success.lookup(address)).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 2000 }
    )
    expect(passed).toBeGreaterThan(400)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), ip, (file, address) => {
        const loaded = AsMap.load(file, portableSha256)
        if (Result.isSuccess(loaded)) loaded.success.lookup(address)
      }),
      { numRuns: 5000 }
    )
  })

  it("is named by the hash of its file, and keeps nothing of the caller's memory", () => {
    const file = programOf([1, [2, 3]])
    const map = load(file)
    expect(map.version).toEqual(sha256d(portableSha256, file))
    file.fill(0)
    expect(map.lookup(new Uint8Array(16))).toBe(1)
  })

  /** Writes a program by hand: bits from left to right, spaces for the eye. */
  const bits = (text: string): Uint8Array => {
    const digits = text.replaceAll(" ", "")
    const file = new Uint8Array(Math.ceil(digits.length / 8))
    for (const [i, digit] of digits.split("").entries())
      file[i >> 3] = (file[i >> 3] as number) | (Number(digit) << (i & 7))
    return file
  }
  const AS1 = `0 ${"0".repeat(15)}`
  const RETURN = `0 ${AS1}`
  const JUMP_17 = "10 0 00000"
  const DEFAULT = `111 ${AS1}`
  const MATCH_1 = "110 0 0"
  const MATCH_8 = `110 ${"1".repeat(7)} ${"0".repeat(8)}`

  it.each([
    ["nothing", ""],
    ["half an answer", "0 0000000"],
    ["a jump past the end", `${JUMP_17} 0`],
    ["a jump into the middle of an instruction", `10 0 00001 ${RETURN} ${RETURN}`],
    ["an answer that no address reaches", `${JUMP_17} ${RETURN} ${RETURN} ${RETURN}`],
    ["two defaults in a row", `${DEFAULT} ${DEFAULT} ${MATCH_8} ${RETURN}`],
    ["an answer right after a default", `${DEFAULT} ${RETURN}`],
    ["two short matches in a row", `${MATCH_1} ${MATCH_1} ${RETURN}`],
    ["a match of the 129th bit", `${MATCH_8.repeat(16)} ${MATCH_1} ${RETURN}`],
    ["a jump on the 129th bit", `${MATCH_8.repeat(16)} ${JUMP_17} ${RETURN} ${RETURN}`],
    ["padding that is not zero", `${RETURN} 0000001`],
    ["a byte of padding", `${RETURN} ${"0".repeat(15)}`],
    ["jumps that cross", `${JUMP_17} ${JUMP_17} ${RETURN} ${RETURN} ${RETURN}`],
    ["no answer", MATCH_8]
  ])("with %s is refused", (_, program) => {
    expect(faultOf(bits(program))).toBeDefined()
  })

  it("may match all 128 bits, and answers with the default where they differ", () => {
    const map = load(bits(`${DEFAULT} ${MATCH_8.repeat(16)} 0 0 ${"0".repeat(14)}1`))
    expect(map.lookup(new Uint8Array(16))).toBe(2)
    expect(map.lookup(Uint8Array.of(...new Uint8Array(15), 1))).toBe(1)
  })

  it("has at most 16 MiB", () => {
    expect(faultOf(new Uint8Array(MAX_ASMAP_BYTES + 1))).toContain("bytes")
  })
})

describeWithData(describe, "AS maps of others", (data) => {
  it("Core's of its tests gives the systems that those name", () => {
    const groups = new NetGroups(load(data.bytes("vectors/core/asmap.raw")))
    expect(groups.mappedAs(host("250.0.0.0"))).toBe(1000)
    expect(groups.mappedAs(host("250.255.255.255"))).toBe(1000)
    for (let as = 1; as <= 8; as++) {
      expect(groups.mappedAs(host(`101.${as}.0.0`))).toBe(as)
      expect(groups.mappedAs(host(`101.${as}.255.255`))).toBe(as)
    }
    expect(groups.mappedAs(host("8.8.8.8"))).toBe(0)
  })

  it("Core's of its tests is refused with any end cut off", () => {
    const file = data.bytes("vectors/core/asmap.raw")
    for (let length = 0; length < file.length; length++) expect(faultOf(file.subarray(0, length))).toBeDefined()
  })

  it("sipa's demo gives the system of each network in its sample, at both ends", () => {
    const map = load(data.bytes("vectors/asmap/sipa_demo.map"))
    const lines = data
      .text("vectors/asmap/sipa_demo.random.dat")
      .split("\n")
      .filter((line) => line !== "")
    for (const line of lines) {
      const [network = "", as = ""] = line.split(" ")
      const range = cidr(network)
      const last = range.first + (1n << BigInt(range.width - range.bits)) - 1n
      for (const number of [range.first, last]) {
        expect([line, map.lookup(ip16(addressOf(range.network, number)))]).toEqual([line, Number(as.slice(2))])
      }
    }
    expect(lines.length).toBe(100)
  })

  it("the one that Core brings along is sane, and knows who owns well-known addresses", () => {
    const groups = new NetGroups(load(data.bytes("vectors/asmap/core_ip_asn.dat")))
    expect(groups.mappedAs(host("8.8.8.8"))).toBe(15_169)
    expect(groups.mappedAs(host("1.1.1.1"))).toBe(13_335)
    expect(groups.mappedAs(host("2001:4860:4860::8888"))).toBe(15_169)
    expect(groups.mappedAs(host("2606:4700:4700::1111"))).toBe(13_335)
  })
})
