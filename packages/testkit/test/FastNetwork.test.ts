import { portableSha256 } from "@satwire/crypto"
import {
  genesisHeader,
  headerHash,
  meetsTarget,
  regtest,
  retargetPeriod,
  targetFromBits,
  targetWords
} from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { fastTestNetwork } from "../src/index.ts"

describe("the fast test network", () => {
  it("retargets every 20 blocks and has no exception for slow ones", () => {
    const params = fastTestNetwork()
    expect(retargetPeriod(params)).toBe(20)
    expect(params.powNoRetargeting).toBe(false)
    expect(params.powAllowMinDifficultyBlocks).toBe(false)
    expect(params.magic).not.toBe(regtest.magic)
  })

  it("gives a changed genesis a nonce that meets its target, and the hash that follows", () => {
    for (let time = 1_700_000_000; time < 1_700_000_020; time++) {
      const params = fastTestNetwork({ name: "later", genesis: { ...regtest.genesis, time } })
      expect(params.name).toBe("later")
      expect(params.genesis.time).toBe(time)
      expect(headerHash(portableSha256, genesisHeader(params))).toEqual(params.genesisHash)
      expect(meetsTarget(params.genesisHash, 0, targetWords(targetFromBits(params.genesis.bits) ?? 0n))).toBe(true)
    }
  })

  it("refuses a genesis whose bits no hash can meet", () => {
    expect(() => fastTestNetwork({ genesis: { ...regtest.genesis, bits: 0 } })).toThrow(RangeError)
  })
})
