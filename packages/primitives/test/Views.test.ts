import { type DecodeResult, decode, encode } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { arbitraryBlock, arbitraryTransaction, describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  BlockView,
  type Transaction,
  TransactionView,
  blockMerkleRoot,
  hasWitness,
  readBlock,
  readTransaction,
  transactionSize,
  transactionWeight,
  txid,
  witnessMerkleRoot,
  writeTransaction,
  wtxid
} from "../src/index.ts"

const encoded = (tx: Transaction): Uint8Array => encode(transactionSize(tx), (w) => writeTransaction(w, tx))

const summary = (result: DecodeResult<unknown>): string =>
  Result.isSuccess(result) ? `${result.success.bytesLeft} left` : result.failure.kind

/** Bytes of a transaction with some of them changed, cut or added. */
const mutated = fc
  .tuple(arbitraryTransaction, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(30), fc.nat(3))
  .map(([tx, changes, cut, more]) => {
    const bytes = encoded(tx)
    for (const [at, value] of changes) bytes[at % bytes.length] = value
    const kept = bytes.subarray(0, Math.max(0, bytes.length - (cut > 20 ? cut - 20 : 0)))
    const whole = new Uint8Array(kept.length + more)
    whole.set(kept)
    return whole
  })

describe("a view of a transaction", () => {
  it("says of it what its objects say", () => {
    fc.assert(
      fc.property(arbitraryTransaction, (tx) => {
        const view = TransactionView.of(tx)
        expect(view.bytes).toEqual(encoded(tx))
        expect(view.materialise()).toEqual(tx)
        expect([view.version, view.lockTime, view.weight]).toEqual([tx.version, tx.lockTime, transactionWeight(tx)])
        expect(view.strippedSize).toBe(transactionSize(tx, false))
        expect(view.txid(portableSha256)).toEqual(txid(portableSha256, tx))
        expect(view.wtxid(portableSha256)).toEqual(wtxid(portableSha256, tx))
        const copied = view.copied()
        view.bytes.fill(0xee)
        expect(copied.materialise()).toEqual(tx)
      })
    )
  })

  it("is of exactly the bytes that objects can be made of", () => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        expect(summary(TransactionView.decode(bytes))).toBe(summary(decode(bytes, readTransaction)))
      }),
      { numRuns: 3000 }
    )
  })

  it.each([
    ["a flag that is not 1", "0100000000027b00000000"],
    ["witnesses that are all empty", `01000000000101${"00".repeat(36)}00ffffffff010000000000000000000000000000`],
    ["a count that is not minimal", `01000000fd0100${"00".repeat(36)}00ffffffff0100000000000000000000000000`],
    ["more inputs than bytes", "01000000fe0000000200000000"]
  ])("refuses %s", (_, hex) => {
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    expect(summary(TransactionView.decode(bytes))).toBe("malformed")
    expect(summary(decode(bytes, readTransaction))).toBe("malformed")
  })
})

describe("a view of a block", () => {
  it("says of it what its objects say", () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        const view = BlockView.of(block)
        expect(view.materialise()).toEqual(block)
        expect(view.header).toEqual(block.header)
        expect(view.transactionCount).toBe(block.transactions.length)
        expect(view.merkleRoot(portableSha256)).toEqual(blockMerkleRoot(portableSha256, block.transactions))
        block.transactions.forEach((tx, i) => {
          expect(view.transaction(i).materialise()).toEqual(tx)
          expect(view.hasWitness(i)).toBe(hasWitness(tx))
        })
        expect(view.wtxids(portableSha256, view.txids(portableSha256))).toEqual(view.wtxids(portableSha256))
        const weights = block.transactions.map(transactionWeight)
        const around = view.bytes.length - block.transactions.reduce((sum, tx) => sum + transactionSize(tx), 0)
        expect(view.weight).toBe(weights.reduce((sum, weight) => sum + weight, 4 * around))
      }),
      { numRuns: 50 }
    )
  })

  it("is joined of a header and transactions as it is decoded of its bytes", () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        const view = BlockView.of(block)
        expect(
          BlockView.join(
            view.rawHeader,
            block.transactions.map((tx) => TransactionView.of(tx))
          )
        ).toEqual(view)
      }),
      { numRuns: 50 }
    )
  })

  it("names the transaction that it does not have", () => {
    const view = BlockView.of({ header: genesisLike, transactions: [] })
    expect(() => view.transaction(0)).toThrow(RangeError)
  })
})

const genesisLike = {
  version: 1,
  previousBlock: new Uint8Array(32) as never,
  merkleRoot: new Uint8Array(32),
  time: 0,
  bits: 0,
  nonce: 0
}

describeWithData(describe, "views of real blocks", (data) => {
  const files = data.list("blocks/mainnet").filter((name) => name.endsWith(".bin"))

  it.each(files)("%s: every hash and both roots equal those of its objects", (file) => {
    const bytes = data.bytes(`blocks/mainnet/${file}`)
    const view = Result.getOrThrow(BlockView.decode(bytes)).value
    const block = Result.getOrThrow(decode(bytes, readBlock)).value
    expect(view.bytes).toEqual(bytes)
    expect(view.merkleRoot(portableSha256).root).toEqual(view.header.merkleRoot)
    expect(view.witnessMerkleRoot(portableSha256)).toEqual(witnessMerkleRoot(portableSha256, block.transactions))
    expect(view.wtxids(portableSha256, view.txids(portableSha256))).toEqual(view.wtxids(portableSha256))
    block.transactions.forEach((tx, i) => {
      if (i % 50 === 0) expect(view.transaction(i).txid(portableSha256)).toEqual(txid(portableSha256, tx))
    })
  })
})
