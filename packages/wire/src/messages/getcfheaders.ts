import { type Codec, defineCodec } from "../Codec.ts"
import {
  FILTER_QUERY_SIZE,
  type FilterQuery,
  readFilterType,
  readStartHeight,
  readStopHash,
  writeFilterQuery
} from "../FilterQuery.ts"

/** Asks for a `cfheaders` of up to 2,000 blocks. */
export interface GetCFHeaders extends FilterQuery {
  readonly _tag: "getcfheaders"
}

export const getcfheaders: Codec<GetCFHeaders> = defineCodec<GetCFHeaders>({
  command: "getcfheaders",
  shortId: 24,
  spec: "BIP-0157",
  maxSize: FILTER_QUERY_SIZE,
  size: () => FILTER_QUERY_SIZE,
  encode: writeFilterQuery,
  decode: (r) => ({
    _tag: "getcfheaders",
    filterType: readFilterType(r),
    startHeight: readStartHeight(r),
    stopHash: readStopHash(r)
  })
})
