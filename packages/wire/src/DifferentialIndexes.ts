/**
 * Rising numbers of transactions in a block, each written as its distance from the one before (BIP-0152 §"New data structures"):
 *
 * ```
 *  indexes       0   1   5   6
 *  on the wire   0   0   3   0      how many lie between
 * ```
 *
 * They are 16 bits wide, and a sum that leaves them is an error and never a smaller number (Core 28.1 `blockencodings.h`,
 * `DifferenceFormatter`).
 */
import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"

/** The last number that a transaction can have. */
export const MAX_INDEX = 0xffff
/**
 * As many as there are numbers of 16 bits: one more cannot rise.
 *
 * @limit transactions of a `getblocktxn` or `blocktxn`
 */
export const MAX_INDEXES = 65_536

const gap = (previous: number, index: number): number => {
  if (index <= previous || index > MAX_INDEX) throw new RangeError(`index ${index} does not follow ${previous}`)
  return index - previous - 1
}

/** Reads the number that follows `previous`, which is -1 before the first. */
export const readIndex = (r: Reader, previous: number): number => {
  const at = r.offset
  // Two terms below 2^26: no overflow.
  const index = previous + 1 + r.compactSize("transaction index")
  if (index > MAX_INDEX) r.malformed(`transaction index ${index} is over 16 bits`, at)
  return index
}

/** Bytes of `index` after `previous`. */
export const indexSize = (previous: number, index: number): number => compactSizeLength(gap(previous, index))

/** Writes `index` after `previous`. Indexes that do not rise are our own bug and throw. */
export const writeIndex = (w: Writer, previous: number, index: number): void => w.compactSize(gap(previous, index))
