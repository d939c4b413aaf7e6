/** Where a tree of headers begins when it does not begin with genesis. */
import { equals } from "@satwire/bytes"
import { type BlockHash, type ChainParams, HEADER_BITS, HEADER_SIZE, retargetPeriod } from "@satwire/primitives"

export interface TreeBase {
  readonly height: number
  readonly hash: BlockHash
  /** The base's own target in compact form. */
  readonly bits: number
  /** The work of the whole chain up to and with the base. */
  readonly chainWork: bigint
  /** The time of the first header of the retarget period in which the base lies. */
  readonly periodFirstTime: number
  /** The base's 80 raw bytes, where they are known. */
  readonly header?: Uint8Array
}

/** @throws RangeError where the base contradicts itself or lacks what the first header after it will be judged by */
export const checkBase = (params: ChainParams, base: TreeBase, hashOf: (raw: Uint8Array) => Uint8Array): void => {
  if (!Number.isSafeInteger(base.height) || base.height < 0)
    throw new RangeError(`a base's height is not ${base.height}`)
  if (base.hash.length !== 32) throw new RangeError(`a base's hash has 32 bytes, not ${base.hash.length}`)
  const { header } = base
  if (header === undefined) {
    if ((base.height + 1) % retargetPeriod(params) === 0 && !params.powNoRetargeting) {
      throw new RangeError(
        `the base at ${base.height} ends a retarget period: give its header, because its time is needed`
      )
    }
    if (params.powAllowMinDifficultyBlocks) {
      throw new RangeError(`a base on ${params.name} needs its header, because the next target depends on its time`)
    }
    return
  }
  if (header.length !== HEADER_SIZE) throw new RangeError(`a base's header has 80 bytes, not ${header.length}`)
  if (!equals(hashOf(header), base.hash)) throw new RangeError("the base's header has another hash")
  const bits = new DataView(header.buffer, header.byteOffset).getUint32(HEADER_BITS, true)
  if (bits !== base.bits) throw new RangeError("the base's header has other bits")
}
