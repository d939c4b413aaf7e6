import { concat } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { BlockView, type Transaction, blockSize, transactionSize } from "@satwire/primitives"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { checkBlock, checkBlockBytes, isBlockMutated } from "../src/index.ts"
import {
  CUTOFF,
  HEIGHT,
  blockOf,
  coinbase,
  committing,
  context,
  faultOf,
  inputOf,
  invalid,
  mutation,
  outputOf,
  spend
} from "./GoodBlocks.ts"

const CHECKSIG = 0xac
const CHECKMULTISIG = 0xae
const PUSH_2 = 2

const isMutated = (transactions: ReadonlyArray<Transaction>, hasWitness = true): boolean =>
  isBlockMutated(portableSha256, BlockView.of(blockOf(transactions)), hasWitness)

/** A transaction with a witness. */
const witnessed = (fill: number): Transaction =>
  spend(fill, { inputs: [inputOf(fill, 0, { witness: [Uint8Array.of(1)] })] })

describe("a block that keeps every rule", () => {
  it("has no fault, with witnesses and without, alone and with others", () => {
    expect(faultOf([coinbase()])).toBeUndefined()
    expect(faultOf([coinbase(), spend(1), spend(2)])).toBeUndefined()
    expect(faultOf(committing([coinbase()]))).toBeUndefined()
    expect(faultOf(committing([coinbase(), spend(1), witnessed(2), spend(3), witnessed(4)]))).toBeUndefined()
    expect(isMutated(committing([coinbase(), witnessed(1), spend(2)]))).toBe(false)
  })

  it("may commit to witnesses before they are active, when nobody looks", () => {
    const [first, ...others] = committing([coinbase(), spend(1)])
    const bare = { ...(first as Transaction), inputs: coinbase().inputs }
    expect(faultOf([bare, ...others], { hasWitness: false })).toBeUndefined()
    expect(faultOf([bare, ...others])).toEqual(mutation("bad-witness-nonce-size", 0))
  })
})

describe("the tree of a block", () => {
  it("has the root that the header has, or the bytes are another block (bad-txnmrklroot)", () => {
    const block = blockOf([coinbase(), spend(1)])
    const root = block.header.merkleRoot.slice()
    root[31] = (root[31] as number) ^ 0x80
    expect(faultOf({ ...block, header: { ...block.header, merkleRoot: root } })).toEqual(mutation("bad-txnmrklroot"))
    expect(faultOf({ ...block, transactions: [coinbase(), spend(2)] })).toEqual(mutation("bad-txnmrklroot"))
    expect(faultOf({ ...block, transactions: [] })).toEqual(mutation("bad-txnmrklroot"))
  })

  it("is never one whose tail is doubled, however deep (bad-txns-duplicate, CVE-2012-2459)", () => {
    for (const count of [1, 2, 3, 5, 6, 7, 9, 10, 12]) {
      const transactions = [coinbase(), ...Array.from({ length: count - 1 }, (_, i) => spend(i + 1))]
      const good = blockOf(transactions)
      // The last 2^k of a list whose number is an odd multiple of it, repeated, give the same root.
      let size = 1
      while (count % (2 * size) === 0) size *= 2
      if (count === size) continue
      const doubled = { ...good, transactions: [...transactions, ...transactions.slice(-size)] }
      expect(faultOf(good)).toBeUndefined()
      expect(faultOf(doubled)).toEqual(mutation("bad-txns-duplicate"))
      expect(isBlockMutated(portableSha256, BlockView.of(doubled), true)).toBe(true)
    }
  })

  it("may hold two equal transactions that are no neighbours, which coins will refuse", () => {
    expect(faultOf([coinbase(), spend(1), spend(2), spend(1)])).toBeUndefined()
  })
})

