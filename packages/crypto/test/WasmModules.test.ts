import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { makeScalarSha256, makeSimdSha256, portableSha256 } from "../src/index.ts"
import { compiledModules } from "../wasm/build.ts"

describe("the modules in WebAssembly", () => {
  it("are what the text in wasm/ compiles to", async () => {
    const committed = readFileSync(join(import.meta.dirname, "..", "src", "WasmModules.ts"), "utf8")
    const constants = (text: string): ReadonlyArray<string> => text.match(/"[A-Za-z0-9+/=]{100,}"/g) ?? []
    expect(constants(committed)).toHaveLength(4)
    expect(constants(committed)).toEqual(constants(await compiledModules()))
  })

  it.each([
    ["four lanes", makeSimdSha256()],
    ["one lane", makeScalarSha256()]
  ])("hash every length from 0 to 4,096 as noble does, with %s", (_, backend) => {
    const input = new Uint8Array(4100).map((_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24)
    const ours = new Uint8Array(32)
    const reference = new Uint8Array(32)
    for (let length = 0; length <= 4096; length++) {
      const start = length % 4
      backend?.sha256d(input, start, start + length, ours, 0)
      portableSha256.sha256d(input, start, start + length, reference, 0)
      expect(ours).toEqual(reference)
    }
  })

  it("hash random ranges, many at once, as noble does", () => {
    const input = new Uint8Array(100_000).map((_, i) => Math.imul(i + 7, 0x85ebca6b) >>> 24)
    const range = fc
      .tuple(fc.nat(90_000), fc.oneof(fc.nat(600), fc.nat(9000)))
      .map(([start, length]) => [start, start + length])
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (list) => {
        const ranges = Uint32Array.from(list.flat())
        const ours = new Uint8Array(32 * list.length)
        const reference = new Uint8Array(32 * list.length)
        makers.forEach((backend) => {
          backend?.sha256dRanges(input, ranges, list.length, ours, 0)
          portableSha256.sha256dRanges(input, ranges, list.length, reference, 0)
          expect(ours).toEqual(reference)
        })
      }),
      { numRuns: 60 }
    )
  })

  it("hash messages of up to 4 MB as noble does", () => {
    const input = new Uint8Array(4_000_000).map((_, i) => Math.imul(i + 3, 0xc2b2ae35) >>> 24)
    const ours = new Uint8Array(32)
    const reference = new Uint8Array(32)
    for (const length of [458_688, 458_752, 458_753, 1_234_567, 4_000_000]) {
      makers.forEach((backend) => backend?.sha256d(input, 0, length, ours, 0))
      portableSha256.sha256d(input, 0, length, reference, 0)
      expect(ours).toEqual(reference)
    }
  })
})

const makers = [makeSimdSha256(), makeScalarSha256()]
