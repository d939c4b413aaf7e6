/**
 * Proof of work: the compact form of a target (`nBits`), the target as eight words to compare hashes with, and the work that a
 * target stands for. `bigint` only here, where `nBits` changes; a hash is compared word by word.
 *
 * Source: Bitcoin Core 28.1 `arith_uint256.cpp` (`SetCompact`, `GetCompact`), `chain.cpp` (`GetBlockProof`), `pow.cpp`.
 */

const TWO_256 = 1n << 256n

/**
 * The target that `bits` names, or `undefined` where no hash can meet it: negative, zero or over 256 bits.
 *
 * Specification: byte 3 is the length of the number in bytes, bytes 0 to 2 its most significant digits, bit 23 its sign.
 */
export const targetFromBits = (bits: number): bigint | undefined => {
  const size = bits >>> 24
  const word = bits & 0x007fffff
  if (word === 0 || (bits & 0x00800000) !== 0) return undefined
  if (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32)) return undefined
  const target = size <= 3 ? BigInt(word >>> (8 * (3 - size))) : BigInt(word) << BigInt(8 * (size - 3))
  return target === 0n ? undefined : target
}

/** The compact form of `target`, rounded down as Core does it. `target` lies in 0 .. 2^256 - 1. */
export const bitsFromTarget = (target: bigint): number => {
  let size = 0
  for (let rest = target; rest > 0n; rest >>= 8n) size += 1
  let word = size <= 3 ? Number(target << BigInt(8 * (3 - size))) : Number(target >> BigInt(8 * (size - 3)))
  // The sign bit must stay clear: move one byte to the length.
  if ((word & 0x00800000) !== 0) {
    word >>>= 8
    size += 1
  }
  return ((size << 24) | word) >>> 0
}

/** The expected number of hashes to meet `target`: 2^256 / (target + 1). */
export const workFromTarget = (target: bigint): bigint => TWO_256 / (target + 1n)

/** The work that `bits` stands for; 0 where no hash can meet it. */
export const workFromBits = (bits: number): bigint => {
  const target = targetFromBits(bits)
  return target === undefined ? 0n : workFromTarget(target)
}

/** A target as eight 32-bit words, most significant first: what {@link meetsTarget} compares with. */
export const targetWords = (target: bigint): Uint32Array => {
  const words = new Uint32Array(8)
  for (let i = 0; i < 8; i++) words[i] = Number((target >> BigInt(32 * (7 - i))) & 0xffffffffn)
  return words
}

/** Whether the 32-byte hash at `offset`, read as a little-endian number, is at most the target. */
export const meetsTarget = (hashes: Uint8Array, offset: number, target: Uint32Array): boolean => {
  for (let i = 0; i < 8; i++) {
    const at = offset + 28 - 4 * i
    const word =
      ((hashes[at] as number) |
        ((hashes[at + 1] as number) << 8) |
        ((hashes[at + 2] as number) << 16) |
        ((hashes[at + 3] as number) << 24)) >>>
      0
    const limit = target[i] as number
    if (word !== limit) return word < limit
  }
  return true
}