describe("the size of a block", () => {
  /** A block of so many bytes without witnesses. */
  const ofSize = (size: number, transactions: ReadonlyArray<Transaction>): ReadonlyArray<Transaction> => {
    const fill = (length: number): Transaction =>
      spend(9, { inputs: [inputOf(9, 0, { scriptSig: new Uint8Array(length) })] })
    const before = blockSize(blockOf([...transactions, fill(size / 2)]), false)
    return [...transactions, fill(size / 2 + size - before)]
  }

  it("is at most 1,000,000 bytes without witnesses (bad-blk-length)", () => {
    expect(faultOf(ofSize(1_000_000, [coinbase()]))).toBeUndefined()
    expect(faultOf(ofSize(1_000_001, [coinbase()]))).toEqual(invalid("bad-blk-length"))
  })

  it("weighs at most 4,000,000 with them (bad-blk-weight)", () => {
    const heavy = (length: number): ReadonlyArray<Transaction> =>
      committing([coinbase(), spend(1, { inputs: [inputOf(1, 0, { witness: [new Uint8Array(length)] })] })])
    const weightOf = (transactions: ReadonlyArray<Transaction>): number => BlockView.of(blockOf(transactions)).weight
    const length = 3_000_000 + 4_000_000 - weightOf(heavy(3_000_000))
    expect(weightOf(heavy(length))).toBe(4_000_000)
    expect(faultOf(heavy(length))).toBeUndefined()
    expect(faultOf(heavy(length + 1))).toEqual(invalid("bad-blk-weight"))
  })

  it("is more than nothing", () => {
    const none = { ...blockOf([]), transactions: [] }
    expect(faultOf(none)).toEqual(invalid("bad-blk-length"))
    expect(faultOf(none, { hasWitness: false })).toEqual(invalid("bad-blk-length"))
  })
})

describe("the coinbase of a block", () => {
  it("is the first transaction (bad-cb-missing) and no other (bad-cb-multiple)", () => {
    expect(faultOf([spend(1), coinbase()])).toEqual(invalid("bad-cb-missing", 0))
    expect(faultOf([coinbase(), spend(1), coinbase()])).toEqual(invalid("bad-cb-multiple", 2))
    expect(faultOf([coinbase({ inputs: [inputOf(0, 0xfffffffe)] })])).toEqual(invalid("bad-cb-missing", 0))
    expect(faultOf([coinbase({ inputs: [...coinbase().inputs, inputOf(1)] })])).toEqual(invalid("bad-cb-missing", 0))
  })

  it("has a script of 2 to 100 bytes (bad-cb-length)", () => {
    const ofLength = (length: number): ReadonlyArray<Transaction> => [
      coinbase({ inputs: [inputOf(0, 0xffffffff, { scriptSig: new Uint8Array(length) })] })
    ]
    const anyHeight = { hasHeight: false }
    for (const length of [2, 100]) expect(faultOf(ofLength(length), anyHeight)).toBeUndefined()
    for (const length of [0, 1, 101, 300]) {
      expect(faultOf(ofLength(length), anyHeight)).toEqual(invalid("bad-cb-length", 0))
    }
  })

  it("begins with the height since BIP-0034 (bad-cb-height)", () => {
    for (const height of [1, 16, 17, 127, 128, 255, 256, 32_767, 32_768, 65_536, 8_388_607, 8_388_608]) {
      const at = (claimed: number): ReadonlyArray<Transaction> => [coinbase({}, claimed)]
      expect(faultOf(at(height), { height })).toBeUndefined()
      expect(faultOf(at(height + 1), { height })).toEqual(invalid("bad-cb-height", 0))
      expect(faultOf(at(height + 1), { height, hasHeight: false })).toBeUndefined()
    }
  })

  it("has the height in its shortest push, whole", () => {
    const starting = (...script: ReadonlyArray<number>): ReadonlyArray<Transaction> => [
      coinbase({ inputs: [inputOf(0, 0xffffffff, { scriptSig: Uint8Array.from(script) })] })
    ]
    expect(faultOf(starting(2, 0xe8, 3), { height: 1000 })).toBeUndefined()
    expect(faultOf(starting(3, 0xe8, 3, 0), { height: 1000 })).toEqual(invalid("bad-cb-height", 0))
    expect(faultOf(starting(0x4c, 2, 0xe8, 3), { height: 1000 })).toEqual(invalid("bad-cb-height", 0))
    expect(faultOf(starting(2, 0xe8), { height: 1000 })).toEqual(invalid("bad-cb-height", 0))
    // What would be missing stands in the sequence number.
    const inputs = [inputOf(0, 0xffffffff, { scriptSig: Uint8Array.of(2, 0xe8), sequence: 3 })]
    expect(faultOf([coinbase({ inputs })], { height: 1000 })).toEqual(invalid("bad-cb-height", 0))
  })
})

describe("the signature operations of a block", () => {
  /** A block with so many, spread over scripts of inputs and outputs, and some behind a push that is cut short. */
  const asking = (count: number): ReadonlyArray<Transaction> => {
    const singles = Array<number>(count - 20 * Math.floor(count / 20)).fill(CHECKSIG)
    const many = Array<number>(Math.floor(count / 20)).fill(CHECKMULTISIG)
    return [
      coinbase({ outputs: [outputOf(0n, singles)] }),
      spend(1, { outputs: [outputOf(1n, many.slice(1))] }),
      spend(2, { inputs: [inputOf(2, 0, { scriptSig: Uint8Array.of(CHECKMULTISIG, PUSH_2, CHECKSIG) })] })
    ]
  }

  it("are at most 20,000, a check of many counted as twenty (bad-blk-sigops)", () => {
    expect(faultOf(asking(20_000))).toBeUndefined()
    expect(faultOf(asking(20_001))).toEqual(invalid("bad-blk-sigops"))
  })
})

