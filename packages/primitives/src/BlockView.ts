/**
 * A block as the bytes it came in, with a table of where each transaction's parts lie. Decoding is one walk over lengths, encoding is the
 * bytes themselves, and all hashes of its transactions are worked out in batches.
 */
import { type DecodeResult, Reader, Writer, compactSizeLength, decode, encode } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { type Block, blockSize, readBlock, writeBlock } from "./Block.ts"
import { type BlockHeader, HEADER_SIZE, headerHash, readHeader } from "./BlockHeader.ts"
import type { BlockHash } from "./Hash.ts"
import { type MerkleRoot, merkleRootInPlace } from "./MerkleTree.ts"
import { TransactionScan } from "./TransactionScan.ts"
import { TransactionView, strip } from "./TransactionView.ts"
import { WITNESS_SCALE_FACTOR } from "./Transaction.ts"

/** The smallest transaction, of no inputs and no outputs. */
const MIN_TRANSACTION_SIZE = 10
/** How many places {@link BlockView.parts} has for each transaction: start, body, body's end, end. */
export const BLOCK_PARTS = 4

/** Reused: scanning calls nothing of its caller's. */
const scan = new TransactionScan()

export class BlockView {
  /** All bytes of the block, with witnesses. */
  readonly bytes: Uint8Array
  /** How many transactions it has. */
  readonly transactionCount: number
  /**
   * Where the parts of each transaction lie in `bytes`, {@link BLOCK_PARTS} places each: its start; its inputs and outputs, which begin
   * with the count of inputs; where they end; its end. To be read only.
   */
  readonly parts: Uint32Array
  /** Where the first transaction begins. */
  readonly #first: number

  /**
   * @param bytes exactly one block
   * @param parts four places for each transaction
   * @internal
   */
  constructor(bytes: Uint8Array, first: number, parts: Uint32Array) {
    this.bytes = bytes
    this.transactionCount = parts.length / BLOCK_PARTS
    this.parts = parts
    this.#first = first
  }

  /** The block at the beginning of `bytes`, whose memory it keeps. */
  static decode(bytes: Uint8Array): DecodeResult<BlockView> {
    return decode(bytes, readBlockView)
  }

  /** The view of a block made here. */
  static of(block: Block): BlockView {
    return readBlockView(new Reader(encode(blockSize(block), (w) => writeBlock(w, block))))
  }

  /**
   * The block of a header and transactions that are at hand, in memory of its own: one copy of each.
   *
   * @param rawHeader its 80 bytes
   */
  static join(rawHeader: Uint8Array, transactions: ReadonlyArray<TransactionView>): BlockView {
    const first = HEADER_SIZE + compactSizeLength(transactions.length)
    let size = first
    for (const { bytes } of transactions) size += bytes.length
    const w = new Writer(new Uint8Array(size))
    w.raw(rawHeader)
    w.compactSize(transactions.length)
    const parts = new Uint32Array(BLOCK_PARTS * transactions.length)
    for (let i = 0, p = 0, at = first; i < transactions.length; i++, p += BLOCK_PARTS) {
      const tx = transactions[i] as TransactionView
      w.raw(tx.bytes)
      const body = at + (tx.hasWitness ? 6 : 4)
      parts[p] = at
      parts[p + 1] = body
      parts[p + 2] = body + tx.strippedSize - 8
      at += tx.bytes.length
      parts[p + 3] = at
    }
    return new BlockView(w.bytes, first, parts)
  }

  /** The 80 raw bytes of its header, as a view. */
  get rawHeader(): Uint8Array {
    return this.bytes.subarray(0, HEADER_SIZE)
  }

  get header(): BlockHeader {
    return readHeader(new Reader(this.bytes))
  }

  hash(backend: Sha256): BlockHash {
    return headerHash(backend, this.rawHeader)
  }

  /** BIP-0141 §"Block size". */
  get weight(): number {
    return (WITNESS_SCALE_FACTOR - 1) * this.strippedSize + this.bytes.length
  }

  /** Bytes without witnesses. */
  get strippedSize(): number {
    const parts = this.parts
    let size = this.#first
    for (let p = 0; p < parts.length; p += BLOCK_PARTS) size += 8 + (parts[p + 2] as number) - (parts[p + 1] as number)
    return size
  }

  /** Transaction `i`, from 0 (the coinbase) on, as a view into this block's bytes. */
  transaction(i: number): TransactionView {
    if (!(i >= 0 && i < this.transactionCount)) throw new RangeError(`no transaction ${i} of ${this.transactionCount}`)
    const parts = this.parts
    const p = BLOCK_PARTS * i
    const start = parts[p] as number
    const bytes = this.bytes.subarray(start, parts[p + 3])
    return new TransactionView(bytes, (parts[p + 1] as number) - start, (parts[p + 2] as number) - start)
  }

  /** Whether transaction `i` came with witnesses (BIP-0144). */
  hasWitness(i: number): boolean {
    const p = BLOCK_PARTS * i
    return this.parts[p + 1] !== (this.parts[p] as number) + 4
  }

