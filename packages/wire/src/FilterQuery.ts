/** What asks for compact block filters (BIP-0157): a type, where to begin, and the block at which to end. */
import type { Reader, Writer } from "@satwire/bytes"
import type { BlockHash } from "@satwire/primitives"

/** The basic filter (BIP-0158), the only one there is. */
export const BASIC_FILTER_TYPE = 0

/**
 * Bitcoin Core's `MAX_GETCFILTERS_SIZE` (net_processing.cpp): filters that one `getcfilters` may ask for.
 *
 * @limit filters asked for at once
 */
export const MAX_GETCFILTERS_SIZE = 1000
/**
 * Bitcoin Core's `MAX_GETCFHEADERS_SIZE` (net_processing.cpp): filter headers of one `cfheaders`.
 *
 * @limit filter hashes of a `cfheaders`
 */
export const MAX_GETCFHEADERS_SIZE = 2000
/** Bitcoin Core's `CFCHECKPT_INTERVAL` (index/blockfilterindex.h): blocks between two filter headers of a `cfcheckpt`. */
export const CFCHECKPT_INTERVAL = 1000

export interface FilterQuery {
  /** Any byte: a type that nobody knows is data. */
  readonly filterType: number
  readonly startHeight: number
  readonly stopHash: BlockHash
}

/** Bytes of a query. */
export const FILTER_QUERY_SIZE = 37

export const readFilterType = (r: Reader): number => r.u8("filter type")
export const readStartHeight = (r: Reader): number => r.u32("start height")
export const readStopHash = (r: Reader): BlockHash => r.view(32, "stop hash") as BlockHash

export const writeFilterQuery = (w: Writer, query: FilterQuery): void => {
  w.u8(query.filterType)
  w.u32(query.startHeight)
  w.raw(query.stopHash)
}