describe("the lock time of a transaction in a block", () => {
  const locked = (lockTime: number, sequence = 0): ReadonlyArray<Transaction> => [
    coinbase(),
    spend(1, { lockTime, inputs: [inputOf(1, 0, { sequence }), inputOf(2)] })
  ]
  const fault = invalid("bad-txns-nonfinal", 1)

  it("is a height below the block's, or a time below the median (bad-txns-nonfinal, BIP-0113)", () => {
    for (const lockTime of [0, HEIGHT - 1, 500_000_000, CUTOFF - 1]) expect(faultOf(locked(lockTime))).toBeUndefined()
    for (const lockTime of [HEIGHT, 499_999_999, CUTOFF, 0xffffffff]) expect(faultOf(locked(lockTime))).toEqual(fault)
  })

  it("does not count where every input has the last sequence number", () => {
    expect(faultOf(locked(HEIGHT, 0xffffffff))).toBeUndefined()
    expect(faultOf(locked(HEIGHT, 0xfffffffe))).toEqual(fault)
    expect(faultOf(locked(HEIGHT, 0x7fffffff))).toEqual(fault)
  })

  it("counts as passed where it is a time and the median is not known", () => {
    expect(faultOf(locked(0xffffffff), { lockTimeCutoff: undefined })).toBeUndefined()
    expect(faultOf(locked(HEIGHT), { lockTimeCutoff: undefined })).toEqual(fault)
  })

  it("is asked of the coinbase, too", () => {
    const inputs = [{ ...(coinbase().inputs[0] as Transaction["inputs"][number]), sequence: 0 }]
    expect(faultOf([coinbase({ lockTime: HEIGHT, inputs })])).toEqual(invalid("bad-txns-nonfinal", 0))
  })
})

describe("the witnesses of a block", () => {
  const good = committing([coinbase(), witnessed(1), spend(2)])
  const [first, ...others] = good as readonly [Transaction, ...ReadonlyArray<Transaction>]
  const withStack = (witness: ReadonlyArray<Uint8Array>): ReadonlyArray<Transaction> => [
    { ...first, inputs: first.inputs.map((input) => ({ ...input, witness })) },
    ...others
  ]

  it("are committed to over a reserved value of 32 bytes (bad-witness-nonce-size)", () => {
    for (const witness of [
      [],
      [new Uint8Array(31)],
      [new Uint8Array(33)],
      [new Uint8Array(300)],
      [new Uint8Array(32), new Uint8Array(0)],
      [new Uint8Array(0)]
    ]) {
      expect(faultOf(withStack(witness))).toEqual(mutation("bad-witness-nonce-size", 0))
      expect(isMutated(withStack(witness))).toBe(true)
      expect(isMutated(withStack(witness), false)).toBe(true)
    }
  })

  it("are not looked for where none are, in a lock time that looks like a stack", () => {
    const locked = { ...first, lockTime: 1 + 256 * 32, inputs: coinbase().inputs }
    expect(faultOf([locked, ...others])).toEqual(mutation("bad-witness-nonce-size", 0))
  })

  it("are those committed to (bad-witness-merkle-match)", () => {
    const fault = mutation("bad-witness-merkle-match", 0)
    expect(faultOf(withStack([new Uint8Array(32).fill(1)]))).toEqual(fault)
    const other = spend(1, { inputs: [inputOf(1, 0, { witness: [Uint8Array.of(2)] })] })
    expect(faultOf([first, other, spend(2)])).toEqual(fault)
    expect(faultOf([first, spend(1), spend(2)])).toEqual(fault)
  })

  it("are committed to by the last output that has the form, also with more behind the hash", () => {
    const decoy = outputOf(0n, [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed, ...new Uint8Array(32)])
    const transactions = [coinbase({ outputs: [decoy] }), witnessed(1)]
    expect(faultOf(committing(transactions))).toBeUndefined()
    expect(faultOf(committing(transactions, Uint8Array.of(1, 2, 3)))).toBeUndefined()
    const [committed, ...rest] = committing(transactions) as readonly [Transaction, Transaction]
    const outputs = [...committed.outputs].reverse()
    expect(faultOf([{ ...committed, outputs }, ...rest])).toEqual(mutation("bad-witness-merkle-match", 0))
    const short = outputOf(0n, [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed, ...new Uint8Array(31)])
    expect(faultOf([{ ...committed, outputs: [...committed.outputs, short] }, ...rest])).toBeUndefined()
  })

  it("are in no block that does not commit to them (unexpected-witness)", () => {
    expect(faultOf([coinbase(), spend(1), witnessed(2)])).toEqual(mutation("unexpected-witness", 2))
    expect(isMutated([coinbase(), spend(1), witnessed(2)])).toBe(true)
    expect(faultOf(good, { hasWitness: false })).toEqual(mutation("unexpected-witness", 0))
  })
})

