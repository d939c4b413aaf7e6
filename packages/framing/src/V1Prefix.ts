/**
 * The sixteen bytes with which every v1 connection begins, as its first frame is a `version`. A v2 connection begins with a random key,
 * which is these bytes once in 2^128 times.
 *
 * Source: BIP-0324 §"Overall handshake pseudocode" (`V1_PREFIX`).
 */
import { commandBytes } from "@satwire/wire"

/** Bytes of the prefix (Bitcoin Core's `V1_PREFIX_LEN`, net.h). */
export const V1_PREFIX_SIZE = 16
/** Where the command begins, behind the network's magic. */
export const V1_MAGIC_SIZE = 4

/** What the first frame of a v1 peer of this network begins with. */
export const v1Prefix = (magic: number): Uint8Array => {
  const prefix = new Uint8Array(V1_PREFIX_SIZE)
  new DataView(prefix.buffer).setUint32(0, magic, true)
  prefix.set(commandBytes("version"), V1_MAGIC_SIZE)
  return prefix
}
