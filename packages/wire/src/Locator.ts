/**
 * How one side tells the other which chain it has: hashes of its blocks from the tip back, first each and then ever fewer, so that
 * the other finds the last one they share. What `getblocks` and `getheaders` carry.
 */
import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"
import type { BlockHash } from "@satwire/primitives"

/**
 * Bitcoin Core's `MAX_LOCATOR_SZ` (net_processing.cpp): more hashes than this cost the connection.
 *
 * @limit hashes of a locator
 */
export const MAX_LOCATOR_SZ = 101

export interface BlockQuery {
  /** The sender's protocol version. Nobody looks at it. */
  readonly protocolVersion: number
  /** From the tip back. */
  readonly locator: ReadonlyArray<BlockHash>
  /** Where the answer may end; `ZERO_HASH` for as much as there is. */
  readonly stopHash: BlockHash
}

/** The most bytes that a query takes. */
export const BLOCK_QUERY_MAX_SIZE: number = 4 + compactSizeLength(MAX_LOCATOR_SZ) + 32 * MAX_LOCATOR_SZ + 32

export const blockQuerySize = (query: BlockQuery): number =>
  36 + compactSizeLength(query.locator.length) + 32 * query.locator.length

export const writeBlockQuery = (w: Writer, query: BlockQuery): void => {
  w.i32(query.protocolVersion)
  w.compactSize(query.locator.length)
  for (const hash of query.locator) w.raw(hash)
  w.raw(query.stopHash)
}

/** Reads the sender's version. */
export const readProtocolVersion = (r: Reader): number => r.i32("protocol version")

/** Reads the hashes of a locator. */
export const readLocator = (r: Reader): ReadonlyArray<BlockHash> => {
  const locator = new Array<BlockHash>(r.count(MAX_LOCATOR_SZ, 32, "locator hashes"))
  for (let i = 0; i < locator.length; i++) locator[i] = r.view(32, "locator hash") as BlockHash
  return locator
}

/** Reads the hash at which the answer may end. */
export const readStopHash = (r: Reader): BlockHash => r.view(32, "stop hash") as BlockHash
