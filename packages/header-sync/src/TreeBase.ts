/** Where a tree of headers begins when it does not begin with genesis. */
import { equals } from "@satwire/bytes"
import {
  type BlockHash,
  type ChainParams,
  HEADER_BITS,
  HEADER_SIZE,
  HEADER_TIME,
  bitsFromTarget,
  retargetPeriod,
  workFromBits
} from "@satwire/primitives"

export interface TreeBase {
  readonly height: number
  readonly hash: BlockHash
  /** The base's own target in compact form. */
  readonly bits: number
  /** The work of the whole chain up to and with the base. */
  readonly chainWork: bigint
  /** The time of the first header of the retarget period in which the base lies, in seconds since 1970. */
  readonly periodFirstTime: number
  /**
   * The bits of that first header; the base's own where it is left out, because a period has one target. Only under the 20-minute rule
   * of the testnets can the two differ: there it must be given for a base that has the easiest target.
   */
  readonly periodFirstBits?: number
  /** The base's 80 raw bytes, where they are known. */
  readonly header?: Uint8Array
}

/** A chain's work is kept in 128 bits: more would take every miner on earth longer than the sun has. */
export const WORK_LIMIT: bigint = 1n << 128n

/** @throws RangeError where the base contradicts itself or lacks what the first header after it will be judged by */
export const checkBase = (params: ChainParams, base: TreeBase, hashOf: (raw: Uint8Array) => Uint8Array): void => {
  const { height, hash, bits, chainWork } = base
  if (!Number.isInteger(height) || height < 0 || height > 0x7fff_ffff) {
    throw new RangeError(`a base's height is not ${height}`)
  }
  if (hash.length !== 32) throw new RangeError(`a base's hash has 32 bytes, not ${hash.length}`)
  const work = workFromBits(bits)
  if (work === 0n) throw new RangeError(`no hash can meet the base's bits, 0x${bits.toString(16)}`)
  if (chainWork < work || chainWork >= WORK_LIMIT) throw new RangeError(`a base's chain work is not ${chainWork}`)
  checkTimes(params, base)
  if (base.header !== undefined) checkHeader(params, base, base.header, hashOf)
}

/** What the targets after the base follow from: some times, and under the 20-minute rule one more target. */
const checkTimes = (
  params: ChainParams,
  { height, bits, header, periodFirstTime, periodFirstBits }: TreeBase
): void => {
  if (!Number.isInteger(periodFirstTime) || periodFirstTime < 0 || periodFirstTime > 0xffff_ffff) {
    throw new RangeError(`the time of a period's first header is not ${periodFirstTime}`)
  }
  const easiest = bits === bitsFromTarget(params.powLimit)
  if (params.powNoRetargeting && (easiest || !params.powAllowMinDifficultyBlocks)) return
  const period = retargetPeriod(params)
  if (header === undefined) {
    if ((height + 1) % period === 0) {
      throw new RangeError(`the base at ${height} ends a retarget period: give its header, because its time is needed`)
    }
    if (params.powAllowMinDifficultyBlocks) {
      throw new RangeError(`a base on ${params.name} needs its header, because the next target depends on its time`)
    }
  }
  if (params.powAllowMinDifficultyBlocks && easiest && periodFirstBits === undefined && height % period !== 0) {
    throw new RangeError(`the base at ${height} may be an exception to the target of its period: give periodFirstBits`)
  }
}

const checkHeader = (
  params: ChainParams,
  base: TreeBase,
  header: Uint8Array,
  hashOf: (raw: Uint8Array) => Uint8Array
): void => {
  if (header.length !== HEADER_SIZE) throw new RangeError(`a base's header has 80 bytes, not ${header.length}`)
  if (!equals(hashOf(header), base.hash)) throw new RangeError("the base's header has another hash")
  const fields = new DataView(header.buffer, header.byteOffset)
  if (fields.getUint32(HEADER_BITS, true) !== base.bits) throw new RangeError("the base's header has other bits")
  const beginsPeriod = base.height % retargetPeriod(params) === 0
  if (beginsPeriod && fields.getUint32(HEADER_TIME, true) !== base.periodFirstTime) {
    throw new RangeError("the base begins its period, and its header has another time")
  }
}