describe("a block of transactions that may be hashes of another's tree", () => {
  /** A transaction of 64 bytes without witness. */
  const small = spend(1, { outputs: [outputOf(1n, [1, 2, 3, 4])] })

  it("is a mutation, whatever rule it breaks first", () => {
    expect(transactionSize(small)).toBe(64)
    expect(faultOf([small])).toEqual(mutation("bad-cb-missing", 0))
    expect(faultOf([spend(2), small])).toEqual(mutation("bad-cb-missing", 0))
    expect(isMutated([spend(2), small])).toBe(true)
    expect(faultOf([spend(2)])).toEqual(invalid("bad-cb-missing", 0))
    expect(isMutated([spend(2)])).toBe(false)
  })

  it("is judged like any other where it begins with a coinbase", () => {
    expect(faultOf([coinbase(), small])).toBeUndefined()
    expect(isMutated([coinbase(), small])).toBe(false)
    expect(faultOf([coinbase({}, HEIGHT + 1), small])).toEqual(invalid("bad-cb-height", 0))
  })
})

describe("of several faults", () => {
  it("the first in Core's order is named", () => {
    const insane = spend(2, { outputs: [outputOf(-1n)] })
    const locked = spend(3, { lockTime: HEIGHT, inputs: [inputOf(3, 0, { sequence: 0 })] })
    const greedy = spend(4, { outputs: [outputOf(1n, Array<number>(1001).fill(CHECKMULTISIG))] })
    const wrongHeight = coinbase({}, HEIGHT + 1)
    expect(faultOf([wrongHeight, witnessed(9), locked, greedy, insane, coinbase()])).toEqual(
      invalid("bad-cb-multiple", 5)
    )
    expect(faultOf([wrongHeight, witnessed(9), locked, greedy, insane])).toEqual(invalid("bad-txns-vout-negative", 4))
    expect(faultOf([wrongHeight, witnessed(9), locked, greedy])).toEqual(invalid("bad-blk-sigops"))
    expect(faultOf([wrongHeight, witnessed(9), locked])).toEqual(invalid("bad-txns-nonfinal", 2))
    expect(faultOf([wrongHeight, witnessed(9)])).toEqual(invalid("bad-cb-height", 0))
    expect(faultOf([coinbase(), witnessed(9)])).toEqual(mutation("unexpected-witness", 1))
  })
})

describe("bytes that are meant to be a block", () => {
  const { bytes } = BlockView.of(blockOf(committing([coinbase(), witnessed(1), spend(2)])))

  it("are undecodable where they are none, and a tail is no part of them", () => {
    expect(checkBlockBytes(portableSha256, bytes, context)).toBeUndefined()
    expect(checkBlockBytes(portableSha256, concat([bytes, bytes]), context)).toBeUndefined()
    for (const length of [0, 79, 80, bytes.length - 1]) {
      expect(checkBlockBytes(portableSha256, bytes.subarray(0, length), context)).toEqual(mutation("undecodable"))
    }
  })

  it("never throw, and are refused with any one bit flipped but those of the header that are its own", () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice()
      flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7))
      const ofHeader = bit < 8 * 36 || (bit >= 8 * 68 && bit < 8 * 80)
      expect(checkBlockBytes(portableSha256, flipped, context) === undefined).toBe(ofHeader)
      if (!ofHeader) expect(checkBlockBytes(portableSha256, flipped, context)?.isMutation).toBe(true)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (random) => {
        expect(checkBlockBytes(portableSha256, random, context)).toBeDefined()
      })
    )
  })
})

describe("a context with a challenge", () => {
  it("needs somebody who verifies signatures", () => {
    const block = BlockView.of(blockOf(committing([coinbase()])))
    const signet = { ...context, signetChallenge: Uint8Array.of(0x51) }
    expect(() => checkBlock(portableSha256, block, signet)).toThrow(RangeError)
  })
})
