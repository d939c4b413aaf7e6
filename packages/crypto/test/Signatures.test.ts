import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { Point, etc, hashes, schnorr, sign } from "@noble/secp256k1"
import { describeWithData } from "@satwire/testkit"
import * as fc from "fast-check"
import * as tiny from "tiny-secp256k1"
import { describe, expect, it } from "vitest"
import { ChaChaRandom, type Signatures, portableSignatures, signaturesFrom } from "../src/index.ts"
import { bytes } from "./Bip324Vectors.ts"

const wasm = signaturesFrom("tiny-secp256k1", tiny)
/** What a library that answers nothing is made of: all that it is asked goes to noble. */
const deaf = signaturesFrom("deaf", {
  verify() {
    throw new Error("not now")
  },
  verifySchnorr() {
    throw new Error("not now")
  }
})
const backends: ReadonlyArray<Signatures> = [portableSignatures, wasm, deaf]
const { n: N, p: P } = Point.CURVE()
const random = ChaChaRandom.fromNumber(340)
const number32 = (value: bigint): Uint8Array => bytes(value.toString(16).padStart(64, "0"))

interface Signed {
  readonly signature: Uint8Array
  readonly hash: Uint8Array
  readonly publicKey: Uint8Array
}

/** The signer hashes by the slot that its users share, which a verifier must leave as it was. */
const signing = <A>(make: () => A): A => {
  hashes.sha256 = sha256
  hashes.hmacSha256 = (key, message) => hmac(sha256, key, message)
  try {
    return make()
  } finally {
    hashes.sha256 = undefined
    hashes.hmacSha256 = undefined
  }
}

const secretKey = (): Uint8Array => number32(1n + (etc.bytesToNumberBE(random.bytes(32)) % (N - 1n)))

const ecdsa = (isCompressed: boolean): Signed => {
  const [secret, hash] = [secretKey(), random.bytes(32)]
  const publicKey = Point.BASE.multiply(etc.secretKeyToScalar(secret)).toBytes(isCompressed)
  return { signature: signing(() => sign(hash, secret, { prehash: false })), hash, publicKey }
}

const schnorrOf = (message: Uint8Array): Signed => {
  const secret = secretKey()
  return signing(() => ({
    signature: schnorr.sign(message, secret, random.bytes(32)),
    hash: message,
    publicKey: schnorr.getPublicKey(secret)
  }))
}

/** What all backends say, which must be one thing. */
const verdict = (by: "verifyEcdsa" | "verifySchnorr", { signature, hash, publicKey }: Signed): boolean => {
  const [first, ...rest] = backends.map((backend) => backend[by](signature, hash, publicKey))
  expect(rest).toEqual(rest.map(() => first))
  return first as boolean
}

const flipped = (array: Uint8Array, bit: number): Uint8Array => {
  const copy = array.slice()
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
  return copy
}

/** With one bit flipped, anywhere in what was signed, the key or the signature. */
const damaged = (signed: Signed): Signed => {
  const fields = ["signature", "hash", "publicKey"] as const
  const field = fields[random.below(fields.length)] as (typeof fields)[number]
  return { ...signed, [field]: flipped(signed[field], random.below(8 * signed[field].length)) }
}

const withHighS = (signature: Uint8Array): Uint8Array => {
  const high = signature.slice()
  high.set(number32(N - etc.bytesToNumberBE(signature.subarray(32))), 32)
  return high
}

/** Both numbers at the edges of what they may be. */
const EDGES = [0n, 1n, 2n, N >> 1n, (N >> 1n) + 1n, N - 1n, N, N + 1n, P - N, P - 1n, P, P + 1n, 2n ** 256n - 1n]

describe("ECDSA, by every backend", () => {
  it("accepts what was signed, under a compressed and an uncompressed key", () => {
    for (let i = 0; i < 20; i++) expect(verdict("verifyEcdsa", ecdsa(i % 2 === 0))).toBe(true)
  })

  it("accepts an s of the upper half, as consensus does", () => {
    const signed = ecdsa(true)
    expect(verdict("verifyEcdsa", { ...signed, signature: withHighS(signed.signature) })).toBe(true)
  })

  it("reads a hybrid key whose first byte tells the parity of y, and no other", () => {
    for (let i = 0; i < 8; i++) {
      const signed = ecdsa(false)
      const parity = (signed.publicKey[64] as number) & 1
      const asHybrid = (first: number): Signed => {
        const publicKey = signed.publicKey.slice()
        publicKey[0] = first
        return { ...signed, publicKey }
      }
      expect(verdict("verifyEcdsa", asHybrid(6 + parity))).toBe(true)
      expect(verdict("verifyEcdsa", asHybrid(7 - parity))).toBe(false)
      expect(verdict("verifyEcdsa", asHybrid(5))).toBe(false)
    }
  })

  it("takes a hash as a number modulo the order of the group", () => {
    const signed = ecdsa(true)
    for (const hash of [N, N + 1n, 2n ** 256n - 1n, 0n, 1n].map(number32)) {
      verdict("verifyEcdsa", { ...signed, hash })
    }
    const wrapped = signing(() => sign(number32(5n), number32(7n), { prehash: false }))
    const publicKey = Point.BASE.multiply(7n).toBytes()
    expect(verdict("verifyEcdsa", { signature: wrapped, hash: number32(N + 5n), publicKey })).toBe(true)
  })

  it("accepts an r that was reduced: the x of a point above the order of the group", () => {
    // Nobody knows such a nonce, but a public key for it is found by recovery: Q = r⁻¹(sR − hG).
    const lifted = [...Array(64).keys()].map((i) => N + 1n + BigInt(i)).flatMap((x) => liftedX(x) ?? [])
    const R = lifted[0] as Point
    const [r, s, h] = [R.x - N, 12345n, 67890n]
    const inverse = etc.invert(r, N)
    const Q = R.multiply(etc.mod(s * inverse, N)).add(Point.BASE.multiply(etc.mod(-h * inverse, N)))
    const signature = Uint8Array.from([...number32(r), ...number32(s)])
    expect(verdict("verifyEcdsa", { signature, hash: number32(h), publicKey: Q.toBytes() })).toBe(true)
  })

  it("refuses one bit flipped anywhere", () => {
    for (let i = 0; i < 60; i++) expect(verdict("verifyEcdsa", damaged(ecdsa(true)))).toBe(false)
  })

  it("refuses r and s at and over their edges", () => {
    const { hash, publicKey } = ecdsa(true)
    for (const r of EDGES) {
      for (const s of EDGES) {
        const signature = Uint8Array.from([...number32(r), ...number32(s)])
        expect(verdict("verifyEcdsa", { signature, hash, publicKey })).toBe(false)
      }
    }
  })
})

