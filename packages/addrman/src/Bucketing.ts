/**
 * Which place an address may have in the tables. A secret key decides, so that nobody can aim; the groups of the address and of who told
 * of it decide, so that one owner reaches few places however many addresses it has.
 *
 * ```
 *   tried   bucket = H(key, group, H(key, address) mod 8) mod 256          one group: 8 buckets of 256
 *   new     bucket = H(key, source, H(key, group, source) mod 64) mod 1024  one source: 64 buckets of 1,024
 *   both    position = H(key, table, bucket, address) mod 64
 * ```
 *
 * A place is one number: 64 times the bucket, plus the position. `H` is the first eight bytes of SHA-256d, of which the lowest are enough,
 * because every modulus is a power of two.
 *
 * Source: Bitcoin Core 31.99 `addrman.cpp` (`GetTriedBucket`, `GetNewBucket`, `GetBucketPosition`), byte for byte.
 */
import type { Sha256 } from "@satwire/crypto"
import { type NetGroups, type NetAddr, type NodeAddress, nodeKey } from "@satwire/netaddress"

/**
 * Core's `ADDRMAN_BUCKET_SIZE`.
 *
 * @limit addresses of a bucket
 */
export const BUCKET_SIZE = 64
/**
 * Core's `ADDRMAN_NEW_BUCKET_COUNT`.
 *
 * @limit buckets of the new table
 */
export const NEW_BUCKET_COUNT = 1024
/**
 * Core's `ADDRMAN_TRIED_BUCKET_COUNT`.
 *
 * @limit buckets of the tried table
 */
export const TRIED_BUCKET_COUNT = 256
/** Over so many buckets the tried addresses of one group are spread: Core's `ADDRMAN_TRIED_BUCKETS_PER_GROUP`. */
export const TRIED_BUCKETS_PER_GROUP = 8
/** Over so many buckets all that one source group tells is spread: Core's `ADDRMAN_NEW_BUCKETS_PER_SOURCE_GROUP`. */
export const NEW_BUCKETS_PER_SOURCE_GROUP = 64

/** Bytes of the key. */
export const KEY_LENGTH = 32

/** A key, a byte, a bucket, and two lists of at most 34 bytes with their lengths. */
const MESSAGE_BYTES = 128
const NEW_TABLE = "N".charCodeAt(0)
const TRIED_TABLE = "K".charCodeAt(0)

export class Bucketing {
  readonly #sha256: Sha256
  readonly #groups: NetGroups
  readonly #message: Uint8Array = new Uint8Array(MESSAGE_BYTES)
  readonly #digest: Uint8Array = new Uint8Array(32)
  #length = KEY_LENGTH

  /** @param key 32 secret bytes */
  constructor(key: Uint8Array, sha256: Sha256, groups: NetGroups) {
    if (key.length !== KEY_LENGTH) throw new RangeError(`a key has ${KEY_LENGTH} bytes, not ${key.length}`)
    this.#message.set(key)
    this.#sha256 = sha256
    this.#groups = groups
  }

  /** The group of an address or of a source. */
  group(host: NetAddr): Uint8Array {
    return this.#groups.group(host)
  }

  triedBucket(node: NodeAddress): number {
    const spread = this.#begin().#bytes(nodeKey(node)).#hash() % TRIED_BUCKETS_PER_GROUP
    return this.#begin().#bytes(this.#groups.group(node)).#u64(spread).#hash() % TRIED_BUCKET_COUNT
  }

  /** @param sourceGroup the group of who told of the address */
  newBucket(node: NodeAddress, sourceGroup: Uint8Array): number {
    const spread = this.#begin().#bytes(this.#groups.group(node)).#bytes(sourceGroup).#hash()
    return this.#begin().#bytes(sourceGroup).#u64(spread % NEW_BUCKETS_PER_SOURCE_GROUP).#hash() % NEW_BUCKET_COUNT
  }

  /** The only place that the address may have among the tried. */
  triedPlace(node: NodeAddress): number {
    return this.#place(TRIED_TABLE, this.triedBucket(node), node)
  }

  /** The place that the address may have among the new for having been told by this source. */
  newPlace(node: NodeAddress, sourceGroup: Uint8Array): number {
    return this.newPlaceIn(this.newBucket(node, sourceGroup), node)
  }

  /** The only place that the address may have in this bucket of the new table. */
  newPlaceIn(bucket: number, node: NodeAddress): number {
    return this.#place(NEW_TABLE, bucket, node)
  }

  #place(table: number, bucket: number, node: NodeAddress): number {
    const position = this.#begin().#u8(table).#u32(bucket).#bytes(nodeKey(node)).#hash() % BUCKET_SIZE
    return bucket * BUCKET_SIZE + position
  }

  #begin(): this {
    this.#length = KEY_LENGTH
    return this
  }

  #u8(value: number): this {
    this.#message[this.#length++] = value
    return this
  }

  #u32(value: number): this {
    return this.#u8(value).#u8(value >>> 8).#u8(value >>> 16).#u8(value >>> 24)
  }

  #u64(value: number): this {
    return this.#u32(value).#u32(0)
  }

  /** A list of bytes with its length, which is below 253. */
  #bytes(bytes: Uint8Array): this {
    this.#u8(bytes.length)
    this.#message.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** The lowest 16 bits of the hash. */
  #hash(): number {
    this.#sha256.sha256d(this.#message, 0, this.#length, this.#digest, 0)
    return (this.#digest[0] as number) | ((this.#digest[1] as number) << 8)
  }
}
