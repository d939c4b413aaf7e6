/** A pool that takes what spends coins that exist, of any fee rate that the test says; and one answer of the test's for each that is to be another. */
import { OUTPOINT_SIZE, type TransactionView } from "@satwire/primitives"
import { type NamedTransaction, spendsOf } from "@satwire/tx-request"
import type { PoolLookup, PoolTransaction, SubmitResult } from "../src/index.ts"

const key = (hash: Uint8Array): string => hash.join()

export class TestPool implements PoolLookup {
  minFeeRateSatPerKvb = 100
  /** How often a txid was looked up. */
  lookups = 0
  /** Fee rates by wtxid, and what is answered instead of the rules. */
  readonly #rates: Map<string, number> = new Map()
  readonly #answers: Map<string, SubmitResult> = new Map()
  readonly #byWtxid: Map<string, PoolTransaction> = new Map()
  readonly #byTxid: Map<string, PoolTransaction> = new Map()
  /** Transactions of the chain, by txid. */
  readonly #chain: Set<string> = new Set()
  #sequence = 0

  hasTxid(txid: Uint8Array): boolean {
    this.lookups += 1
    return this.#byTxid.has(key(txid))
  }
  hasWtxid(wtxid: Uint8Array): boolean {
    return this.#byWtxid.has(key(wtxid))
  }
  find(wtxid: Uint8Array): PoolTransaction | undefined {
    return this.#byWtxid.get(key(wtxid))
  }
  findByTxid(txid: Uint8Array): PoolTransaction | undefined {
    return this.#byTxid.get(key(txid))
  }
  entries(): Iterable<PoolTransaction> {
    return this.#byWtxid.values()
  }
  get size(): number {
    return this.#byWtxid.size
  }

  pays({ wtxid }: NamedTransaction, feeRateSatPerKvb: number): void {
    this.#rates.set(key(wtxid), feeRateSatPerKvb)
  }

  answers({ wtxid }: NamedTransaction, result: SubmitResult): void {
    this.#answers.set(key(wtxid), result)
  }

  /** What becomes of a transaction: a prevout that stands for a number is a coin of the chain. */
  submit(named: { readonly tx: TransactionView; readonly txid: Uint8Array; readonly wtxid: Uint8Array }): SubmitResult {
    const answer = this.#answers.get(key(named.wtxid))
    if (answer !== undefined && answer._tag !== "Accepted") return answer
    const parents = new Map<string, Uint8Array>()
    const { outpoints } = spendsOf(named.tx)
    for (let at = 0; at < outpoints.length; at += OUTPOINT_SIZE) {
      const txid = outpoints.slice(at, at + 32)
      const isCoin = txid.subarray(4).every((byte) => byte === 0xee)
      if (!isCoin && !this.hasTxid(txid) && !this.#chain.has(key(txid))) parents.set(key(txid), txid)
    }
    if (parents.size > 0) {
      return {
        _tag: "MissingInputs",
        parents: [...parents.values()] as unknown as ReadonlyArray<PoolTransaction["txid"]>
      }
    }
    this.put(named as NamedTransaction)
    return answer ?? { _tag: "Accepted", replaced: [] }
  }

  put(named: NamedTransaction): void {
    const feeRateSatPerKvb = this.#rates.get(key(named.wtxid)) ?? 1000
    const pooled: PoolTransaction = { ...named, feeRateSatPerKvb, sequence: this.#sequence++ }
    this.#byWtxid.set(key(named.wtxid), pooled)
    this.#byTxid.set(key(named.txid), pooled)
  }

  remove({ txid, wtxid }: NamedTransaction): void {
    this.#byWtxid.delete(key(wtxid))
    this.#byTxid.delete(key(txid))
  }

  confirm(named: NamedTransaction): void {
    this.remove(named)
    this.#chain.add(key(named.txid))
  }
}
