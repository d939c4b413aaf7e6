import type { BlockHash } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_GETCFHEADERS_SIZE, readFilterType, readStopHash } from "../FilterQuery.ts"
import { type HashList, hashListMaxSize, hashListSize, readHashList, writeHashList } from "../HashList.ts"

/** Hashes of the filters of a run of blocks, from which their headers are computed, answering `getcfheaders`. */
export interface CFHeaders {
  readonly _tag: "cfheaders"
  readonly filterType: number
  readonly stopHash: BlockHash
  /** The filter header before the first. */
  readonly previousFilterHeader: Uint8Array
  readonly filterHashes: HashList
}

export const cfheaders: Codec<CFHeaders> = defineCodec<CFHeaders>({
  command: "cfheaders",
  shortId: 25,
  spec: "BIP-0157",
  maxSize: 65 + hashListMaxSize(MAX_GETCFHEADERS_SIZE),
  // Core takes none. BIP-0157 §"cfheaders" forbids more; a peer that was asked for fewer and sends more is of no use.
  overLimit: "disconnect",
  size: (m) => 65 + hashListSize(m.filterHashes),
  encode(w, m) {
    w.u8(m.filterType)
    w.raw(m.stopHash)
    w.raw(m.previousFilterHeader)
    writeHashList(w, m.filterHashes)
  },
  decode: (r) => ({
    _tag: "cfheaders",
    filterType: readFilterType(r),
    stopHash: readStopHash(r),
    previousFilterHeader: r.view(32, "previous filter header"),
    filterHashes: readHashList(r, MAX_GETCFHEADERS_SIZE, "filter hashes")
  })
})
