/**
 * The transactions of the pool in columns, found by txid and by wtxid. Each has two numbers: its id, which stays, and its slot, which is
 * one of 0 to count - 1 at any time: where one leaves, the last one takes its slot.
 *
 * ```
 *   id     0      1      2      3            slot   0      1      2
 *   slot   1      –      2      0            id     3      0      2
 *                 free                       txid   │ 32 B │ 32 B │ 32 B │      one flat piece of memory
 *                                            wtxid  │ 32 B │ 32 B │ 32 B │      and another
 * ```
 */
import type { Random } from "@satwire/machine"
import { HashMix, MixTable, TransactionView, Txid, WITNESS_SCALE_FACTOR, Wtxid } from "@satwire/primitives"
import { widened } from "./Column.ts"
import type { PoolTransaction } from "./PoolResult.ts"
import { TransactionBytes } from "./TransactionBytes.ts"

const FIRST_ROWS = 64
const HASH_BYTES = 32

/** What is kept of a transaction beside its bytes. */
export interface NewEntry {
  readonly tx: TransactionView
  readonly txid: Txid
  readonly wtxid: Wtxid
  /** Satoshis; `undefined` where it is not known. */
  readonly fee: number | undefined
  readonly sigOpsCost: number
  /** Whether it spends a coinbase, as far as that is known. */
  readonly spendsCoinbase: boolean
  /** That of the followed chain. */
  readonly height: number
}

export class Entries {
  readonly bytes: TransactionBytes = new TransactionBytes()
  readonly #mix: HashMix
  readonly #byTxid: MixTable = new MixTable()
  readonly #byWtxid: MixTable = new MixTable()
  /** By slot. */
  #wtxids: Uint8Array<ArrayBuffer> = new Uint8Array(HASH_BYTES * FIRST_ROWS)
  #txids: Uint8Array<ArrayBuffer> = new Uint8Array(HASH_BYTES * FIRST_ROWS)
  #idOfSlot: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROWS)
  /** By id, as all that follow. */
  #slotOfId: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROWS)
  #strippedSize: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROWS)
  #sigOpsCost: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROWS)
  #spendsCoinbase: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_ROWS)
  #lockTime: Uint32Array<ArrayBuffer> = new Uint32Array(FIRST_ROWS)
  #height: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROWS)
  /** -1 where it is not known. */
  #fee: Float64Array<ArrayBuffer> = new Float64Array(FIRST_ROWS)
  #unix: Float64Array<ArrayBuffer> = new Float64Array(FIRST_ROWS)
  #sequence: Float64Array<ArrayBuffer> = new Float64Array(FIRST_ROWS)
  /** The order of arrival as a list. Of a free id the newer one is the next free id. */
  #older: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROWS)
  #newer: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROWS)
  #oldest = -1
  #newest = -1
  #ids = 0
  #freeId = -1
  #count = 0
  #lastSequence = 0

  constructor(random: Random) {
    this.#mix = new HashMix(random, "computed")
  }

  get count(): number {
    return this.#count
  }

  /** The sequence of what came last, which may have left; 0 where nothing ever came. */
  get lastSequence(): number {
    return this.#lastSequence
  }

  /** The wtxids of slots 0 to count - 1, 32 bytes each. What it gave before is no part of it once it has grown. */
  get wtxids(): Uint8Array {
    return this.#wtxids
  }

  /** Their txids in the same way. */
  get txids(): Uint8Array {
    return this.#txids
  }

  /** The id of the transaction that came first of those that are here, or -1. */
  get oldest(): number {
    return this.#oldest
  }

  /** Ids are below this. */
  get ids(): number {
    return this.#ids
  }

  idOfSlot(slot: number): number {
    return this.#idOfSlot[slot] as number
  }

  /** The id of the one that came next, or -1. */
  newer(id: number): number {
    return this.#newer[id] as number
  }

