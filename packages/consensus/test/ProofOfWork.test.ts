import { portableSha256 } from "@satwire/crypto"
import {
  bitsFromTarget,
  genesisHeader,
  headerHash,
  mainnet,
  networks,
  regtest,
  targetFromBits,
  workFromBits
} from "@satwire/primitives"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ProofOfWork } from "../src/index.ts"

/** A hash whose number is `value`. */
const hashOf = (value: bigint): Uint8Array => {
  const hash = new Uint8Array(32)
  for (let i = 0; i < 32; i++) hash[i] = Number((value >> BigInt(8 * i)) & 0xffn)
  return hash
}

describe("proof of work", () => {
  it("is in the first header of every network", () => {
    for (const params of Object.values(networks)) {
      const hash = headerHash(portableSha256, genesisHeader(params))
      expect(new ProofOfWork(params).meets(hash, 0, params.genesis.bits)).toBe(true)
    }
  })

  it("is a hash of at most the target, read as a number whose first byte is the least", () => {
    const proof = new ProofOfWork(mainnet)
    const target = targetFromBits(0x1c05a3f4) as bigint
    expect(proof.meets(hashOf(target), 0, 0x1c05a3f4)).toBe(true)
    expect(proof.meets(hashOf(target + 1n), 0, 0x1c05a3f4)).toBe(false)
    expect(proof.meets(hashOf(0n), 0, 0x1c05a3f4)).toBe(true)
  })

  // The targets of Bitcoin Core's src/test/pow_tests.cpp (CheckProofOfWork_test_*).
  it.each([
    ["is negative", 0x1d800000 + 1],
    ["is zero", 0],
    ["is zero once it is shifted", 0x01003456],
    ["is over 256 bits", 0xff123456],
    ["is easier than the network allows", bitsFromTarget(mainnet.powLimit * 2n)]
  ])("is in no hash where the target %s, and no work stands behind it", (_, bits) => {
    const proof = new ProofOfWork(mainnet)
    expect(proof.meets(hashOf(1n), 0, bits)).toBe(false)
    expect(proof.meets(hashOf(0n), 0, bits)).toBe(false)
    expect(proof.difficulty(bits)).toEqual({ target: undefined, work: 0n })
  })

  it("may be as easy as the network allows", () => {
    expect(new ProofOfWork(mainnet).meets(hashOf(1n), 0, 0x1d00ffff)).toBe(true)
    expect(new ProofOfWork(regtest).meets(hashOf(1n), 0, 0x207fffff)).toBe(true)
  })

  it("is judged alike whatever targets were judged before", () => {
    const bits = fc.oneof(
      fc
        .tuple(fc.integer({ min: 4, max: 0x20 }), fc.integer({ min: 1, max: 0x7fffff }))
        .map(([n, w]) => n * 2 ** 24 + w),
      fc.constantFrom(0x1d00ffff, 0x207fffff),
      fc.nat(0xffffffff)
    )
    fc.assert(
      fc.property(fc.array(bits, { minLength: 30, maxLength: 60 }), (many) => {
        const proof = new ProofOfWork(regtest)
        for (const one of [...many, ...many]) {
          const target = targetFromBits(one)
          const allowed = target !== undefined && target <= regtest.powLimit
          expect(proof.difficulty(one).work).toBe(allowed ? workFromBits(one) : 0n)
          expect(proof.meets(hashOf(1n), 0, one)).toBe(allowed)
        }
      })
    )
  })
})
