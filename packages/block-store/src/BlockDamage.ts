/** What is said of blocks that are not as they were written. */
import { type BlockHash, toHex } from "@satwire/primitives"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

interface BlockDamagedFields {
  readonly hash: BlockHash
  readonly height: number
  readonly path: string
  /** Where its record begins. */
  readonly offset: number
}

const BlockDamagedBase: new (
  fields: BlockDamagedFields & { readonly message: string }
) => Cause.YieldableError & { readonly _tag: "BlockDamaged" } & BlockDamagedFields = Data.TaggedError("BlockDamaged")

/** A block that was kept and cannot be read any more. It is forgotten, so that it can be fetched and appended again. */
export class BlockDamaged extends BlockDamagedBase {
  constructor(fields: BlockDamagedFields) {
    const { hash, height, offset, path } = fields
    const where = `at byte ${offset} of ${path}`
    super({ ...fields, message: `Block ${toHex(hash)} (height ${height}) is damaged ${where}.` })
  }
}

/** A part of a file that is not as it was written, found when the store was opened. A report, not a failure. */
export interface DamagedPart {
  readonly path: string
  /** The byte at which it begins. */
  readonly at: number
  readonly length: number
  /** The block that lay there, where that can still be told. */
  readonly hash: BlockHash | undefined
  readonly height: number | undefined
  /** Where a copy of the part lies, where it had to be written over. */
  readonly setAsideAs: string | undefined
  readonly message: string
}

export const damagedPart = (part: Omit<DamagedPart, "message">): DamagedPart => {
  const { at, hash, height, length, path, setAsideAs } = part
  const what = hash === undefined ? "What lay there is lost" : `Block ${toHex(hash)} (height ${height}) is lost`
  const copy = setAsideAs === undefined ? "" : `, and a copy of the part lies in ${setAsideAs}`
  return { ...part, message: `${path} is damaged at byte ${at} (${length} bytes). ${what}${copy}.` }
}
