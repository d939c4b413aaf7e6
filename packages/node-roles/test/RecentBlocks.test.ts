import { BlockView, type Satoshis, type Txid, ZERO_HASH } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { RECENT_BLOCKS, RECENT_BLOCK_BYTES, RecentBlocks } from "../src/index.ts"

const blockOf = (sizeBytes: number): BlockView => {
  const previousOutput = { txid: new Uint8Array(32) as Txid, index: 0 }
  return BlockView.of({
    header: { version: 1, previousBlock: ZERO_HASH, merkleRoot: new Uint8Array(32), time: 0, bits: 0, nonce: 0 },
    transactions: [
      {
        version: 1,
        inputs: [{ previousOutput, scriptSig: new Uint8Array(0), sequence: 0, witness: [] }],
        outputs: [{ amount: 0n as Satoshis, scriptPubKey: new Uint8Array(sizeBytes) }],
        lockTime: 0
      }
    ]
  })
}

describe("blocks that were looked at last", () => {
  it("are at hand up to a number, the oldest gone first", () => {
    const recent = new RecentBlocks()
    const block = blockOf(100)
    for (let header = 0; header < RECENT_BLOCKS + 3; header++) recent.add(header, block)
    const has = (header: number): boolean => recent.get(header) !== undefined
    expect([has(2), has(3), has(RECENT_BLOCKS + 2)]).toEqual([false, true, true])
  })

  it("take no more memory than they may, but that the newest stays", () => {
    const recent = new RecentBlocks()
    const big = blockOf(RECENT_BLOCK_BYTES / 2)
    for (const header of [1, 2, 3]) recent.add(header, big)
    expect([1, 2, 3].filter((header) => recent.get(header) !== undefined)).toEqual([3])
    recent.add(4, blockOf(RECENT_BLOCK_BYTES + 1000))
    expect([3, 4].filter((header) => recent.get(header) !== undefined)).toEqual([4])
  })

  it("count once where one comes again", () => {
    const recent = new RecentBlocks()
    const third = blockOf(RECENT_BLOCK_BYTES / 3)
    recent.add(1, third)
    for (let again = 0; again < 5; again++) recent.add(2, third)
    expect(recent.get(1)).toBe(third)
  })
})