const liftedX = (x: bigint): Point | undefined => {
  try {
    return Point.fromBytes(Uint8Array.from([2, ...number32(x)]))
  } catch {
    return undefined
  }
}

describe("Schnorr, by every backend", () => {
  it("accepts what was signed, of 32 bytes and of any other length", () => {
    for (let i = 0; i < 20; i++) expect(verdict("verifySchnorr", schnorrOf(random.bytes(32)))).toBe(true)
    for (const length of [0, 1, 31, 33, 64, 1000]) {
      expect(verdict("verifySchnorr", schnorrOf(random.bytes(length)))).toBe(true)
    }
  })

  it("refuses one bit flipped anywhere", () => {
    for (let i = 0; i < 60; i++) expect(verdict("verifySchnorr", damaged(schnorrOf(random.bytes(32))))).toBe(false)
  })

  it("refuses r and s at and over their edges", () => {
    const signed = schnorrOf(random.bytes(32))
    for (const r of EDGES) {
      for (const s of EDGES) {
        const signature = Uint8Array.from([...number32(r), ...number32(s)])
        expect(verdict("verifySchnorr", { ...signed, signature })).toBe(false)
      }
    }
  })

  it("refuses keys that are no x coordinate of the curve", () => {
    const signed = schnorrOf(random.bytes(32))
    const off = [0n, 5n, ...EDGES].filter((x) => liftedX(x) === undefined)
    expect(off.length).toBeGreaterThan(3)
    for (const x of off) expect(verdict("verifySchnorr", { ...signed, publicKey: number32(x) })).toBe(false)
  })
})

describe("what no backend can be brought to", () => {
  const any = fc.uint8Array({ maxLength: 80 })
  const sized = (...lengths: ReadonlyArray<number>): fc.Arbitrary<Uint8Array> =>
    fc.oneof(any, ...lengths.map((length) => fc.uint8Array({ minLength: length, maxLength: length })))
  const keyed = fc
    .tuple(fc.constantFrom(2, 3, 4, 6, 7), sized(32, 64))
    .map(([first, rest]) => Uint8Array.of(first, ...rest))

  it("throws on nothing, and all say no", () => {
    fc.assert(
      fc.property(sized(64), sized(32), fc.oneof(sized(32, 33, 65), keyed), (signature, hash, publicKey) => {
        expect(verdict("verifyEcdsa", { signature, hash, publicKey })).toBe(false)
        expect(verdict("verifySchnorr", { signature, hash, publicKey })).toBe(false)
      }),
      { numRuns: 500 }
    )
  })

  it("leaves the hashes of the library as they were, and reads arguments alone", () => {
    const own = (message: Uint8Array): Uint8Array => sha256(message)
    const signed = schnorrOf(random.bytes(32))
    const before = structuredClone(signed)
    hashes.sha256 = own as typeof hashes.sha256
    try {
      expect(verdict("verifySchnorr", signed)).toBe(true)
      expect(hashes.sha256).toBe(own)
    } finally {
      hashes.sha256 = undefined
    }
    expect(signed).toEqual(before)
  })
})

describeWithData(describe, "the vectors of BIP-0340", (data) => {
  const rows = data
    .text("vectors/bip340/test-vectors.csv")
    .trim()
    .split(/\r?\n/u)
    .slice(1)
    .map((line) => line.split(","))

  it.each(backends)("come out as they say by $name", (backend) => {
    expect(rows.length).toBeGreaterThan(18)
    for (const [index, , publicKey, , message, signature, result, comment] of rows) {
      const valid = backend.verifySchnorr(bytes(signature), bytes(message), bytes(publicKey))
      expect(valid, `vector ${index}: ${comment}`).toBe(result === "TRUE")
    }
  })
})