  /** The id of the one that came next after `sequence`, which `id` had, or -1. It may have left meanwhile: then it takes a walk from the oldest on. */
  after(id: number, sequence: number): number {
    if (this.#sequence[id] === sequence) return this.newer(id)
    let next = this.#oldest
    while (next >= 0 && this.sequence(next) <= sequence) next = this.newer(next)
    return next
  }

  /** The id of the transaction with the txid at `at` of `b`, or -1. */
  byTxid(b: Uint8Array, at: number = 0): number {
    const mix = this.#mix.of(b, at, at + HASH_BYTES)
    for (let id = this.#byTxid.first(mix); id >= 0; id = this.#byTxid.next(mix)) {
      if (isSame(this.#txids, HASH_BYTES * (this.#slotOfId[id] as number), b, at)) return id
    }
    return -1
  }

  /** As {@link byTxid}. */
  byWtxid(b: Uint8Array, at: number = 0): number {
    const mix = this.#mix.of(b, at, at + HASH_BYTES)
    for (let id = this.#byWtxid.first(mix); id >= 0; id = this.#byWtxid.next(mix)) {
      if (isSame(this.#wtxids, HASH_BYTES * (this.#slotOfId[id] as number), b, at)) return id
    }
    return -1
  }

  /** Takes in a transaction that is not here, copied, and gives its id. It is never older than the newest one. */
  add(entry: NewEntry, unix: number): number {
    const id = this.#take()
    const slot = this.#count++
    const { tx, txid, wtxid } = entry
    this.bytes.put(id, tx.bytes)
    this.#txids.set(txid, HASH_BYTES * slot)
    this.#wtxids.set(wtxid, HASH_BYTES * slot)
    this.#slotOfId[id] = slot
    this.#idOfSlot[slot] = id
    this.#strippedSize[id] = tx.strippedSize
    this.#sigOpsCost[id] = entry.sigOpsCost
    this.#spendsCoinbase[id] = entry.spendsCoinbase ? 1 : 0
    this.#lockTime[id] = tx.lockTime
    this.#height[id] = entry.height
    this.#fee[id] = entry.fee ?? -1
    this.#unix[id] = this.#newest < 0 ? unix : Math.max(unix, this.#unix[this.#newest] as number)
    this.#sequence[id] = ++this.#lastSequence
    this.#byTxid.add(this.#mix.of(txid, 0, HASH_BYTES), id)
    this.#byWtxid.add(this.#mix.of(wtxid, 0, HASH_BYTES), id)
    this.#older[id] = this.#newest
    this.#newer[id] = -1
    if (this.#newest >= 0) this.#newer[this.#newest] = id
    else this.#oldest = id
    this.#newest = id
    return id
  }

  delete(id: number): void {
    const slot = this.#slotOfId[id] as number
    this.#byTxid.delete(this.#mix.of(this.#txids, HASH_BYTES * slot, HASH_BYTES * (slot + 1)), id)
    this.#byWtxid.delete(this.#mix.of(this.#wtxids, HASH_BYTES * slot, HASH_BYTES * (slot + 1)), id)
    const last = --this.#count
    if (slot !== last) {
      const moved = this.#idOfSlot[last] as number
      for (const hashes of [this.#txids, this.#wtxids]) {
        hashes.copyWithin(HASH_BYTES * slot, HASH_BYTES * last, HASH_BYTES * (last + 1))
      }
      this.#idOfSlot[slot] = moved
      this.#slotOfId[moved] = slot
    }
    const older = this.#older[id] as number
    const newer = this.#newer[id] as number
    if (older >= 0) this.#newer[older] = newer
    else this.#oldest = newer
    if (newer >= 0) this.#older[newer] = older
    else this.#newest = older
    this.bytes.delete(id)
    this.#sequence[id] = 0
    this.#newer[id] = this.#freeId
    this.#freeId = id
  }

  /** Satoshis, or -1 where the fee is not known. */
  fee(id: number): number {
    return this.#fee[id] as number
  }

  /** The fee is known now, and whether a coinbase is spent. */
  learn(id: number, fee: number, spendsCoinbase: boolean): void {
    this.#fee[id] = fee
    this.#spendsCoinbase[id] = spendsCoinbase ? 1 : 0
  }

  sequence(id: number): number {
    return this.#sequence[id] as number
  }

  unix(id: number): number {
    return this.#unix[id] as number
  }

  sigOpsCost(id: number): number {
    return this.#sigOpsCost[id] as number
  }

  spendsCoinbase(id: number): boolean {
    return this.#spendsCoinbase[id] === 1
  }

  lockTime(id: number): number {
    return this.#lockTime[id] as number
  }

  /** The height of the followed chain when it came. */
  height(id: number): number {
    return this.#height[id] as number
  }

  hasWitness(id: number): boolean {
    return this.bytes.length(id) !== (this.#strippedSize[id] as number)
  }

  weight(id: number): number {
    return (WITNESS_SCALE_FACTOR - 1) * (this.#strippedSize[id] as number) + this.bytes.length(id)
  }

  /** Its weight as bytes, rounded up (BIP-0141 §"Transaction size calculations"). */
  vsize(id: number): number {
    return Math.ceil(this.weight(id) / WITNESS_SCALE_FACTOR)
  }

  transaction(id: number): TransactionView {
    return TransactionView.known(this.bytes.view(id), this.#strippedSize[id] as number)
  }

  /** All that is told of it. */
  describe(id: number): PoolTransaction {
    const slot = this.#slotOfId[id] as number
    const fee = this.fee(id)
    return {
      tx: this.transaction(id),
      txid: Txid(this.#txids.slice(HASH_BYTES * slot, HASH_BYTES * (slot + 1))),
      wtxid: Wtxid(this.#wtxids.slice(HASH_BYTES * slot, HASH_BYTES * (slot + 1))),
      fee: fee < 0 ? undefined : fee,
      feeRateSatPerKvb: fee < 0 ? undefined : (1000 * fee) / this.vsize(id),
      unix: this.unix(id),
      sequence: this.sequence(id)
    }
  }

  /** A free id, for which there is room. */
  #take(): number {
    const id = this.#freeId
    if (id >= 0) {
      this.#freeId = this.#newer[id] as number
      return id
    }
    if (this.#ids === this.#idOfSlot.length) this.#grow(2 * this.#ids)
    return this.#ids++
  }

  #grow(rows: number): void {
    this.#wtxids = widened(new Uint8Array(HASH_BYTES * rows), this.#wtxids)
    this.#txids = widened(new Uint8Array(HASH_BYTES * rows), this.#txids)
    this.#idOfSlot = widened(new Int32Array(rows), this.#idOfSlot)
    this.#slotOfId = widened(new Int32Array(rows), this.#slotOfId)
    this.#strippedSize = widened(new Int32Array(rows), this.#strippedSize)
    this.#sigOpsCost = widened(new Int32Array(rows), this.#sigOpsCost)
    this.#spendsCoinbase = widened(new Uint8Array(rows), this.#spendsCoinbase)
    this.#lockTime = widened(new Uint32Array(rows), this.#lockTime)
    this.#height = widened(new Int32Array(rows), this.#height)
    this.#fee = widened(new Float64Array(rows), this.#fee)
    this.#unix = widened(new Float64Array(rows), this.#unix)
    this.#sequence = widened(new Float64Array(rows), this.#sequence)
    this.#older = widened(new Int32Array(rows), this.#older)
    this.#newer = widened(new Int32Array(rows), this.#newer)
  }
}

const isSame = (a: Uint8Array, at: number, b: Uint8Array, bAt: number): boolean => {
  for (let i = 0; i < HASH_BYTES; i++) if (a[at + i] !== b[bAt + i]) return false
  return true
}
