import * as Fs from "node:fs"
import { createRequire } from "node:module"
import process from "node:process"
import { pathToFileURL } from "node:url"
import { Point, etc } from "@noble/secp256k1"
import { equals, toHex } from "@satwire/bytes"
import { describeWithData } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fieldSqrt, xSwiftEC, xSwiftECInv } from "../src/EllSwift.ts"
import {
  ChaChaRandom,
  type XOnlyCurve,
  bip324SharedSecret,
  ellSwiftCreate,
  ellSwiftDecode,
  ellSwiftSharedX,
  portableCurve
} from "../src/index.ts"
import { bytes, rowsOf } from "./Bip324Vectors.ts"

const { p: P, n: N } = Point.CURVE()
const number = (hex: string | undefined): bigint => etc.bytesToNumberBE(bytes(hex))
const hex = (x: bigint): string => toHex(etc.numberToBytesBE(x))
const scalar = fc.bigInt({ min: 1n, max: N - 1n })
const field = fc.bigInt({ min: 0n, max: P - 1n })
const random = (): ChaChaRandom => ChaChaRandom.fromNumber(324)

describeWithData(describe, "the vectors of BIP-0324", (data) => {
  it.each(rowsOf(data, "ellswift_decode_test_vectors"))("$ellswift decodes to $x ($comment)", ({ ellswift, x }) => {
    expect(toHex(ellSwiftDecode(bytes(ellswift)))).toBe(x)
  })

  it.each(rowsOf(data, "xswiftec_inv_test_vectors"))("$x has these eight encodings with $u", (row) => {
    const [u, x] = [number(row["u"]), number(row["x"])]
    for (let which = 0; which < 8; which++) {
      const t = xSwiftECInv(x, u, which)
      expect(t === undefined ? "" : hex(t)).toBe(row[`case${which}_t`])
      if (t !== undefined) expect(xSwiftEC(u, t).x).toBe(x)
    }
  })
})

describe("a square root", () => {
  it("is one, and a square itself; of two opposite numbers exactly one has it", () => {
    fc.assert(
      fc.property(field, (a) => {
        const root = fieldSqrt(a)
        const other = fieldSqrt(etc.mod(-a))
        if (root !== undefined) {
          expect(etc.mod(root * root)).toBe(a)
          expect(fieldSqrt(root)).toBeDefined()
        }
        expect([root, other].filter((one) => one !== undefined)).toHaveLength(a === 0n ? 2 : 1)
      }),
      { numRuns: 30 }
    )
  })
})

describe("an encoding", () => {
  it("decodes to a point of the curve whatever its 64 bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (encoding) => {
        const x = ellSwiftDecode(encoding)
        expect(() => Point.fromBytes(Uint8Array.of(2, ...x))).not.toThrow()
      }),
      { numRuns: 30 }
    )
  })

  it.each([
    ["u and t are 0", 0n, 0n],
    ["u is 0", 0n, 5n],
    ["t is 0", 5n, 0n],
    ["u³ + t² + 7 is 0", 0n, fieldSqrt(P - 8n) ?? 0n]
  ])("decodes where %s", (_, u, t) => {
    const { x, y } = xSwiftEC(u, t)
    expect(etc.mod(y * y)).toBe(etc.mod(x * x * x + 7n))
  })

  it("decodes to the public key for which it was made, and is another one each time", () => {
    const draws = random()
    const keys = Array.from({ length: 12 }, () => ellSwiftCreate(portableCurve, draws))
    for (const { privateKey, publicKey } of keys) {
      expect(publicKey).toHaveLength(64)
      const secret = etc.bytesToNumberBE(privateKey)
      expect(etc.bytesToNumberBE(ellSwiftDecode(publicKey))).toBe(Point.BASE.multiply(secret).toAffine().x)
    }
    expect(new Set(keys.map(({ publicKey }) => toHex(publicKey))).size).toBe(keys.length)
  })

  it("is drawn again from the same seed", () => {
    expect(ellSwiftCreate(portableCurve, random())).toEqual(ellSwiftCreate(portableCurve, random()))
  })

  it("has 64 bytes: anything else is our own bug", () => {
    expect(() => ellSwiftDecode(new Uint8Array(63))).toThrow(RangeError)
  })
})

