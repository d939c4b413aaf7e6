/**
 * A transaction as the bytes it came in, with the places of its parts. Encoding it is a slice, its hashes are of ranges, and objects are
 * made only for who asks (`materialise`).
 */
import { type DecodeResult, Reader, copyOut, decode, encode } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import type { Txid, Wtxid } from "./Hash.ts"
import {
  type Transaction,
  WITNESS_SCALE_FACTOR,
  readTransaction,
  transactionSize,
  writeTransaction
} from "./Transaction.ts"
import { TransactionScan } from "./TransactionScan.ts"

/** Reused: scanning calls nothing of its caller's. */
const scan = new TransactionScan()
/** What is hashed for a txid where a witness stands between; grows to the longest seen. */
let stripped = new Uint8Array(1024)

export class TransactionView {
  /** All bytes of the transaction, with its witness. */
  readonly bytes: Uint8Array
  readonly #body: number
  readonly #bodyEnd: number

  /**
   * @param bytes exactly one transaction
   * @param body where inputs and outputs begin
   * @param bodyEnd where they end
   * @internal
   */
  constructor(bytes: Uint8Array, body: number, bodyEnd: number) {
    this.bytes = bytes
    this.#body = body
    this.#bodyEnd = bodyEnd
  }

  /** The transaction at the beginning of `bytes`, whose memory it keeps. */
  static decode(bytes: Uint8Array): DecodeResult<TransactionView> {
    return decode(bytes, readTransactionView)
  }

  /** The view of a transaction made here. */
  static of(tx: Transaction): TransactionView {
    return readTransactionView(new Reader(encode(transactionSize(tx), (w) => writeTransaction(w, tx))))
  }

  /** The view of bytes that were scanned before, of which `strippedSize` stand outside of the witness. */
  static known(bytes: Uint8Array, strippedSize: number): TransactionView {
    const body = strippedSize === bytes.length ? 4 : 6
    return new TransactionView(bytes, body, body + strippedSize - 8)
  }

  get version(): number {
    return view(this.bytes).getInt32(0, true)
  }

  get lockTime(): number {
    return view(this.bytes).getUint32(this.bytes.length - 4, true)
  }

  /** Whether it came with witnesses (BIP-0144). */
  get hasWitness(): boolean {
    return this.#body === 6
  }

  /** Bytes without the witness. */
  get strippedSize(): number {
    return 8 + this.#bodyEnd - this.#body
  }

  /** BIP-0141 §"Transaction size calculations". */
  get weight(): number {
    return (WITNESS_SCALE_FACTOR - 1) * this.strippedSize + this.bytes.length
  }

  /** The hash over the transaction without its witness. */
  txid(backend: Sha256): Txid {
    const out = new Uint8Array(32)
    if (this.hasWitness) {
      const length = this.strippedSize
      if (stripped.length < length) stripped = new Uint8Array(2 * length)
      strip(this.bytes, 0, this.#body, this.#bodyEnd, this.bytes.length, stripped, 0)
      backend.sha256d(stripped, 0, length, out, 0)
    } else backend.sha256d(this.bytes, 0, this.bytes.length, out, 0)
    return out as Uint8Array as Txid
  }

  /** The hash over the transaction with its witness (BIP-0141 §"Transaction ID"). */
  wtxid(backend: Sha256): Wtxid {
    const out = new Uint8Array(32)
    backend.sha256d(this.bytes, 0, this.bytes.length, out, 0)
    return out as Uint8Array as Wtxid
  }

  /** The same transaction in memory of its own: the message or block that it came in is not kept for it. */
  copied(): TransactionView {
    return new TransactionView(copyOut(this.bytes), this.#body, this.#bodyEnd)
  }

  /** The transaction as objects, whose byte fields are views into this one's bytes. */
  materialise(): Transaction {
    return readTransaction(new Reader(this.bytes))
  }
}

const scanNext = (bytes: Uint8Array, start: number, end: number): boolean => scan.scan(bytes, start, end)

/** Reads a transaction as a view: into the input, or into a copy where the reader only borrows it. */
export const readTransactionView = (r: Reader): TransactionView => {
  const start = r.offset
  if (!r.look(scanNext)) return r.malformed(scan.fault, scan.faultAt)
  const { body, bodyEnd, end } = scan
  return new TransactionView(r.view(end - start, "transaction"), body - start, bodyEnd - start)
}

/**
 * Writes what is hashed for a txid: version, inputs and outputs, lock time. Gives where it ends.
 *
 * @internal
 */
export const strip = (
  from: Uint8Array,
  start: number,
  body: number,
  bodyEnd: number,
  end: number,
  to: Uint8Array,
  at: number
): number => {
  const lockTime = at + 4 + bodyEnd - body
  // Four bytes are copied faster by a loop than through a view (measured).
  for (let i = 0; i < 4; i++) {
    to[at + i] = from[start + i] as number
    to[lockTime + i] = from[end - 4 + i] as number
  }
  to.set(from.subarray(body, bodyEnd), at + 4)
  return lockTime + 4
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
