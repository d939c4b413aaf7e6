import { TransactionView, type Transaction, type TxInput, type Txid, transactionSize } from "@satwire/primitives"
import { arbitraryAmount, arbitraryTransaction } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_MONEY, isFinalTransaction, legacySigOps, transactionFault, transactionFindings } from "../src/index.ts"
import { coinbase, inputOf, outputOf, spend } from "./GoodBlocks.ts"
import { naiveIsFinal, naiveSigOps, naiveTransactionFault } from "./NaiveChecks.ts"

const faultOf = (tx: Transaction): string | undefined => transactionFault(TransactionView.of(tx))

const MOST = BigInt(MAX_MONEY)

describe("a sane transaction", () => {
  it("has inputs and outputs", () => {
    expect(faultOf(spend(1))).toBeUndefined()
    expect(faultOf(spend(1, { inputs: [], outputs: [] }))).toBe("bad-txns-vin-empty")
    expect(faultOf(spend(1, { outputs: [] }))).toBe("bad-txns-vout-empty")
  })

  it("has at most 1,000,000 bytes without its witness", () => {
    const ofLength = (length: number): Transaction =>
      spend(1, { inputs: [inputOf(1, 0, { scriptSig: new Uint8Array(length), witness: [new Uint8Array(5000)] })] })
    const length = 500_000 + 1_000_000 - transactionSize(ofLength(500_000), false)
    expect(faultOf(ofLength(length))).toBeUndefined()
    expect(faultOf(ofLength(length + 1))).toBe("bad-txns-oversize")
  })

  it("pays out from nothing to 21 million coins, each and in all", () => {
    const paying = (...amounts: ReadonlyArray<bigint>): string | undefined =>
      faultOf(spend(1, { outputs: amounts.map((amount) => outputOf(amount)) }))
    expect(paying(0n)).toBeUndefined()
    expect(paying(MOST)).toBeUndefined()
    expect(paying(MOST - 1n, 1n)).toBeUndefined()
    expect(paying(-1n)).toBe("bad-txns-vout-negative")
    expect(paying(-(2n ** 63n))).toBe("bad-txns-vout-negative")
    expect(paying(MOST + 1n)).toBe("bad-txns-vout-toolarge")
    expect(paying(2n ** 63n - 1n)).toBe("bad-txns-vout-toolarge")
    expect(paying(MOST, 1n)).toBe("bad-txns-txouttotal-toolarge")
    expect(paying(MOST, MOST, -1n)).toBe("bad-txns-txouttotal-toolarge")
    expect(paying(1n, -1n, MOST + 1n)).toBe("bad-txns-vout-negative")
  })

  it("spends nothing twice, and only a coinbase spends nothing", () => {
    const nothing = coinbase().inputs[0] as TxInput
    expect(faultOf(spend(1, { inputs: [inputOf(1), inputOf(2), inputOf(1)] }))).toBe("bad-txns-inputs-duplicate")
    expect(faultOf(spend(1, { inputs: [inputOf(1), inputOf(1, 1)] }))).toBeUndefined()
    expect(faultOf(spend(1, { inputs: [inputOf(1), nothing] }))).toBe("bad-txns-prevout-null")
    expect(faultOf(spend(1, { inputs: [nothing, nothing] }))).toBe("bad-txns-inputs-duplicate")
    expect(faultOf(spend(1, { inputs: [inputOf(0), inputOf(0, 1)] }))).toBeUndefined()
    expect(faultOf(spend(1, { inputs: [inputOf(0xff, 0xffffffff), inputOf(1)] }))).toBeUndefined()
  })
})

describe("one walk over a transaction", () => {
  it("finds its fault, its signature operations, whether it is a coinbase and whether lock times count", () => {
    const found = (tx: Transaction): unknown => ({ ...transactionFindings(TransactionView.of(tx)) })
    const signing = spend(1, {
      inputs: [inputOf(1, 0, { scriptSig: Uint8Array.of(0xac) })],
      outputs: [outputOf(1n, [0xae])]
    })
    expect(found(signing)).toMatchObject({ rule: undefined, isCoinbase: false, sigOps: 21, isFinalised: true })
    const locked = spend(1, { inputs: [inputOf(1, 0, { sequence: 7 })], outputs: [] })
    expect(found(locked)).toMatchObject({ rule: "bad-txns-vout-empty", isFinalised: false })
    expect(found(coinbase())).toMatchObject({ rule: undefined, isCoinbase: true })
  })
})

