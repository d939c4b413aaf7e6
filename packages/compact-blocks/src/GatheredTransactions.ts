/** The transactions of a block as they come together, with the hashes that are known, and what they weigh. */
import { compactSizeLength } from "@satwire/bytes"
import type { TransactionHashes } from "@satwire/consensus"
import { ID_BYTES, type Sha256 } from "@satwire/crypto"
import { BlockView, HEADER_SIZE, type TransactionView, WITNESS_SCALE_FACTOR } from "@satwire/primitives"
import { HASH_WORDS, copyHash } from "./PoolScan.ts"

export class GatheredTransactions {
  /** What a block of these weighs. */
  weight: number
  readonly #transactions: Array<TransactionView | undefined>
  readonly txids: Int32Array<ArrayBuffer>
  readonly wtxids: Int32Array<ArrayBuffer>
  /** 1 where both hashes of a transaction are known. */
  readonly #isHashed: Uint8Array

  constructor(count: number) {
    this.weight = WITNESS_SCALE_FACTOR * (HEADER_SIZE + compactSizeLength(count))
    this.#transactions = new Array<TransactionView | undefined>(count).fill(undefined)
    this.txids = new Int32Array(HASH_WORDS * count)
    this.wtxids = new Int32Array(HASH_WORDS * count)
    this.#isHashed = new Uint8Array(count)
  }

  put(number: number, tx: TransactionView): void {
    this.#transactions[number] = tx
    this.weight += tx.weight
  }

  /** The wtxid of a transaction that was put is in the column, and perhaps its txid. Without a witness both are one. */
  knowsWtxid(number: number, knowsTxid: boolean): void {
    if (!knowsTxid) {
      if (this.#transactions[number]?.hasWitness !== false) return
      copyHash(this.wtxids, number, this.txids, number)
    }
    this.#isHashed[number] = 1
  }

  missing(): Array<number> {
    const numbers: Array<number> = []
    for (let i = 0; i < this.#transactions.length; i++) if (this.#transactions[i] === undefined) numbers.push(i)
    return numbers
  }

  /** The block of them all. */
  join(rawHeader: Uint8Array): BlockView {
    return BlockView.join(rawHeader, this.#transactions as ReadonlyArray<TransactionView>)
  }

  /** All hashes of the block that they make. */
  hashes(sha256: Sha256, block: BlockView): TransactionHashes {
    const count = this.#transactions.length
    let unknown = 0
    for (let i = 0; i < count; i++) unknown += 1 - (this.#isHashed[i] as number)
    // In one batch all cost little more than half of them one by one (measured).
    if (2 * unknown > count) {
      const txids = block.txids(sha256)
      return { txids, wtxids: block.wtxids(sha256, txids) }
    }
    const hashes = { txids: new Uint8Array(this.txids.buffer), wtxids: new Uint8Array(this.wtxids.buffer) }
    for (let i = 0; i < count; i++) {
      if (this.#isHashed[i] === 1) continue
      const tx = this.#transactions[i] as TransactionView
      const txid = tx.txid(sha256)
      hashes.txids.set(txid, ID_BYTES * i)
      hashes.wtxids.set(tx.hasWitness ? tx.wtxid(sha256) : txid, ID_BYTES * i)
    }
    // As the block's commitment has it.
    hashes.wtxids.fill(0, 0, ID_BYTES)
    return hashes
  }
}
