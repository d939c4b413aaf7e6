import { portableSha256 } from "@satwire/crypto"
import { HEADER_SIZE, genesisHeader, headerHash, mainnet, regtest, signet, toHex } from "@satwire/primitives"
import { afterEach, describe, expect, it } from "vitest"
import { parseRetargetPoints } from "../src/HeaderSegments.ts"
import { blockFile, describeWithData } from "../src/index.ts"

describe("a block file", () => {
  const framed = (payload: ReadonlyArray<number>): Array<number> => [
    0xfa,
    0xbf,
    0xb5,
    0xda,
    payload.length,
    0,
    0,
    0,
    ...payload
  ]

  it("gives its blocks in order", () => {
    const file = Uint8Array.from([...framed([1, 2, 3]), ...framed([]), ...framed([4])])
    expect([...blockFile(file, regtest.magic)].map((block) => [...block])).toEqual([[1, 2, 3], [], [4]])
  })

  it("is refused when it is another network's or ends early", () => {
    const file = Uint8Array.from(framed([1, 2, 3]))
    expect(() => [...blockFile(file, mainnet.magic)]).toThrow("byte 0 of a block file is no magic")
    expect(() => [...blockFile(file.subarray(0, 10), regtest.magic)]).toThrow("ends early")
  })
})

describe("retarget points", () => {
  it("are refused where a row is no row", () => {
    expect(() => parseRetargetPoints("height,hash,header_hex,chainwork_hex\n0,00,0102,01\n")).toThrow("not a row")
  })
})

describe("suites that need the real data", () => {
  const before = process.env["SATWIRE_DATA"]
  afterEach(() => {
    if (before === undefined) delete process.env["SATWIRE_DATA"]
    else process.env["SATWIRE_DATA"] = before
  })

  it("are skipped where the folder is absent, and say so in one line", () => {
    process.env["SATWIRE_DATA"] = "/nowhere/at/all"
    const happened: Array<string> = []
    const runner = {
      skipIf: (condition: boolean) => (name: string) => happened.push(`${condition ? "skip" : "run"} ${name}`)
    }
    const lines: Array<string> = []
    for (const name of ["real blocks", "real headers"]) {
      describeWithData(
        runner,
        name,
        () => happened.push("body"),
        (line) => lines.push(line)
      )
    }
    expect(happened).toEqual(["skip real blocks", "skip real headers"])
    // Where this run itself has no real data, the suites below have said it already.
    expect(lines.length).toBeLessThanOrEqual(1)
    for (const line of lines) expect(line).toMatch(/^skipped "real blocks".* \/nowhere\/at\/all .*SATWIRE_DATA.*\n$/)
  })
})

describeWithData(describe, "real header segments", (data) => {
  it("hold as many headers as their names say, in order of height", () => {
    const segments = data.headerSegments("mainnet")
    expect(segments.map((segment) => segment.firstHeight)).toEqual([0, 40_000, 80_001, 150_001, 586_655, 822_527])
    for (const segment of segments) {
      expect(segment.read().length).toBe((segment.lastHeight - segment.firstHeight + 1) * HEADER_SIZE)
    }
  })

  it("begin with the genesis header where they begin at height 0", () => {
    for (const [network, params] of [
      ["mainnet", mainnet],
      ["signet", signet]
    ] as const) {
      const [first] = data.headerSegments(network)
      expect(first?.read().slice(0, HEADER_SIZE)).toEqual(genesisHeader(params))
      expect(first && data.headerBase(first)).toBeUndefined()
    }
  })

  it("have a base whose work, bits and period agree with the table of retarget points", () => {
    const points = parseRetargetPoints(data.text("headers/mainnet/retarget_points_0-832608.csv"))
    const segment = data.headerSegments("mainnet").find(({ firstHeight }) => firstHeight === 80_001)
    const base = segment && data.headerBase(segment)
    // 78,624 begins the period of 80,000, which ends with 80,639.
    const start = points.get(78_624)
    const end = points.get(80_639)
    expect(base).toMatchObject({ height: 80_000, bits: start?.bits, periodFirstTime: start?.time })
    expect(base && toHex(base.hash)).toBe("000000000043a8c0fd1d6f726790caa2a406010d19efd2780db27bdbbd93baf6")
    const perBlock = ((end?.chainWork ?? 0n) - (start?.chainWork ?? 0n)) / 2015n
    expect((end?.chainWork ?? 0n) - (base?.chainWork ?? 0n)).toBe(639n * perBlock)
  })
})

describeWithData(describe, "real block files", (data) => {
  it("hold as many blocks as their names say", () => {
    const blocks = [...blockFile(data.bytes("blocks/regtest/blocks_000001-000206.blk"), regtest.magic)]
    expect(blocks.length).toBe(206)
    const [first] = blockFile(data.bytes("blocks/mainnet/blocks_000000-000599.blk"), mainnet.magic)
    expect(first && headerHash(portableSha256, first.subarray(0, HEADER_SIZE))).toEqual(mainnet.genesisHash)
  })
})
