/**
 * The transactions of the pool with what ties them together: outpoints that they spend, parents and children. It keeps these in step and
 * counts the memory; it has no policy.
 */
import type { Random } from "@satwire/machine"
import { TransactionParts, type Txid } from "@satwire/primitives"
import { Entries, type NewEntry } from "./Entries.ts"
import { Kin } from "./Kin.ts"
import { SpentOutpoints } from "./SpentOutpoints.ts"

/** What is counted for a transaction besides its bytes, for each of its inputs, and for each pair of kin (measured, README). */
export const ENTRY_BYTES = 280
export const INPUT_BYTES = 56
export const LINK_BYTES = 160

/** Fees and sizes of several transactions. */
export interface PackageSum {
  /** Satoshis; fees that are not known count as nothing. */
  readonly fee: number
  readonly vsize: number
}

export class PoolGraph {
  readonly entries: Entries
  readonly spent: SpentOutpoints
  readonly kin: Kin = new Kin()
  /** Sum of the transactions' bytes. */
  #bytes = 0
  /** Reused: walking calls nothing of its caller's. */
  readonly #parts: TransactionParts = new TransactionParts()
  readonly #outpoint: Uint8Array = new Uint8Array(36)

  constructor(random: Random) {
    this.entries = new Entries(random)
    this.spent = new SpentOutpoints(this.entries.bytes, random)
  }

  /** The memory that is taken, in bytes. */
  get memoryBytes(): number {
    const { entries, kin, spent } = this
    return this.#bytes + ENTRY_BYTES * entries.count + INPUT_BYTES * spent.size + LINK_BYTES * kin.links
  }

  /** Takes in a transaction that spends nothing that another one here spends. Nobody here is its child yet. */
  add(entry: NewEntry, parents: Iterable<number>, unix: number): number {
    const id = this.entries.add(entry, unix)
    const parts = this.#walk(id)
    while (parts.nextInput()) this.spent.add(id, parts.outpoint - this.entries.bytes.start(id))
    for (const parent of parents) this.kin.link(parent, id)
    this.#bytes += entry.tx.bytes.length
    return id
  }

  /** Takes out a transaction, and nothing that depends on it. */
  delete(id: number): void {
    const parts = this.#walk(id)
    while (parts.nextInput()) this.spent.delete(id, parts.outpoint - this.entries.bytes.start(id))
    this.kin.delete(id)
    this.#bytes -= this.entries.bytes.length(id)
    this.entries.delete(id)
  }

  /** Who here spends one of the first `outputs` outputs of a transaction. */
  spendersOf(txid: Txid, outputs: number): Set<number> {
    const spenders = new Set<number>()
    const outpoint = this.#outpoint
    outpoint.set(txid)
    for (let index = 0; index < outputs; index++) {
      for (let i = 0; i < 4; i++) outpoint[32 + i] = index >>> (8 * i)
      const spender = this.spent.spender(outpoint, 0)
      if (spender >= 0) spenders.add(spender)
    }
    return spenders
  }

  /** The amounts of all outputs, in satoshis. */
  amounts(id: number): Float64Array {
    const parts = this.#walk(id)
    const amounts: Array<number> = []
    while (parts.nextOutput()) amounts.push(parts.amount)
    return Float64Array.from(amounts)
  }

  sum(ids: Iterable<number>): PackageSum {
    let fee = 0
    let vsize = 0
    for (const id of ids) {
      fee += Math.max(0, this.entries.fee(id))
      vsize += this.entries.vsize(id)
    }
    return { fee, vsize }
  }

  #walk(id: number): TransactionParts {
    return this.#parts.begin(this.entries.bytes.memory(id), this.entries.bytes.start(id))
  }
}
