import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"
import {
  type BlockHeader,
  HEADER_SIZE,
  type TransactionView,
  readHeader,
  readTransactionView,
  writeHeader
} from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_INDEX, indexSize, readIndex, writeIndex } from "../DifferentialIndexes.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"
import { MIN_TRANSACTION_SIZE } from "../TransactionList.ts"

/** Bitcoin Core's `SHORTTXIDS_LENGTH` (blockencodings.h): bytes of a short id. */
export const SHORTTXIDS_LENGTH = 6
/**
 * Bitcoin Core's `MAX_BLOCK_WEIGHT / MIN_SERIALIZABLE_TRANSACTION_WEIGHT` (blockencodings.cpp): short ids and prefilled transactions
 * together.
 *
 * @limit transactions of a `cmpctblock`
 */
export const MAX_COMPACT_TRANSACTIONS = 100_000

/** An index of one byte, and a transaction. */
const MIN_PREFILLED_SIZE = 1 + MIN_TRANSACTION_SIZE

/** A transaction that stands in the message whole, and its place in the block. */
export interface PrefilledTransaction {
  /** Its number in the block, from 0; larger than that of the one before. */
  readonly index: number
  readonly tx: TransactionView
}

/** A block in short: a header, six bytes for each transaction that its receiver is likely to have, and the others whole (BIP-0152). */
export interface CmpctBlock {
  readonly _tag: "cmpctblock"
  readonly header: BlockHeader
  /** With the header the key of the short ids. */
  readonly nonce: bigint
  /** The short ids, six bytes each, in the order of the block, without the prefilled ones. */
  readonly shortIds: Uint8Array
  readonly prefilled: ReadonlyArray<PrefilledTransaction>
}

/**
 * Specification: a prefilled index lies in the block, whose transactions are the short ids and the prefilled ones; all of them have
 * numbers of 16 bits. Rationale: BIP-0152 §"cmpctblock"; a sum that wraps around names another transaction.
 */
const readPrefilled = (r: Reader, shortIdCount: number): ReadonlyArray<PrefilledTransaction> => {
  const at = r.offset
  const count = r.count(MAX_COMPACT_TRANSACTIONS - shortIdCount, MIN_PREFILLED_SIZE, "prefilled transactions")
  // Core throws here, which costs nothing, before it gets to judge the limit above.
  if (shortIdCount + count > MAX_INDEX)
    r.malformed(`${shortIdCount + count} transactions: indexes are over 16 bits`, at)
  const prefilled = new Array<PrefilledTransaction>(count)
  let index = -1
  for (let i = 0; i < count; i++) {
    const indexAt = r.offset
    index = readIndex(r, index)
    if (index > shortIdCount + i) {
      r.overLimit(`prefilled transaction ${i}: index ${index} where ${shortIdCount + i} is allowed`, indexAt)
    }
    prefilled[i] = { index, tx: readTransactionView(r) }
  }
  return prefilled
}

const writePrefilled = (w: Writer, prefilled: ReadonlyArray<PrefilledTransaction>): void => {
  w.compactSize(prefilled.length)
  let previous = -1
  for (const { index, tx } of prefilled) {
    writeIndex(w, previous, index)
    w.raw(tx.bytes)
    previous = index
  }
}

const size = (m: CmpctBlock): number => {
  const ids = m.shortIds.length / SHORTTXIDS_LENGTH
  let bytes = HEADER_SIZE + 8 + compactSizeLength(ids) + m.shortIds.length + compactSizeLength(m.prefilled.length)
  let previous = -1
  for (const { index, tx } of m.prefilled) {
    bytes += indexSize(previous, index) + tx.bytes.length
    previous = index
  }
  return bytes
}

export const cmpctblock: Codec<CmpctBlock> = defineCodec<CmpctBlock>({
  command: "cmpctblock",
  shortId: 4,
  spec: "BIP-0152",
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  // Core 28.1 `blockencodings.cpp`, `InitData`: `READ_STATUS_INVALID`, for which `net_processing.cpp` calls `Misbehaving`.
  overLimit: "discourage",
  size,
  encode(w, m) {
    writeHeader(w, m.header)
    w.u64(m.nonce)
    w.compactSize(m.shortIds.length / SHORTTXIDS_LENGTH)
    w.raw(m.shortIds)
    writePrefilled(w, m.prefilled)
  },
  decode(r) {
    const header = readHeader(r)
    const nonce = r.u64("nonce")
    const count = r.count(MAX_COMPACT_TRANSACTIONS, SHORTTXIDS_LENGTH, "short ids")
    const shortIds = r.view(count * SHORTTXIDS_LENGTH, "short ids")
    return { _tag: "cmpctblock", header, nonce, shortIds, prefilled: readPrefilled(r, count) }
  }
})
