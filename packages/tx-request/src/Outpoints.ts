/** What a transaction spends, read off its bytes without making objects of its parts. */
import { OUTPOINT_SIZE, TransactionParts, type TransactionView } from "@satwire/primitives"

export interface Spends {
  /** The outpoints of all inputs, one after another. */
  readonly outpoints: Uint8Array
  /** How many outputs the transaction has. */
  readonly outputCount: number
}

/** Reused: walking calls nothing of its caller's. */
const parts = new TransactionParts()

export const spendsOf = ({ bytes }: TransactionView): Spends => {
  const places: Array<number> = []
  parts.begin(bytes)
  while (parts.nextInput()) places.push(parts.outpoint)
  const outpoints = new Uint8Array(OUTPOINT_SIZE * places.length)
  places.forEach((at, i) => outpoints.set(bytes.subarray(at, at + OUTPOINT_SIZE), OUTPOINT_SIZE * i))
  let outputCount = 0
  while (parts.nextOutput()) outputCount += 1
  return { outpoints, outputCount }
}
