import { fromHex, toHex } from "@satwire/bytes"
import { sha256 as noble } from "@noble/hashes/sha2.js"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Sha256, makeScalarSha256, makeSimdSha256, portableSha256, sha256d, wasmSha256 } from "../src/index.ts"
import { NATIVE_FROM_BYTES, createHashSha256, entropy, nativeSha256, platformSha256 } from "../src/node.ts"

/** The reference: noble as its users call it. */
const referenceSha256d = (input: Uint8Array): Uint8Array => noble(noble(input))

/** Bytes in which every range differs from every other. */
const noise = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  let state = 0x9e3779b9
  for (let i = 0; i < length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + i
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Node and Deno have WebAssembly and vectors: their absence would be a fault of ours. */
const present = (backend: Sha256 | undefined): Sha256 => {
  if (backend === undefined) throw new Error("this runtime compiled no WebAssembly")
  return backend
}

const backends: ReadonlyArray<readonly [string, Sha256]> = [
  ["portable", portableSha256],
  ["native", nativeSha256],
  ["createHash", createHashSha256],
  ["platform", platformSha256],
  ["wasm", wasmSha256()],
  ["wasm with four lanes", present(makeSimdSha256())],
  ["wasm with one lane", present(makeScalarSha256())]
]

/** The lengths around blocks of SHA-256 and around the crossover of the platform's backend, and some far above. */
const LENGTHS = [
  ...Array.from({ length: 301 }, (_, length) => length),
  ...[-1, 0, 1].map((by) => NATIVE_FROM_BYTES + by),
  ...[511, 512, 1000, 2048, 4096, 65_536, 100_001]
]

describe.each(backends)("the %s backend", (_, backend) => {
  const one = (method: "sha256" | "sha256d", input: Uint8Array, start: number, end: number): Uint8Array => {
    const out = new Uint8Array(36).fill(0xee)
    backend[method](input, start, end, out, 2)
    expect([out[0], out[1], out[34], out[35]]).toEqual([0xee, 0xee, 0xee, 0xee])
    return out.slice(2, 34)
  }

  it("gives the known digests of SHA-256 and SHA-256d", () => {
    const abc = Uint8Array.of(0x61, 0x62, 0x63)
    // FIPS 180-4, example 1.
    expect(toHex(one("sha256", abc, 0, 3))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    // Its first four bytes are the checksum of every empty message, 5df6e0e2.
    expect(toHex(one("sha256d", abc, 0, 0))).toBe("5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456")
    expect(toHex(sha256d(backend, new TextEncoder().encode("hello")))).toBe(
      "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"
    )
  })

  it("gives mainnet's genesis hash for its header", () => {
    const header =
      "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e" +
      "67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
    expect(toHex(sha256d(backend, fromHex(header) ?? new Uint8Array(0)))).toBe(
      "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"
    )
  })

  it("agrees with noble at every length, wherever the input lies", () => {
    const memory = noise(110_000)
    for (const length of LENGTHS) {
      const start = (length * 7) % 97
      const input = memory.slice(start, start + length)
      expect(one("sha256", memory, start, start + length)).toEqual(noble(input))
      expect(one("sha256d", memory, start, start + length)).toEqual(referenceSha256d(input))
    }
  })

  it("hashes records at any stride, the digests one after another", () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(130), fc.nat(3), fc.nat(9), fc.nat(3), (start, length, gap, count, outOffset) => {
        const stride = length + gap
        const memory = noise(start + stride * count + 1)
        const out = new Uint8Array(outOffset + 32 * count)
        backend.sha256dMany(memory, start, length, stride, count, out, outOffset)
        for (let i = 0; i < count; i++) {
          const record = memory.slice(start + i * stride, start + i * stride + length)
          expect(out.slice(outOffset + 32 * i, outOffset + 32 * i + 32)).toEqual(referenceSha256d(record))
        }
      }),
      { numRuns: 50 }
    )
  })

  it("writes the digests of pairs over the pairs, as a merkle level does", () => {
    for (const pairs of [1, 2, 3, 4, 5, 7, 8, 9, 16, 33]) {
      const memory = noise(64 * pairs)
      const expected = Array.from({ length: pairs }, (_, i) =>
        toHex(referenceSha256d(memory.slice(64 * i, 64 * i + 64)))
      )
      backend.sha256dMany(memory, 0, 64, 64, pairs, memory, 0)
      expect(Array.from({ length: pairs }, (_, i) => toHex(memory.slice(32 * i, 32 * i + 32)))).toEqual(expected)
    }
  })

  it("hashes records of 64 bytes that lie apart", () => {
    const memory = noise(81 * 9)
    const out = new Uint8Array(32 * 9)
    backend.sha256dMany(memory, 1, 64, 81, 8, out, 32)
    for (let i = 0; i < 8; i++) {
      const at = 1 + 81 * i
      expect(out.slice(32 + 32 * i, 64 + 32 * i)).toEqual(referenceSha256d(memory.slice(at, at + 64)))
    }
  })

  it("hashes ranges in any order, overlapping, empty and long", () => {
    const memory = noise(5000)
    const ranges = fc.array(fc.tuple(fc.nat(5000), fc.nat(5000)), { maxLength: 9 })
    fc.assert(
      fc.property(ranges, fc.nat(3), (pairs, outOffset) => {
        const sorted = pairs.map(([a, b]): readonly [number, number] => [Math.min(a, b), Math.max(a, b)])
        const out = new Uint8Array(outOffset + 32 * sorted.length)
        backend.sha256dRanges(memory, Uint32Array.from(sorted.flat()), sorted.length, out, outOffset)
        sorted.forEach(([start, end], i) => {
          const digest = out.slice(outOffset + 32 * i, outOffset + 32 * i + 32)
          expect(digest).toEqual(referenceSha256d(memory.slice(start, end)))
        })
      }),
      { numRuns: 50 }
    )
  })

  it("gives the same digest in pieces as in one go, however it is cut", () => {
    const memory = noise(3000)
    fc.assert(
      fc.property(fc.nat(3000), fc.array(fc.nat(3000), { maxLength: 6 }), (length, cuts) => {
        const edges = [0, ...cuts.filter((cut) => cut < length).toSorted((a, b) => a - b), length]
        const hash = backend.createSha256d()
        edges.slice(1).forEach((edge, i) => hash.update(memory, edges[i] ?? 0, edge))
        const out = new Uint8Array(33)
        hash.digest(out, 1)
        expect(out.slice(1)).toEqual(referenceSha256d(memory.slice(0, length)))
      }),
      { numRuns: 50 }
    )
  })

  it("keeps hashes in pieces apart from each other and from those in one go", () => {
    const memory = noise(200)
    const first = backend.createSha256d()
    const second = backend.createSha256d()
    first.update(memory, 0, 70)
    second.update(memory, 100, 150)
    one("sha256d", memory, 0, 200)
    first.update(memory, 70, 90)
    second.update(memory, 150, 200)
    const out = new Uint8Array(64)
    first.digest(out, 0)
    second.digest(out, 32)
    expect(out.slice(0, 32)).toEqual(referenceSha256d(memory.slice(0, 90)))
    expect(out.slice(32)).toEqual(referenceSha256d(memory.slice(100, 200)))
  })
})

describe("the platform's entropy", () => {
  it("has as many bytes as were asked for, and others each time", () => {
    expect(entropy(0).length).toBe(0)
    expect(entropy(32).length).toBe(32)
    expect(entropy(32)).not.toEqual(entropy(32))
  })
})
