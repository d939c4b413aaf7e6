import { fromHex, toHex } from "@satwire/bytes"
import { describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BlockView, type OutputScript, ScriptWalk, isPushOnly, recognizeOutput } from "../src/index.ts"

const bytes = (hex: string): Uint8Array => fromHex(hex.replaceAll(" ", "")) ?? new Uint8Array(0)
const form = (hex: string): string => recognizeOutput(bytes(hex))._tag

const KEY = `02${"11".repeat(32)}`
const LONG_KEY = `04${"22".repeat(64)}`
const HASH = "33".repeat(20)
const KEY32 = "44".repeat(32)

describe("the form of an output's script", () => {
  it.each<readonly [string, OutputScript["_tag"]]>([
    [`21 ${KEY} ac`, "p2pk"],
    [`41 ${LONG_KEY} ac`, "p2pk"],
    [`76 a9 14 ${HASH} 88 ac`, "p2pkh"],
    [`a9 14 ${HASH} 87`, "p2sh"],
    [`00 14 ${HASH}`, "p2wpkh"],
    [`00 20 ${KEY32}`, "p2wsh"],
    [`51 20 ${KEY32}`, "p2tr"],
    ["51 02 4e73", "anchor"],
    ["51 02 4e74", "witness_unknown"],
    ["52 02 4e73", "witness_unknown"],
    [`51 14 ${HASH}`, "witness_unknown"],
    [`60 28 ${"55".repeat(40)}`, "witness_unknown"],
    [`51 21 ${KEY} 51 ae`, "multisig"],
    [`52 21 ${KEY} 41 ${LONG_KEY} 52 ae`, "multisig"],
    ["6a", "op_return"],
    ["6a 04 01020304 00 60", "op_return"],
    ["", "nonstandard"],
    ["51", "nonstandard"]
  ])("%s is %s", (script, tag) => {
    expect(form(script)).toBe(tag)
  })

  it.each([
    ["a key whose first byte no key has", `21 05${"11".repeat(32)} ac`],
    ["a key whose first byte has another length", `21 04${"11".repeat(32)} ac`],
    ["a hash and one byte more", `76 a9 14 ${HASH} 88 ac 00`],
    ["version 0 of another length", `00 15 ${HASH}00`],
    ["a program of one byte", "51 01 00"],
    ["a program of 41 bytes", `51 29 ${"00".repeat(41)}`],
    ["OP_RETURN and a push that is cut short", "6a 05 01020304"],
    ["OP_RETURN and something else than pushes", "6a ac"],
    ["no key", "51 51 ae"],
    ["more signatures than keys", `52 21 ${KEY} 51 ae`],
    ["fewer keys than it says", `51 21 ${KEY} 52 ae`],
    ["nobody required", `00 21 ${KEY} 51 ae`],
    ["a count in a push where an opcode would do", `51 21 ${KEY} 01 01 ae`],
    ["something after the count", `51 21 ${KEY} 51 00 ae`]
  ])("is none that is known: %s", (_, script) => {
    expect(form(script)).toBe("nonstandard")
  })

  it("bare multisig has up to 20 keys, counted in a byte from 17 on", () => {
    const keys = (count: number): string => `21 ${KEY}`.repeat(count)
    expect(form(`51 ${keys(16)} 60 ae`)).toBe("multisig")
    expect(form(`51 ${keys(17)} 01 11 ae`)).toBe("multisig")
    expect(form(`01 11 ${keys(20)} 01 14 ae`)).toBe("multisig")
    expect(form(`51 ${keys(21)} 01 15 ae`)).toBe("nonstandard")
  })

  it("comes with what it is made of", () => {
    expect(recognizeOutput(bytes(`52 21 ${KEY} 41 ${LONG_KEY} 52 ae`))).toEqual({
      _tag: "multisig",
      required: 2,
      publicKeys: [bytes(KEY), bytes(LONG_KEY)]
    })
    expect(recognizeOutput(bytes(`60 03 010203`))).toEqual({
      _tag: "witness_unknown",
      version: 16,
      program: bytes("010203")
    })
    expect(recognizeOutput(bytes("6a 02 beef"))).toEqual({ _tag: "op_return", pushes: bytes("02beef") })
  })

  it("is found for any bytes at all", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (script) => recognizeOutput(script)._tag !== undefined))
  })
})

describe("a walk over a script", () => {
  const pushes = (hex: string): ReadonlyArray<string> => {
    const walk = new ScriptWalk(bytes(hex))
    const found: Array<string> = []
    while (walk.next()) found.push(`${walk.opcode.toString(16)}:${toHex(walk.data)}`)
    return [...found, ...(walk.isCut ? ["cut"] : [])]
  }

  it("reads pushes of every width and other operations", () => {
    expect(pushes("00 01aa 4c02bbbb 4d0100cc 4e01000000dd 51 ac")).toEqual([
      "0:",
      "1:aa",
      "4c:bbbb",
      "4d:cc",
      "4e:dd",
      "51:",
      "ac:"
    ])
  })

  it.each(["02aa", "4c", "4c02aa", "4d01", "4d0200aa", "4e010000", "4effffffffaa"])(
    "ends where %s is cut short",
    (hex) => {
      expect(pushes(`51 ${hex}`)).toEqual(["51:", "cut"])
      expect(isPushOnly(bytes(hex))).toBe(false)
    }
  )

  it("says whether there is nothing but pushes, OP_RESERVED among them as in Core", () => {
    expect(isPushOnly(bytes("00 01aa 4f 50 60"))).toBe(true)
    expect(isPushOnly(bytes("00 61"))).toBe(false)
    expect(isPushOnly(bytes("61 00"), 1)).toBe(true)
  })
})

describeWithData(describe, "the outputs of a real block", (data) => {
  it("have known forms, 1,466 of them the one that is counted beside the data", () => {
    const block = BlockView.decode(data.bytes("blocks/mainnet/block_830000_11d55599ed27.bin"))
    if (Result.isFailure(block)) throw new Error(String(block.failure))
    const scripts = block.success.value.materialise().transactions.flatMap(({ outputs }) => outputs)
    const forms = scripts.map(({ scriptPubKey }) => recognizeOutput(scriptPubKey)._tag)
    expect(forms.filter((tag) => tag === "p2tr")).toHaveLength(1466)
    expect(forms).not.toContain("nonstandard")
  })
})
