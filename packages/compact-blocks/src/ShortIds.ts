/**
 * Short ids: six bytes of SipHash of a wtxid, under a key that is different for every block (BIP-0152 §"Short transaction IDs").
 */
import { Writer } from "@satwire/bytes"
import { type Sha256, type SipKey, sipKey } from "@satwire/crypto"
import { HEADER_SIZE } from "@satwire/primitives"

const NONCE_SIZE = 8

/** The key under which a block's wtxids are hashed. */
export const shortIdKey = (sha256: Sha256, rawHeader: Uint8Array, nonce: bigint): SipKey => {
  const w = new Writer(new Uint8Array(HEADER_SIZE + NONCE_SIZE))
  w.raw(rawHeader)
  w.u64(nonce)
  const hash = new Uint8Array(32)
  sha256.sha256(w.bytes, 0, w.bytes.length, hash, 0)
  return sipKey(hash.subarray(0, 16))
}
