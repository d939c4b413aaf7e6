/** Fields that several kinds of messages have, with their bounds. */
import * as Schema from "effect/Schema"

/** Exactly 32 bytes. */
export const Hash: Schema.Codec<Uint8Array> = Schema.Uint8Array.check(
  Schema.makeFilter((bytes: Uint8Array) => bytes.length === 32 || "32 bytes")
)

export const bytesUpTo = (max: number): Schema.Codec<Uint8Array> =>
  Schema.Uint8Array.check(Schema.makeFilter((bytes: Uint8Array) => bytes.length <= max || `at most ${max} bytes`))

export const textUpTo = (max: number): Schema.Codec<string> => Schema.String.check(Schema.isMaxLength(max))

/** A whole number from 0 on, exact as a number. */
export const Count: Schema.Codec<number> = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const listUpTo = <A, E>(
  item: Schema.Codec<A, E>,
  max: number
): Schema.Codec<ReadonlyArray<A>, ReadonlyArray<E>> => Schema.Array(item).check(Schema.isMaxLength(max))

/** A key of somebody: 33 bytes of secp256k1, 32 of another curve, or a hash of one. */
export const Key: Schema.Codec<Uint8Array> = Schema.Uint8Array.check(
  Schema.makeFilter((bytes: Uint8Array) => (bytes.length >= 20 && bytes.length <= 64) || "20 to 64 bytes")
)

export const Signature: Schema.Codec<Uint8Array> = Schema.Uint8Array.check(
  Schema.makeFilter((bytes: Uint8Array) => (bytes.length >= 64 && bytes.length <= 96) || "64 to 96 bytes")
)

/** Addresses of one peer, as multiaddrs or `host:port`. */
export const Addresses: Schema.Codec<ReadonlyArray<string>> = listUpTo(textUpTo(256), 16)
