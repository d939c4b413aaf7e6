import { fromHex, toHex } from "@satwire/bytes"
import { describeWithData } from "@satwire/testkit"
import { base58 } from "@scure/base"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type ChainParams,
  decodeAddress,
  encodeAddress,
  mainnet,
  networks,
  regtest,
  signet,
  testnet3,
  testnet4
} from "../src/index.ts"

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array(0)
const fault = (address: string, params: ChainParams = mainnet): string | undefined => {
  const decoded = decodeAddress(address, params)
  return Result.isFailure(decoded) ? decoded.failure : undefined
}

describe("an address", () => {
  /** Facts of BIP-0173, BIP-0350, Core's tests and the chain. */
  const known: ReadonlyArray<readonly [string, string]> = [
    ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"],
    ["3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87"],
    ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"],
    [
      "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
      "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    ],
    ["bc1pfeessrawgf", "51024e73"],
    ["bc1sw50qgdz25j", "6002751e"]
  ]

  it.each(known)("%s is a script of mainnet, both ways", (address, script) => {
    expect(decodeAddress(address, mainnet)).toEqual(Result.succeed(bytes(script)))
    expect(encodeAddress(bytes(script), mainnet)).toBe(address)
  })

  it("is of one network, or of its kin that have the same prefixes", () => {
    const bech32 = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
    for (const params of [testnet3, testnet4, signet]) expect(fault(bech32, params)).toBeUndefined()
    for (const params of [mainnet, regtest]) expect(fault(bech32, params)).toBe("network")
    expect(fault("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", regtest)).toBe("network")
  })

  it("of bech32 may be all upper case, and not of both", () => {
    expect(fault("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4")).toBeUndefined()
    expect(fault("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4")).toBe("checksum")
  })

  it.each([
    ["", "checksum"],
    ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "checksum"],
    ["1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf", "checksum"],
    ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum"],
    ["bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "checksum"],
    ["bc1pw5dgrnzv", "length"],
    ["bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "encoding"],
    ["BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "version"],
    ["bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", "length"],
    ["bc1gmk9yu", "length"],
    ["1".repeat(91), "tooLong"],
    ["\u20bf", "checksum"]
  ])("%j is none: %s", (text, why) => {
    expect(fault(text)).toBe(why)
  })

  it("is refused, and never thrown at, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 120, unit: "binary" }), (text) => {
        for (const params of Object.values(networks)) expect(Result.isResult(decodeAddress(text, params))).toBe(true)
      })
    )
  })

  it.each([
    ["p2pk", `21${"02".repeat(33)}ac`],
    ["op_return", "6a0101"],
    ["nonstandard", "51"],
    ["empty", ""]
  ])("is what a script of form %s does not have", (_, script) => {
    expect(encodeAddress(bytes(script), mainnet)).toBeUndefined()
  })

  it("comes back from every witness program that it can write", () => {
    const program = fc.tuple(fc.integer({ min: 1, max: 16 }), fc.uint8Array({ minLength: 2, maxLength: 40 }))
    fc.assert(
      fc.property(program, ([version, data]) => {
        const script = Uint8Array.of(0x50 + version, data.length, ...data)
        expect(decodeAddress(encodeAddress(script, regtest) ?? "", regtest)).toEqual(Result.succeed(script))
      })
    )
  })
})

interface Meta {
  readonly chain: string
  readonly isPrivkey: boolean
  readonly tryCaseFlip?: boolean
}
type Valid = ReadonlyArray<readonly [text: string, hex: string, meta: Meta]>

/** As Core calls them. */
const CHAINS: ReadonlyMap<string, ChainParams> = new Map([
  ["main", mainnet],
  ["test", testnet3],
  ["testnet4", testnet4],
  ["signet", signet],
  ["regtest", regtest]
])

const flipped = (text: string): string => (text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase())

describeWithData(describe, "Core's key_io vectors", (data) => {
  const valid = data.json("vectors/core/key_io_valid.json") as Valid
  const addresses = valid.filter(([, , { isPrivkey }]) => !isPrivkey)
  const keys = valid.filter(([, , { isPrivkey }]) => isPrivkey)
  const invalid = (data.json("vectors/core/key_io_invalid.json") as ReadonlyArray<readonly [string]>).map(
    ([text]) => text
  )

  it.each(addresses)("%s is the script %s", (text, hex, { chain, tryCaseFlip }) => {
    const params = CHAINS.get(chain)
    if (params === undefined) throw new Error(chain)
    expect(decodeAddress(text, params)).toEqual(Result.succeed(bytes(hex)))
    expect(encodeAddress(bytes(hex), params)).toBe(text)
    expect(fault(flipped(text), params) === undefined).toBe(tryCaseFlip === true)
  })

  it("holds private keys, which are no addresses", () => {
    expect(keys.length).toBeGreaterThan(0)
    for (const [text] of keys) for (const params of CHAINS.values()) expect(fault(text, params)).toBeDefined()
  })

  it.each(invalid)("%s is no address of any network", (text) => {
    for (const params of CHAINS.values()) expect(fault(text, params)).toBeDefined()
  })
})

describeWithData(describe, "Core's base58 vectors", (data) => {
  const vectors = data.json("vectors/core/base58_encode_decode.json") as ReadonlyArray<readonly [string, string]>

  it.each(vectors)("%j is %j in the library that we stand on", (hex, text) => {
    expect(base58.encode(bytes(hex))).toBe(text)
    expect(toHex(base58.decode(text))).toBe(hex.toLowerCase())
  })
})
