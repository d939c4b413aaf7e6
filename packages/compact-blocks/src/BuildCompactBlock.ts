/**
 * A block in short, for who has most of its transactions: the coinbase whole, which nobody else can have, those that its receiver is likely to
 * lack, and a short id for each of the others (BIP-0152 §"cmpctblock").
 */
import { Reader, copyOut } from "@satwire/bytes"
import { ID_BYTES, type Sha256, sipHashMany } from "@satwire/crypto"
import { type BlockView, readHeader } from "@satwire/primitives"
import { type CmpctBlock, type PrefilledTransaction, SHORTTXIDS_LENGTH } from "@satwire/wire"
import { shortIdKey } from "./ShortIds.ts"

/**
 * BIP-0152 §"Implementation Notes": so much may be sent whole. A larger coinbase is sent all the same, and nothing beside it.
 *
 * @limit bytes of transactions that a compact block of ours holds whole
 */
export const MAX_PREFILLED_BYTES = 10_000

export interface CompactBlockOptions {
  /** With the header the key of the short ids; another one for every block. */
  readonly nonce: bigint
  /** Numbers of transactions that others are likely to lack, such as those that we had to fetch ourselves. */
  readonly prefill?: ReadonlyArray<number>
  readonly maxPrefilledBytes?: number
  /** Those of the block as `BlockView.wtxids` gives them, where they are at hand. */
  readonly wtxids?: Uint8Array | undefined
}

/** Keeps nothing of the block's memory. */
export const buildCompactBlock = (sha256: Sha256, block: BlockView, options: CompactBlockOptions): CmpctBlock => {
  const { maxPrefilledBytes = MAX_PREFILLED_BYTES, nonce, prefill = [], wtxids = block.wtxids(sha256) } = options
  const prefilled = prefilledOf(block, prefill, maxPrefilledBytes)
  const count = block.transactionCount
  const hashes = new Uint32Array(2 * count)
  sipHashMany(shortIdKey(sha256, block.rawHeader, nonce), wtxids, 0, wtxids.length / ID_BYTES, hashes)
  const shortIds = new Uint8Array(SHORTTXIDS_LENGTH * (count - prefilled.length))
  const view = new DataView(shortIds.buffer)
  for (let i = 0, at = 0, next = 0; i < count; i++) {
    if (prefilled[next]?.index === i) {
      next += 1
      continue
    }
    view.setUint32(at, hashes[2 * i] as number, true)
    view.setUint16(at + 4, hashes[2 * i + 1] as number, true)
    at += SHORTTXIDS_LENGTH
  }
  const header = readHeader(new Reader(copyOut(block.rawHeader)))
  return { _tag: "cmpctblock", header, nonce, shortIds, prefilled }
}

/** The first, and of the others in the order of the block as many as fit. */
const prefilledOf = (
  block: BlockView,
  prefill: ReadonlyArray<number>,
  maxBytes: number
): ReadonlyArray<PrefilledTransaction> => {
  const numbers = [...new Set([0, ...prefill])].toSorted((a, b) => a - b)
  const prefilled: Array<PrefilledTransaction> = []
  let size = 0
  for (const index of numbers) {
    if (index >= block.transactionCount) break
    const tx = block.transaction(index)
    if (index > 0 && size + tx.bytes.length > maxBytes) continue
    size += tx.bytes.length
    prefilled.push({ index, tx: tx.copied() })
  }
  return prefilled
}
