import { decode, encode, fromHex, toHex as bytesToHex } from "@satwire/bytes"
import { portableSha256, sha256d } from "@satwire/crypto"
import { arbitraryTransaction } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Transaction,
  hasWitness,
  readTransaction,
  toHex,
  transactionSize,
  transactionWeight,
  txid,
  writeTransaction,
  wtxid
} from "../src/index.ts"

const encoded = (tx: Transaction, witness = true): Uint8Array =>
  encode(transactionSize(tx, witness), (w) => writeTransaction(w, tx, witness))

const bytes = (hex: string): Uint8Array => fromHex(hex.replaceAll(" ", "")) ?? new Uint8Array(0)

const read = (hex: string): ReturnType<typeof decode<Transaction>> => decode(bytes(hex), readTransaction)

const withoutWitness = (tx: Transaction): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((input) => ({ ...input, witness: [] }))
})

/** One input and one output, between version and lock time; `WITNESS` is a stack of one item of two bytes. */
const VERSION = "02000000"
const INPUT = `${"11".repeat(32)} 01000000 02 5151 ffffffff`
const OUTPUT = "00e1f50500000000 01 51"
const WITNESS = "01 02 aabb"
const LOCK_TIME = "00000000"

describe("a transaction", () => {
  it("is read back as it was written, in exactly the bytes that it was sized", () => {
    fc.assert(
      fc.property(arbitraryTransaction, (tx) => {
        expect(decode(encoded(tx), readTransaction)).toEqual(Result.succeed({ value: tx, bytesLeft: 0 }))
      })
    )
  })

  it("loses its witness and nothing else in the form without", () => {
    fc.assert(
      fc.property(arbitraryTransaction, (tx) => {
        const plain = withoutWitness(tx)
        expect(decode(encoded(tx, false), readTransaction)).toEqual(Result.succeed({ value: plain, bytesLeft: 0 }))
        expect(hasWitness(plain)).toBe(false)
      })
    )
  })

  it("is written as it came, for anything that is read", () => {
    fc.assert(
      fc.property(arbitraryTransaction, fc.nat(), fc.nat(255), (tx, place, byte) => {
        const raw = encoded(tx)
        raw[place % raw.length] = byte
        const result = decode(raw, readTransaction)
        if (Result.isFailure(result)) return
        const { value, bytesLeft } = result.success
        expect(encoded(value)).toEqual(raw.slice(0, raw.length - bytesLeft))
      }),
      { numRuns: 500 }
    )
  })

  it("weighs three times its size without the witness and once its size with it (BIP-0141)", () => {
    fc.assert(
      fc.property(arbitraryTransaction, (tx) => {
        const base = encoded(tx, false).length
        const total = encoded(tx).length
        expect(transactionWeight(tx)).toBe(3 * base + total)
        if (!hasWitness(tx)) expect(transactionWeight(tx)).toBe(4 * base)
      })
    )
  })

  it("has a txid that its witness does not change, and a wtxid that it does", () => {
    fc.assert(
      fc.property(arbitraryTransaction, (tx) => {
        const plain = withoutWitness(tx)
        expect(txid(portableSha256, tx)).toEqual(sha256d(portableSha256, encoded(tx, false)))
        expect(wtxid(portableSha256, tx)).toEqual(sha256d(portableSha256, encoded(tx)))
        expect(txid(portableSha256, plain)).toEqual(txid(portableSha256, tx))
        const same = bytesToHex(wtxid(portableSha256, tx)) === bytesToHex(txid(portableSha256, tx))
        expect(same).toBe(!hasWitness(tx))
      })
    )
  })

  it("is mainnet's first coinbase by its txid", () => {
    const message =
      "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e20" +
      "6272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73"
    const key =
      "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6" +
      "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
    const result = read(
      `01000000 01 ${"00".repeat(32)} ffffffff 4d ${message} ffffffff 01 00f2052a01000000 43 41 ${key} ac 00000000`
    )
    expect(Result.isSuccess(result) && toHex(txid(portableSha256, result.success.value))).toBe(
      "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    )
  })

  it("keeps amounts over the whole range of 64 signed bits", () => {
    for (const [hex, amount] of [
      ["ffffffffffffffff", -1n],
      ["ffffffffffffff7f", 2n ** 63n - 1n],
      ["0000000000000080", -(2n ** 63n)],
      ["0140075af0750700", 2_100_000_000_000_001n]
    ] as const) {
      const result = read(`${VERSION} 01 ${INPUT} 01 ${hex} 01 51 ${LOCK_TIME}`)
      expect(Result.isSuccess(result) && result.success.value.outputs[0]?.amount).toBe(amount)
    }
  })
})

describe("the forms of a transaction on the wire (BIP-0144)", () => {
  it("are told apart by the marker", () => {
    const plain = read(`${VERSION} 01 ${INPUT} 01 ${OUTPUT} ${LOCK_TIME}`)
    const extended = read(`${VERSION} 00 01 01 ${INPUT} 01 ${OUTPUT} ${WITNESS} ${LOCK_TIME}`)
    expect(Result.isSuccess(plain) && plain.success.value.inputs[0]?.witness).toEqual([])
    expect(Result.isSuccess(extended) && extended.success.value.inputs[0]?.witness).toEqual([bytes("aabb")])
  })

  const malformed = (hex: string, what: string): void => {
    const result = read(hex)
    expect(Result.isFailure(result) && result.failure.kind).toBe("malformed")
    expect(Result.isFailure(result) && result.failure.what).toContain(what)
  }

  it("include the empty transaction, which Core reads as having neither inputs nor outputs", () => {
    expect(read(`${VERSION} 00 00 ${LOCK_TIME}`)).toEqual(
      Result.succeed({ value: { version: 2, inputs: [], outputs: [], lockTime: 0 }, bytesLeft: 0 })
    )
  })

  it("do not include flags that nobody has defined", () => {
    malformed(`${VERSION} 00 02 01 ${INPUT} 01 ${OUTPUT} ${LOCK_TIME}`, "flag 2")
    malformed(`${VERSION} 00 03 01 ${INPUT} 01 ${OUTPUT} ${WITNESS} ${LOCK_TIME}`, "flag 3")
  })

  it("do not include an extended form without any witness", () => {
    malformed(`${VERSION} 00 01 01 ${INPUT} 01 ${OUTPUT} 00 ${LOCK_TIME}`, "superfluous witness")
    malformed(`${VERSION} 00 01 00 00 ${LOCK_TIME}`, "superfluous witness")
  })

  it("are judged by what the bytes can hold before anything is allocated", () => {
    malformed(`${VERSION} fe ffffff01 ${INPUT}`, "inputs")
    malformed(`${VERSION} 00 01 fe ffffff01 ${INPUT}`, "inputs")
    malformed(`${VERSION} 01 ${INPUT} fe ffffff01 ${OUTPUT}`, "outputs")
    malformed(`${VERSION} 00 01 01 ${INPUT} 01 ${OUTPUT} fe ffffff01`, "witness items")
    malformed(`${VERSION} 00 01 01 ${INPUT} 01 ${OUTPUT} 01 fe ffffff01`, "witness item")
    malformed(`${VERSION} 01 ${"11".repeat(32)} 01000000 fe ffffff01`, "input script")
  })
})
