/**
 * A transaction as objects, with its witness (BIP-0144). Scripts are bytes: nothing here parses them.
 *
 * ```
 *  version  [marker 00, flag 01]  inputs  outputs  [a witness stack per input]  lock time
 * ```
 *
 * Byte fields are views into what was decoded.
 */
import { type Reader, Writer, compactSizeLength, varBytesLength } from "@satwire/bytes"
import { type Sha256, sha256d } from "@satwire/crypto"
import { type Satoshis, type Txid, type Wtxid } from "./Hash.ts"

/** Bitcoin Core's `WITNESS_SCALE_FACTOR` (consensus/consensus.h). */
export const WITNESS_SCALE_FACTOR = 4
/** The smallest input: outpoint 36, empty script 1, sequence 4. */
const MIN_INPUT_SIZE = 41
/** The smallest output: amount 8, empty script 1. */
const MIN_OUTPUT_SIZE = 9

export interface OutPoint {
  readonly txid: Txid
  readonly index: number
}

export interface TxInput {
  readonly previousOutput: OutPoint
  readonly scriptSig: Uint8Array
  readonly sequence: number
  /** The witness stack (BIP-0141); empty where there is none. */
  readonly witness: ReadonlyArray<Uint8Array>
}

export interface TxOutput {
  readonly amount: Satoshis
  readonly scriptPubKey: Uint8Array
}

export interface Transaction {
  readonly version: number
  readonly inputs: ReadonlyArray<TxInput>
  readonly outputs: ReadonlyArray<TxOutput>
  readonly lockTime: number
}

/** Whether any input carries a witness, and so whether the extended form is written. */
export const hasWitness = (tx: Transaction): boolean => tx.inputs.some((input) => input.witness.length > 0)

/** Reads a transaction in either form. */
export const readTransaction = (r: Reader): Transaction => {
  const version = r.i32("transaction version")
  let count = r.count(Infinity, 0, "transaction inputs")
  let extended = false
  if (count === 0) {
    const at = r.offset
    const flag = r.u8("transaction flag")
    if (flag === 0) return { version, inputs: [], outputs: [], lockTime: r.u32("lock time") }
    if (flag !== 1) r.malformed(`transaction flag ${flag}`, at)
    extended = true
    count = r.count(Infinity, MIN_INPUT_SIZE, "transaction inputs")
  } else if (count * MIN_INPUT_SIZE > r.left) r.malformed(`${count} inputs announced, too few bytes follow`)
  const inputs = new Array<TxInput>(count)
  for (let i = 0; i < count; i++) inputs[i] = readInput(r)
  const outputs = new Array<TxOutput>(r.count(Infinity, MIN_OUTPUT_SIZE, "transaction outputs"))
  for (let i = 0; i < outputs.length; i++) {
    outputs[i] = { amount: r.i64("amount") as Satoshis, scriptPubKey: r.varBytes(Infinity, "output script") }
  }
  if (extended) {
    let any = false
    for (let i = 0; i < count; i++) {
      const items = r.count(Infinity, 1, "witness items")
      if (items === 0) continue
      any = true
      const witness = new Array<Uint8Array>(items)
      for (let k = 0; k < items; k++) witness[k] = r.varBytes(Infinity, "witness item")
      inputs[i] = { ...(inputs[i] as TxInput), witness }
    }
    // Core refuses the extended form where every stack is empty ("Superfluous witness record").
    if (!any) r.malformed("superfluous witness record")
  }
  return { version, inputs, outputs, lockTime: r.u32("lock time") }
}

const NO_WITNESS: ReadonlyArray<Uint8Array> = []

const readInput = (r: Reader): TxInput => ({
  previousOutput: { txid: r.view(32, "previous txid") as Txid, index: r.u32("previous index") },
  scriptSig: r.varBytes(Infinity, "input script"),
  sequence: r.u32("sequence"),
  witness: NO_WITNESS
})

/** Bytes of the transaction, with its witness if `witness` is set and it has one. */
export const transactionSize = (tx: Transaction, witness = true): number => {
  let size = 8 + compactSizeLength(tx.inputs.length) + compactSizeLength(tx.outputs.length)
  for (const input of tx.inputs) size += 40 + varBytesLength(input.scriptSig)
  for (const output of tx.outputs) size += 8 + varBytesLength(output.scriptPubKey)
  if (witness && hasWitness(tx)) {
    size += 2
    for (const input of tx.inputs) {
      size += compactSizeLength(input.witness.length)
      for (const item of input.witness) size += varBytesLength(item)
    }
  }
  return size
}

/** BIP-0141 §"Transaction size calculations". */
export const transactionWeight = (tx: Transaction): number =>
  (WITNESS_SCALE_FACTOR - 1) * transactionSize(tx, false) + transactionSize(tx, true)

/** Writes the transaction; in the extended form if `witness` is set and it has one. */
export const writeTransaction = (w: Writer, tx: Transaction, witness = true): void => {
  const extended = witness && hasWitness(tx)
  w.i32(tx.version)
  if (extended) {
    w.u8(0)
    w.u8(1)
  }
  w.compactSize(tx.inputs.length)
  for (const input of tx.inputs) {
    w.raw(input.previousOutput.txid)
    w.u32(input.previousOutput.index)
    w.varBytes(input.scriptSig)
    w.u32(input.sequence)
  }
  w.compactSize(tx.outputs.length)
  for (const output of tx.outputs) {
    w.i64(output.amount)
    w.varBytes(output.scriptPubKey)
  }
  if (extended) {
    for (const input of tx.inputs) {
      w.compactSize(input.witness.length)
      for (const item of input.witness) w.varBytes(item)
    }
  }
  w.u32(tx.lockTime)
}

const encodeTransaction = (tx: Transaction, witness: boolean): Uint8Array => {
  const w = new Writer(new Uint8Array(transactionSize(tx, witness)))
  writeTransaction(w, tx, witness)
  return w.bytes
}

/** The hash that names the transaction in outpoints and in a block's merkle tree: over its form without witness. */
export const txid = (backend: Sha256, tx: Transaction): Txid =>
  sha256d(backend, encodeTransaction(tx, false)) as Uint8Array as Txid

/** The hash over the transaction with its witness (BIP-0141 §"Transaction ID"). */
export const wtxid = (backend: Sha256, tx: Transaction): Wtxid =>
  sha256d(backend, encodeTransaction(tx, true)) as Uint8Array as Wtxid
