/** How long peers may take, and how often we look. Source: Bitcoin Core 28.1 `net_processing.cpp`. */

/** Core's `HEADERS_DOWNLOAD_TIMEOUT_BASE` (net_processing.cpp): how long the first sync with a peer may take, and … */
export const HEADERS_DOWNLOAD_TIMEOUT_BASE_MS: number = 15 * 60 * 1000
/** … `HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER`: for every header that is still to come. */
export const HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER_MS = 1
/** Core's `HEADERS_RESPONSE_TIME`: a peer is asked again only after it answered, or after this long. */
export const HEADERS_RESPONSE_TIME_MS: number = 2 * 60 * 1000
/** Core's `CHAIN_SYNC_TIMEOUT`: how long the chain of a peer that we chose may stay behind what ours was, before a last question. */
export const CHAIN_SYNC_TIMEOUT_MS: number = 20 * 60 * 1000
/** Core's `STALE_CHECK_INTERVAL`: how often the tip is looked at. */
export const STALE_CHECK_INTERVAL_MS: number = 10 * 60 * 1000
