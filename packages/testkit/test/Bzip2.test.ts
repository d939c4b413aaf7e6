import { execFileSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { bunzip2, describeWithData } from "../src/index.ts"

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16))

/** Packed by Python's `bz2`. */
const PACKED =
  "425a683931415926535960962051000016d180c000402022201c800008a000310340d01150c832660602a727471d1a1f0ca5c8d8e2fe2ee48a70a120c12c40a2"
const UNPACKED = new Uint8Array([...new TextEncoder().encode("satwire ".repeat(6) + "a".repeat(300)), 0, 0xff])

describe("bzip2", () => {
  it("is unpacked, runs and all", () => {
    expect(bunzip2(bytes(PACKED))).toEqual(UNPACKED)
  })

  it("of nothing is nothing", () => {
    expect(bunzip2(bytes("425a683917724538509000000000"))).toEqual(new Uint8Array(0))
  })

  it("is told from what is none, and from what is cut short", () => {
    expect(() => bunzip2(bytes("1f8b08"))).toThrow("no bzip2")
    expect(() => bunzip2(bytes(PACKED).subarray(0, 40))).toThrow("ends early")
  })
})

/** Whether a program that unpacks lies at hand. */
const hasBzip2 = (): boolean => {
  try {
    execFileSync("bzip2", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

describeWithData(describe, "bzip2 of the real data", (data) => {
  it.skipIf(!hasBzip2())("is unpacked as bzip2 itself unpacks it", () => {
    const packed = data.bytes("vectors/reorg/btcd_blk_0_to_4.dat.bz2")
    expect(bunzip2(packed)).toEqual(new Uint8Array(execFileSync("bzip2", ["-dc"], { input: packed })))
  })
})
