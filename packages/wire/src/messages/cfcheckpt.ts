import type { BlockHash } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { readFilterType, readStopHash } from "../FilterQuery.ts"
import { type HashList, hashListSize, readHashList, writeHashList } from "../HashList.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"

/** The filter header of each 1,000th block up to one, answering `getcfcheckpt`. */
export interface CFCheckpt {
  readonly _tag: "cfcheckpt"
  readonly filterType: number
  readonly stopHash: BlockHash
  readonly filterHeaders: HashList
}

export const cfcheckpt: Codec<CFCheckpt> = defineCodec<CFCheckpt>({
  command: "cfcheckpt",
  shortId: 27,
  spec: "BIP-0157",
  // A header for each 1,000 blocks: the BIP needs no limit, and the payload is one.
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  size: (m) => 33 + hashListSize(m.filterHeaders),
  encode(w, m) {
    w.u8(m.filterType)
    w.raw(m.stopHash)
    writeHashList(w, m.filterHeaders)
  },
  decode: (r) => ({
    _tag: "cfcheckpt",
    filterType: readFilterType(r),
    stopHash: readStopHash(r),
    filterHeaders: readHashList(r, Infinity, "filter headers")
  })
})
