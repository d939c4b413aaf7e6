import { toHex } from "@satwire/bytes"
import { fastTestNetwork } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { mainnet, regtest, scriptNumber, witnessCommitment } from "@satwire/primitives"
import { ANYONE_CAN_SPEND, blockSubsidy, coinbase } from "../src/index.ts"

/** What a script interpreter takes a push of a number for: `CScriptNum` and the small-number opcodes. */
const pushed = (script: Uint8Array): number => {
  const [first = 0] = script
  if (first === 0) return 0
  if (first >= 0x51 && first <= 0x60) return first - 0x50
  expect(script.length).toBe(1 + first)
  const digits = script.subarray(1)
  const last = digits.at(-1) ?? 0
  const magnitude = digits.reduceRight(
    (sum, digit, i) => sum * 256 + (i === digits.length - 1 ? digit & 0x7f : digit),
    0
  )
  return (last & 0x80) === 0 ? magnitude : -magnitude
}

describe("a height in a coinbase (BIP-0034)", () => {
  it("is pushed as Core pushes it where the form changes", () => {
    const forms: ReadonlyArray<readonly [number, string]> = [
      [0, "00"],
      [1, "51"],
      [16, "60"],
      [17, "0111"],
      [127, "017f"],
      [128, "028000"],
      [255, "02ff00"],
      [256, "020001"],
      [32_767, "02ff7f"],
      [32_768, "03008000"],
      [65_535, "03ffff00"],
      [227_931, "035b7a03"],
      [8_388_607, "03ffff7f"],
      [8_388_608, "0400008000"],
      [2 ** 31 - 1, "04ffffff7f"]
    ]
    for (const [height, hex] of forms) expect(toHex(scriptNumber(height))).toBe(hex)
  })

  it("is the number that the push is taken for, in the fewest bytes", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), (height) => {
        const script = scriptNumber(height)
        expect(pushed(script)).toBe(height)
        // The last byte may not be zero unless the byte before it has the bit of the sign.
        if (script.length > 1 && script.at(-1) === 0) expect((script.at(-2) ?? 0) & 0x80).toBe(0x80)
      })
    )
  })
})

describe("the subsidy", () => {
  it("is 50 coins, halved at every interval", () => {
    const coins = (amount: bigint): bigint => amount * 100_000_000n
    for (const [height, amount] of [
      [0, coins(50n)],
      [149, coins(50n)],
      [150, coins(25n)],
      [299, coins(25n)],
      [300, coins(25n) / 2n]
    ] as const) {
      expect(blockSubsidy(regtest, height)).toBe(amount)
    }
    expect(blockSubsidy(mainnet, 209_999)).toBe(coins(50n))
    expect(blockSubsidy(mainnet, 210_000)).toBe(coins(25n))
    expect(blockSubsidy(mainnet, 840_000)).toBe(312_500_000n)
  })

  it("ends: one satoshi in the 33rd period, nothing after, and nothing wraps at the 64th", () => {
    expect(blockSubsidy(mainnet, 32 * 210_000)).toBe(1n)
    expect(blockSubsidy(mainnet, 33 * 210_000)).toBe(0n)
    for (const halvings of [63, 64, 65, 128]) expect(blockSubsidy(mainnet, halvings * 210_000)).toBe(0n)
  })

  it("adds up to 20,999,999.9769 coins on mainnet", () => {
    let total = 0n
    for (let period = 0; period < 70; period++) total += 210_000n * blockSubsidy(mainnet, period * 210_000)
    expect(total).toBe(2_099_999_997_690_000n)
  })
})

describe("a coinbase", () => {
  const params = fastTestNetwork()
  const make = (height: number, extraNonce: number, commitment?: Uint8Array): ReturnType<typeof coinbase> =>
    coinbase({ params, height, extraNonce, scriptPubKey: ANYONE_CAN_SPEND, fees: 7n, commitment })

  it("spends nothing: its only input names no output", () => {
    const { inputs, lockTime } = make(1, 0)
    expect(inputs.length).toBe(1)
    expect(inputs[0]).toMatchObject({ previousOutput: { index: 0xffffffff }, sequence: 0xffffffff })
    expect(inputs[0]?.previousOutput.txid).toEqual(new Uint8Array(32))
    expect(lockTime).toBe(0)
  })

  it("begins its script with the height, and differs by the extra nonce, in 2 to 100 bytes", () => {
    for (const height of [1, 16, 17, 128, 32_768, 2 ** 31 - 1]) {
      const scripts = [0, 1, 0xffffffff].map((extraNonce) => make(height, extraNonce).inputs[0]?.scriptSig)
      expect(new Set(scripts.map((script) => toHex(script ?? new Uint8Array(0)))).size).toBe(3)
      for (const script of scripts) {
        expect(toHex(script ?? new Uint8Array(0)).startsWith(toHex(scriptNumber(height)))).toBe(true)
        expect(script?.length).toBeGreaterThanOrEqual(2)
        expect(script?.length).toBeLessThanOrEqual(100)
      }
    }
  })

  it("pays the subsidy and the fees", () => {
    expect(make(1, 0).outputs).toEqual([{ amount: 5_000_000_007n, scriptPubKey: ANYONE_CAN_SPEND }])
    expect(make(50, 0).outputs[0]?.amount).toBe(2_500_000_007n)
  })

  it("holds the commitment in an output worth nothing, and the reserved value as its witness (BIP-0141)", () => {
    const commitment = new Uint8Array(32).fill(0xcc)
    const committing = make(1, 0, commitment)
    expect(witnessCommitment(committing)).toEqual(commitment)
    expect(committing.outputs[1]?.amount).toBe(0n)
    expect(committing.inputs[0]?.witness).toEqual([new Uint8Array(32)])
    expect(witnessCommitment(make(1, 0))).toBeUndefined()
    expect(make(1, 0).inputs[0]?.witness).toEqual([])
  })
})
