/** How long blocks may take. Names and values are Bitcoin Core's (28.1, `net_processing.cpp`), in milliseconds. */

/** Of the first block of a peer's queue, while nobody else sends blocks. */
export const BLOCK_DOWNLOAD_TIMEOUT_BASE_MS: number = 600_000
/** More of it for each other peer that sends blocks: they share what we take. */
export const BLOCK_DOWNLOAD_TIMEOUT_PER_PEER_MS: number = 300_000
/** How long one peer may hold up the window. It doubles with each that did for too long, and shrinks with each block that joins the chain. */
export const BLOCK_STALLING_TIMEOUT_DEFAULT_MS = 2_000
export const BLOCK_STALLING_TIMEOUT_MAX_MS = 64_000
/** By what it shrinks. */
export const STALLING_TIMEOUT_DECAY = 0.85
