import { concat } from "@satwire/bytes"
import { arbitraryBlock, arbitraryTransaction } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BLOCK_PARTS, BlockView, type Transaction, TransactionParts, TransactionView } from "../src/index.ts"

interface Parts {
  readonly outpoints: ReadonlyArray<readonly [txid: Uint8Array, index: number]>
  readonly outputs: ReadonlyArray<readonly [amount: number, script: Uint8Array]>
}

const walked = (bytes: Uint8Array, start: number): Parts => {
  const outpoints: Array<readonly [Uint8Array, number]> = []
  const outputs: Array<readonly [number, Uint8Array]> = []
  const parts = new TransactionParts().begin(bytes, start)
  while (parts.nextInput()) outpoints.push([bytes.slice(parts.outpoint, parts.outpoint + 32), parts.outpointIndex])
  while (parts.nextOutput()) outputs.push([parts.amount, bytes.slice(parts.scriptStart, parts.scriptEnd)])
  return { outpoints, outputs }
}

const partsOf = (tx: Transaction): Parts => ({
  outpoints: tx.inputs.map(({ previousOutput }) => [previousOutput.txid, previousOutput.index]),
  outputs: tx.outputs.map(({ amount, scriptPubKey }) => [Number(amount), scriptPubKey])
})

describe("a walk over the parts of a transaction", () => {
  it("meets what its objects have, wherever its bytes lie", () => {
    fc.assert(
      fc.property(arbitraryTransaction, fc.nat(9), (tx, before) => {
        const { bytes } = TransactionView.of(tx)
        expect(walked(concat([new Uint8Array(before).fill(0xff), bytes]), before)).toEqual(partsOf(tx))
      })
    )
  })

  it("passes over the inputs for who asks for outputs alone", () => {
    fc.assert(
      fc.property(arbitraryTransaction, fc.nat(2), (tx, read) => {
        const parts = new TransactionParts().begin(TransactionView.of(tx).bytes)
        for (let i = 0; i < read; i++) parts.nextInput()
        const amounts: Array<number> = []
        while (parts.nextOutput()) amounts.push(parts.amount)
        expect(amounts).toEqual(tx.outputs.map(({ amount }) => Number(amount)))
        expect(parts.nextInput()).toBe(false)
      })
    )
  })

  it("goes through a block by its table of places", () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        const { bytes, parts, transactionCount } = BlockView.of(block)
        const all = Array.from({ length: transactionCount }, (_, i) => walked(bytes, parts[BLOCK_PARTS * i] as number))
        expect(all).toEqual(block.transactions.map(partsOf))
      }),
      { numRuns: 50 }
    )
  })
})

describe("a view of bytes that were scanned before", () => {
  it("is the view that the scan gave", () => {
    fc.assert(
      fc.property(arbitraryTransaction, (tx) => {
        const scanned = TransactionView.of(tx)
        const known = TransactionView.known(scanned.bytes, scanned.strippedSize)
        expect([known.hasWitness, known.strippedSize, known.weight]).toEqual([
          scanned.hasWitness,
          scanned.strippedSize,
          scanned.weight
        ])
        expect(known.materialise()).toEqual(tx)
      })
    )
  })
})
