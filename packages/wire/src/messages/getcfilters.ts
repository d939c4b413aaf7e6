import { type Codec, defineCodec } from "../Codec.ts"
import {
  FILTER_QUERY_SIZE,
  type FilterQuery,
  readFilterType,
  readStartHeight,
  readStopHash,
  writeFilterQuery
} from "../FilterQuery.ts"

/** Asks for the filters of up to 1,000 blocks, each answered by a `cfilter`. */
export interface GetCFilters extends FilterQuery {
  readonly _tag: "getcfilters"
}

export const getcfilters: Codec<GetCFilters> = defineCodec<GetCFilters>({
  command: "getcfilters",
  shortId: 22,
  spec: "BIP-0157",
  maxSize: FILTER_QUERY_SIZE,
  size: () => FILTER_QUERY_SIZE,
  encode: writeFilterQuery,
  decode: (r) => ({
    _tag: "getcfilters",
    filterType: readFilterType(r),
    startHeight: readStartHeight(r),
    stopHash: readStopHash(r)
  })
})