describe("a shared x coordinate", () => {
  it("is the same for both sides, and the one that plain multiplication gives", () => {
    const draws = random()
    for (let i = 0; i < 5; i++) {
      const alice = ellSwiftCreate(portableCurve, draws)
      const bob = ellSwiftCreate(portableCurve, draws)
      const shared = ellSwiftSharedX(portableCurve, alice.privateKey, bob.publicKey)
      expect(equals(shared, ellSwiftSharedX(portableCurve, bob.privateKey, alice.publicKey))).toBe(true)
      const product = etc.mod(etc.bytesToNumberBE(alice.privateKey) * etc.bytesToNumberBE(bob.privateKey), N)
      expect(toHex(shared)).toBe(hex(Point.BASE.multiply(product).toAffine().x))
    }
  })
})

/** What `@scure/btc-signer` exports from a subpath that it calls experimental. */
interface SecondOpinion {
  readonly elligatorSwift: {
    readonly keygen: () => { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array }
    readonly decode: (encoding: Uint8Array) => Uint8Array
    readonly getSharedSecretBip324: (
      ours: Uint8Array,
      theirs: Uint8Array,
      oursPublic: Uint8Array,
      initiating: boolean
    ) => Uint8Array
  }
}

/** Among the packages of the benchmarks, which `npm run bench` installs; Deno resolves nothing in there. */
const peers = new URL("../../../bench/peers/package.json", import.meta.url)
const isThere = Fs.existsSync(new URL("node_modules/@scure/btc-signer", peers)) && !("deno" in process.versions)

describe.skipIf(!isThere)("another library", () => {
  it("decodes our keys to the same points, and comes to the same secret with them", async () => {
    const file = createRequire(peers).resolve("@scure/btc-signer/p2p.js")
    const { elligatorSwift } = (await import(pathToFileURL(file).href)) as SecondOpinion
    const draws = random()
    for (const initiating of [true, false, true, false]) {
      const ours = ellSwiftCreate(portableCurve, draws)
      const theirs = elligatorSwift.keygen()
      expect(toHex(elligatorSwift.decode(ours.publicKey))).toBe(toHex(ellSwiftDecode(ours.publicKey)))
      expect(toHex(elligatorSwift.decode(theirs.publicKey))).toBe(toHex(ellSwiftDecode(theirs.publicKey)))
      const secret = bip324SharedSecret(portableCurve, ours, theirs.publicKey, initiating)
      const { getSharedSecretBip324 } = elligatorSwift
      const other = getSharedSecretBip324(theirs.privateKey, ours.publicKey, theirs.publicKey, !initiating)
      expect(toHex(other)).toBe(toHex(secret))
    }
  })
})

const curves: ReadonlyArray<readonly [string, XOnlyCurve]> = [["portable", portableCurve]]

describe.each(curves)("the %s curve", (_, curve) => {
  it("multiplies as noble does, any scalar and those at the edges", () => {
    const edges = [1n, 2n, 15n, 16n, 1n << 128n, (1n << 128n) - 1n, N / 2n, N - 2n, N - 1n]
    fc.assert(
      fc.property(fc.oneof(scalar, fc.constantFrom(...edges)), scalar, (k, j) => {
        const point = Point.BASE.multiply(j)
        expect(curve.multiplyX(k, point.toAffine())).toBe(point.multiply(k, false).toAffine().x)
        expect(curve.baseX(k)).toBe(Point.BASE.multiply(k).toAffine().x)
      }),
      { numRuns: 15, examples: edges.map((edge) => [edge, 7n]) }
    )
  })
})