/** An outpoint that has one word of its mix in common with all that are made with another `salt`. */
const colliding = (salt: number): TxInput => {
  const txid = new Uint8Array(32)
  new DataView(txid.buffer).setUint32(28, salt, false)
  return { ...inputOf(0), previousOutput: { txid: txid as Uint8Array as Txid, index: 5 } }
}

describe("inputs that somebody chose", () => {
  const count = 20_000

  it.each([
    ["of one transaction", (i: number) => inputOf(7, i)],
    ["that all look alike to a mix", colliding]
  ])("%s are told apart in time, and a twin among them is found", (_, make) => {
    const inputs = Array.from({ length: count }, (_unused, i) => make(i))
    expect(faultOf(spend(1, { inputs }))).toBeUndefined()
    for (const [from, to] of [
      [0, count - 1],
      [count / 2, count / 2 + 1]
    ] as const) {
      expect(faultOf(spend(1, { inputs: inputs.with(to, inputs[from] as TxInput) }))).toBe("bad-txns-inputs-duplicate")
    }
  })
})

/** Transactions of few outpoints and near amounts, which break rules often. */
const small = fc
  .tuple(
    arbitraryTransaction,
    fc.array(fc.tuple(fc.nat(3), fc.constantFrom(0, 1, 0xffffffff)), { maxLength: 24, minLength: 1 }),
    fc.array(fc.oneof(fc.bigInt(0n, MOST), fc.bigInt(0n, 9n), arbitraryAmount), { maxLength: 4 }),
    fc.boolean()
  )
  .map(([tx, outpoints, amounts, isNear]): Transaction => ({
    ...tx,
    inputs: outpoints.map(([fill, index], i) => ({
      ...inputOf(fill, index > 1 ? index : index + (isNear ? 2 * i : 0)),
      scriptSig: tx.inputs[i]?.scriptSig ?? new Uint8Array(i)
    })),
    outputs: amounts.map((amount) => outputOf(amount))
  }))

describe("beside a naive model over objects", () => {
  it("the rules of a transaction are the same", () => {
    const seen = new Set<string | undefined>()
    fc.assert(
      fc.property(fc.oneof(small, arbitraryTransaction), (tx) => {
        const expected = naiveTransactionFault(tx)
        seen.add(expected)
        expect(faultOf(tx)).toBe(expected)
      }),
      { numRuns: 3000, seed: 7 }
    )
    expect(seen.size).toBe(8)
  })

  it("lock times are the same", () => {
    const edges = [0, 99, 100, 101, 499_999_999, 500_000_000, 500_000_100, 500_000_101, 0xffffffff]
    fc.assert(
      fc.property(
        arbitraryTransaction,
        fc.constantFrom(...edges),
        fc.constantFrom(100, 0xffffffff),
        (tx, lockTime, cutoff) => {
          const inputs = tx.inputs.map((input, i) => ({
            ...input,
            sequence: i % 2 === 0 ? 0xffffffff : input.sequence
          }))
          const locked = { ...tx, lockTime, inputs }
          const time = cutoff === 100 ? 500_000_101 : cutoff
          expect(isFinalTransaction(TransactionView.of(locked), 100, time)).toBe(naiveIsFinal(locked, 100, time))
        }
      ),
      { numRuns: 1000 }
    )
  })

  it("signature operations are the same, in scripts of any bytes", () => {
    const opcode = fc.oneof(fc.constantFrom(0xac, 0xad, 0xae, 0xaf), fc.constantFrom(1, 2, 75, 76, 77, 78), fc.nat(255))
    fc.assert(
      fc.property(fc.array(opcode, { maxLength: 80 }), (script) => {
        const bytes = Uint8Array.from(script)
        expect(legacySigOps(bytes)).toBe(naiveSigOps(bytes))
      }),
      { numRuns: 5000 }
    )
  })
})

describe("the signature operations of a script", () => {
  it.each([
    ["", 0],
    ["ac", 1],
    ["ad", 1],
    ["ae", 20],
    ["af", 20],
    ["51ae", 20],
    ["01acac", 1],
    ["4c02acacac", 1],
    ["4d0100acac", 1],
    ["4e01000000acac", 1],
    ["ac4cff", 1],
    ["ac4d01", 1],
    ["ac4effffffffac", 1],
    ["ac05acac", 1],
    ["6aac", 1],
    ["76a91400112233445566778899aabbccddeeff0011223388ac", 1]
  ])("of %s are %i", (hex, count) => {
    const script = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    expect(legacySigOps(script)).toBe(count)
    expect(legacySigOps(Uint8Array.from([0xac, ...script, 0xac]), 1, 1 + script.length)).toBe(count)
  })
})