  /** All txids, 32 bytes each, one after another. */
  txids(backend: Sha256): Uint8Array {
    const count = this.transactionCount
    const hashes = new Uint8Array(32 * count)
    const ranges = new Uint32Array(2 * count)
    if (!this.#anyWitness()) {
      this.#wholeRanges(ranges)
      backend.sha256dRanges(this.bytes, ranges, count, hashes, 0)
      return hashes
    }
    // A txid is over what stands on both sides of the witness: it is brought together first.
    const stripped = new Uint8Array(this.strippedSize - this.#first)
    const parts = this.parts
    for (let i = 0, p = 0, at = 0; i < count; i++, p += BLOCK_PARTS) {
      ranges[2 * i] = at
      at = strip(
        this.bytes,
        parts[p] as number,
        parts[p + 1] as number,
        parts[p + 2] as number,
        parts[p + 3] as number,
        stripped,
        at
      )
      ranges[2 * i + 1] = at
    }
    backend.sha256dRanges(stripped, ranges, count, hashes, 0)
    return hashes
  }

  /**
   * All wtxids, 32 bytes each, one after another; the coinbase's is zeros (BIP-0141 §"Commitment structure"). Where the txids are at hand
   * already, only what came with witnesses is hashed: the others have one hash.
   */
  wtxids(backend: Sha256, txids?: Uint8Array): Uint8Array {
    const count = this.transactionCount
    const hashes = new Uint8Array(32 * count)
    if (txids !== undefined) {
      hashes.set(txids)
      this.#witnessed(backend, hashes)
    } else {
      const ranges = new Uint32Array(2 * count)
      this.#wholeRanges(ranges)
      backend.sha256dRanges(this.bytes, ranges, count, hashes, 0)
    }
    hashes.fill(0, 0, 32)
    return hashes
  }

  /** The root over the txids: what the header's must be. */
  merkleRoot(backend: Sha256): MerkleRoot {
    return merkleRootInPlace(backend, this.txids(backend), this.transactionCount)
  }

  /** The root over the wtxids: what the coinbase commits to. */
  witnessMerkleRoot(backend: Sha256): MerkleRoot {
    return merkleRootInPlace(backend, this.wtxids(backend), this.transactionCount)
  }

  /** The same block in other memory, to which its bytes were moved. */
  movedTo(bytes: Uint8Array): BlockView {
    const length = this.parts.at(-1) ?? this.#first
    if (bytes.length !== length) throw new RangeError(`a block of ${length} bytes cannot have moved to ${bytes.length}`)
    return new BlockView(bytes, this.#first, this.parts)
  }

  /** The block as it is sent to who asks for it without witnesses (BIP-0144); itself where it has none. */
  withoutWitness(): BlockView {
    const parts = this.parts
    if (!this.#anyWitness()) return this
    const bytes = new Uint8Array(this.strippedSize)
    bytes.set(this.bytes.subarray(0, this.#first))
    const places = new Uint32Array(parts.length)
    for (let p = 0, at = this.#first; p < parts.length; p += BLOCK_PARTS) {
      const [start, body, bodyEnd, end] = [0, 1, 2, 3].map((part) => parts[p + part] as number) as [
        number,
        number,
        number,
        number
      ]
      places[p] = at
      places[p + 1] = at + 4
      places[p + 2] = at + 4 + bodyEnd - body
      at = strip(this.bytes, start, body, bodyEnd, end, bytes, at)
      places[p + 3] = at
    }
    return new BlockView(bytes, this.#first, places)
  }

  /** The block as objects, whose byte fields are views into this one's bytes. */
  materialise(): Block {
    return readBlock(new Reader(this.bytes))
  }

  /** Whether any transaction came with witnesses. */
  #anyWitness(): boolean {
    for (let i = 0; i < this.transactionCount; i++) if (this.hasWitness(i)) return true
    return false
  }

  /** Puts the wtxids of what came with witnesses, the coinbase aside, among `hashes`. */
  #witnessed(backend: Sha256, hashes: Uint8Array<ArrayBuffer>): void {
    const places = new Uint32Array(this.transactionCount)
    const ranges = new Uint32Array(2 * this.transactionCount)
    let found = 0
    for (let i = 1; i < this.transactionCount; i++) {
      if (!this.hasWitness(i)) continue
      ranges[2 * found] = this.parts[BLOCK_PARTS * i] as number
      ranges[2 * found + 1] = this.parts[BLOCK_PARTS * i + 3] as number
      places[found++] = i
    }
    if (found === 0) return
    const hashed = new Uint8Array(32 * found)
    backend.sha256dRanges(this.bytes, ranges, found, hashed, 0)
    // By words: a view for each hash costs ten times as much (measured).
    const from = new Int32Array(hashed.buffer)
    const to = new Int32Array(hashes.buffer)
    for (let k = 0; k < found; k++) {
      const at = 8 * (places[k] as number)
      for (let word = 0; word < 8; word++) to[at + word] = from[8 * k + word] as number
    }
  }

  #wholeRanges(ranges: Uint32Array): void {
    const parts = this.parts
    for (let i = 0, p = 0; p < parts.length; i += 2, p += BLOCK_PARTS) {
      ranges[i] = parts[p] as number
      ranges[i + 1] = parts[p + 3] as number
    }
  }
}

/** Reads a block as a view: into the input, or into a copy where the reader only borrows it. */
export const readBlockView = (r: Reader): BlockView => {
  const start = r.offset
  r.skip(HEADER_SIZE, "header")
  const count = r.count(Infinity, MIN_TRANSACTION_SIZE, "transactions")
  const first = r.offset - start
  const parts = new Uint32Array(BLOCK_PARTS * count)
  const end = r.look((bytes, from, limit) => {
    let at = from
    for (let p = 0; p < parts.length; p += BLOCK_PARTS) {
      if (!scan.scan(bytes, at, limit)) return -1
      parts[p] = at - start
      parts[p + 1] = scan.body - start
      parts[p + 2] = scan.bodyEnd - start
      parts[p + 3] = scan.end - start
      at = scan.end
    }
    return at
  })
  if (end < 0) return r.malformed(scan.fault, scan.faultAt)
  r.offset = start
  return new BlockView(r.view(end - start, "block"), first, parts)
}
