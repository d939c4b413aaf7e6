/**
 * The basic filter of a block (BIP-0158 §"Basic Filter"): the scripts that it pays to and the scripts that it spends from, so that a wallet
 * finds its blocks without telling anybody its scripts; and the chain of filter headers (BIP-0157 §"Filter Headers") by which it tells a
 * false filter.
 */
import type { DecodeError } from "@satwire/bytes"
import { type Sha256, sha256d, sipKey } from "@satwire/crypto"
import { type BlockHash, OP_RETURN, type Transaction } from "@satwire/primitives"
import type * as Result from "effect/Result"
import { GcsFilter, type GcsParams } from "./GcsFilter.ts"

/** BIP-0158 §"Basic Filter": bits of a remainder. */
export const BASIC_FILTER_P = 19
/** BIP-0158 §"Basic Filter": one foreign script in so many matches. */
export const BASIC_FILTER_M = 784_931

const paramsOf = (blockHash: BlockHash): GcsParams => ({
  key: sipKey(blockHash.subarray(0, 16)),
  p: BASIC_FILTER_P,
  m: BASIC_FILTER_M
})

/**
 * The basic filter of a block.
 *
 * @param spentScripts the scripts of the outputs that the block spends, in any order
 */
export const buildBasicFilter = (
  blockHash: BlockHash,
  transactions: ReadonlyArray<Transaction>,
  spentScripts: ReadonlyArray<Uint8Array>
): GcsFilter => {
  const scripts: Array<Uint8Array> = []
  for (const { outputs } of transactions) {
    for (const { scriptPubKey } of outputs) {
      if (scriptPubKey.length > 0 && scriptPubKey[0] !== OP_RETURN) scripts.push(scriptPubKey)
    }
  }
  for (const script of spentScripts) if (script.length > 0) scripts.push(script)
  return GcsFilter.build(paramsOf(blockHash), scripts)
}

/** The basic filter of a `cfilter`, which is checked to be one and to have nothing left over. */
export const decodeBasicFilter = (blockHash: BlockHash, filter: Uint8Array): Result.Result<GcsFilter, DecodeError> =>
  GcsFilter.decode(paramsOf(blockHash), filter)

/** The hash of a filter: what a `cfheaders` lists. */
export const filterHash = (backend: Sha256, filter: Uint8Array): Uint8Array => sha256d(backend, filter)

/** The header that commits to a filter by its hash and to all filters before it. All zeros stand before the first block's. */
export const filterHeader = (backend: Sha256, hash: Uint8Array, previousHeader: Uint8Array): Uint8Array => {
  const both = new Uint8Array(64)
  both.set(hash)
  both.set(previousHeader, 32)
  return sha256d(backend, both)
}

/** The headers of a run of filters, one after another, from their hashes, one after another, and the header before them. */
export const filterHeaders = (backend: Sha256, hashes: Uint8Array, previousHeader: Uint8Array): Uint8Array => {
  if (hashes.length % 32 !== 0) throw new RangeError(`${hashes.length} bytes are no whole hashes`)
  const headers = new Uint8Array(hashes.length)
  const both = new Uint8Array(64)
  both.set(previousHeader, 32)
  for (let at = 0; at < hashes.length; at += 32) {
    both.set(hashes.subarray(at, at + 32))
    backend.sha256d(both, 0, 64, headers, at)
    both.set(headers.subarray(at, at + 32), 32)
  }
  return headers
}
