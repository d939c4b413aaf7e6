import { varBytesLength } from "@satwire/bytes"
import type { BlockHash } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { readFilterType } from "../FilterQuery.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"

/** The filter of one block, answering `getcfilters`. */
export interface CFilter {
  readonly _tag: "cfilter"
  readonly filterType: number
  readonly blockHash: BlockHash
  /** The count of its elements and the coded set (BIP-0158), which nothing here looks into. */
  readonly filter: Uint8Array
}

export const cfilter: Codec<CFilter> = defineCodec<CFilter>({
  command: "cfilter",
  shortId: 23,
  spec: "BIP-0157",
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  size: (m) => 33 + varBytesLength(m.filter),
  encode(w, m) {
    w.u8(m.filterType)
    w.raw(m.blockHash)
    w.varBytes(m.filter)
  },
  decode: (r) => ({
    _tag: "cfilter",
    filterType: readFilterType(r),
    blockHash: r.view(32, "block hash") as BlockHash,
    filter: r.varBytes(Infinity, "filter")
  })
})
