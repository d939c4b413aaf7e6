/** What a transaction spends, read off its bytes without making objects of its parts. */
import { Reader } from "@satwire/bytes"
import type { TransactionView } from "@satwire/primitives"

/** Bytes of an outpoint: a txid and an index, as on the wire. */
export const OUTPOINT_SIZE = 36
/** The smallest input: outpoint 36, empty script 1, sequence 4. */
const MIN_INPUT_SIZE = 41
/** The smallest output: amount 8, empty script 1. */
const MIN_OUTPUT_SIZE = 9

export interface Spends {
  /** The outpoints of all inputs, one after another. */
  readonly outpoints: Uint8Array
  /** How many outputs the transaction has. */
  readonly outputCount: number
}

export const spendsOf = (tx: TransactionView): Spends => {
  const r = new Reader(tx.bytes)
  r.skip(tx.hasWitness ? 6 : 4, "version")
  const count = r.count(Infinity, MIN_INPUT_SIZE, "inputs")
  const outpoints = new Uint8Array(OUTPOINT_SIZE * count)
  for (let i = 0; i < count; i++) {
    outpoints.set(r.view(OUTPOINT_SIZE, "outpoint"), OUTPOINT_SIZE * i)
    r.varBytes(Infinity, "script")
    r.skip(4, "sequence")
  }
  return { outpoints, outputCount: r.count(Infinity, MIN_OUTPUT_SIZE, "outputs") }
}
