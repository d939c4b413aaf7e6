import { compactSizeLength, varBytesLength } from "@satwire/bytes"
import { type Codec, defineCodec } from "../Codec.ts"

/**
 * Bitcoin Core's `MAX_BLOOM_FILTER_SIZE` (common/bloom.h): bytes of a bloom filter.
 *
 * @limit bytes of a bloom filter
 */
export const MAX_BLOOM_FILTER_SIZE = 36_000
/**
 * Bitcoin Core's `MAX_HASH_FUNCS` (common/bloom.h): hash functions of a bloom filter.
 *
 * @limit hash functions of a bloom filter
 */
export const MAX_HASH_FUNCS = 50

/** A match adds nothing to the filter. */
export const BLOOM_UPDATE_NONE = 0
/** A match of an output adds its outpoint. */
export const BLOOM_UPDATE_ALL = 1
/** A match of an output adds its outpoint where its script is a public key or a bare multisig. */
export const BLOOM_UPDATE_P2PUBKEY_ONLY = 2
/** The bits of the flags that say which. */
export const BLOOM_UPDATE_MASK = 3

/** Sets a filter: of transactions the sender wants to hear only those that match it (BIP-0037). */
export interface FilterLoad {
  readonly _tag: "filterload"
  /** Its bits, the first lowest in the first byte. */
  readonly filter: Uint8Array
  readonly hashFunctions: number
  readonly tweak: number
  readonly flags: number
}

export const filterload: Codec<FilterLoad> = defineCodec<FilterLoad>({
  command: "filterload",
  shortId: 8,
  spec: "BIP-0037",
  maxSize: compactSizeLength(MAX_BLOOM_FILTER_SIZE) + MAX_BLOOM_FILTER_SIZE + 9,
  // Core 28.1 `net_processing.cpp`: `Misbehaving`, "too-large bloom filter".
  overLimit: "discourage",
  size: (m) => varBytesLength(m.filter) + 9,
  encode(w, m) {
    w.varBytes(m.filter)
    w.u32(m.hashFunctions)
    w.u32(m.tweak)
    w.u8(m.flags)
  },
  decode(r) {
    const filter = r.varBytes(MAX_BLOOM_FILTER_SIZE, "bloom filter")
    const at = r.offset
    const hashFunctions = r.u32("hash functions")
    if (hashFunctions > MAX_HASH_FUNCS) {
      r.overLimit(`hash functions: ${hashFunctions} where ${MAX_HASH_FUNCS} are allowed`, at)
    }
    return { _tag: "filterload", filter, hashFunctions, tweak: r.u32("tweak"), flags: r.u8("flags") }
  }
})
