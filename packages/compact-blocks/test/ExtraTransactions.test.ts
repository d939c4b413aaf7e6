import { toHex } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { Satoshis, TransactionView, type Wtxid } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { EXTRA_TRANSACTION_BYTES, ExtraTransactions, MAX_EXTRA_TRANSACTIONS } from "../src/index.ts"
import { begun, compact, madeBlock, transactionsOf, whole } from "./Blocks.ts"

const block = madeBlock(130)
const transactions = transactionsOf(block)
const wtxids = transactions.map((tx) => tx.wtxid(portableSha256))

const added = (from: number, to: number): ExtraTransactions => {
  const extra = new ExtraTransactions()
  for (let i = from; i < to; i++) extra.add(transactions[i] as TransactionView, wtxids[i] as Wtxid)
  return extra
}

describe("transactions beside the mempool", () => {
  it("are the last hundred, each with its wtxid", () => {
    const extra = added(0, 130)
    expect(extra.count).toBe(MAX_EXTRA_TRANSACTIONS)
    const held = Array.from({ length: extra.count }, (_, slot) => extra.transaction(slot))
    held.forEach((tx, slot) => {
      expect(extra.wtxids.subarray(32 * slot, 32 * slot + 32)).toEqual(tx.wtxid(portableSha256))
    })
    const names = (list: ReadonlyArray<TransactionView>): ReadonlyArray<string> =>
      list.map((tx) => toHex(tx.wtxid(portableSha256))).toSorted()
    expect(names(held)).toEqual(names(transactions.slice(30, 130)))
  })

  it("are found as a pool's are", () => {
    const partial = begun(compact(block), added(1, 61))
    expect(partial.missing).toEqual(Array.from({ length: 70 }, (_, i) => 61 + i))
    const { stats } = whole(partial.complete(transactions.slice(61)))
    expect(stats).toMatchObject({ transactions: 131, prefilled: 1, fromPools: [60], fetched: 70 })
  })

  it("are copies, and none of them is big", () => {
    const ofSize = (size: number): TransactionView => {
      const outputs = [{ amount: Satoshis(1n), scriptPubKey: new Uint8Array(size) }]
      return TransactionView.of({ ...block.transaction(1).materialise(), outputs })
    }
    const extra = new ExtraTransactions()
    const big = ofSize(EXTRA_TRANSACTION_BYTES)
    extra.add(big, big.wtxid(portableSha256))
    expect(extra.count).toBe(0)
    const small = ofSize(500)
    const bytes = small.bytes.slice()
    extra.add(small, small.wtxid(portableSha256))
    small.bytes.fill(0)
    expect(extra.transaction(0).bytes).toEqual(bytes)
  })
})
