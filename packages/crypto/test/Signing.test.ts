import { fromHex } from "@satwire/bytes"
import { describe, expect, it } from "vitest"
import { ChaChaRandom, makeSchnorrKey, portableSignatures, schnorrKey, taggedHash } from "../src/index.ts"
import { bytes } from "./Bip324Vectors.ts"

const random = ChaChaRandom.fromNumber(341)

describe("signing", () => {
  it("gives the signature of the first vector of BIP-0340", () => {
    const key = schnorrKey(bytes("00".repeat(31) + "03"))
    expect(key?.publicKey).toEqual(fromHex("f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"))
    expect(key?.sign(new Uint8Array(32), new Uint8Array(32))).toEqual(
      fromHex(
        "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca821525f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0"
      )
    )
  })
  it("is verified, and by another message it is not", () => {
    const key = makeSchnorrKey(random)
    const signature = key.sign(random.bytes(32), random.bytes(32))
    expect(portableSignatures.verifySchnorr(signature, new Uint8Array(32), key.publicKey)).toBe(false)
    const message = random.bytes(32)
    expect(portableSignatures.verifySchnorr(key.sign(message, random.bytes(32)), message, key.publicKey)).toBe(true)
  })
  it("takes no key that is none", () => {
    expect(schnorrKey(new Uint8Array(32))).toBeUndefined()
    expect(schnorrKey(new Uint8Array(31).fill(1))).toBeUndefined()
    expect(schnorrKey(new Uint8Array(32).fill(255))).toBeUndefined()
  })
  it("hashes under names", () => {
    const challenge = taggedHash("one/challenge")
    expect(challenge(new Uint8Array(1))).toEqual(challenge(new Uint8Array(1)))
    expect(challenge(new Uint8Array(1))).not.toEqual(taggedHash("one/nonce")(new Uint8Array(1)))
  })
})
