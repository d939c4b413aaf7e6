/**
 * MurmurHash3 (x86, 32 bits; Austin Appleby): the hash of bloom filters (BIP-0037). It is not keyed against anyone: who knows the seed can
 * make inputs that meet.
 */

const C1 = 0xcc9e2d51
const C2 = 0x1b873593

/** The hash of `data` as an unsigned number of 32 bits. */
export const murmur3 = (seed: number, data: Uint8Array): number => {
  const { length } = data
  const whole = length & ~3
  let h = seed | 0
  for (let i = 0; i < whole; i += 4) {
    h ^= scrambled(
      (data[i] as number) |
        ((data[i + 1] as number) << 8) |
        ((data[i + 2] as number) << 16) |
        ((data[i + 3] as number) << 24)
    )
    h = (h << 13) | (h >>> 19)
    h = (Math.imul(h, 5) + 0xe6546b64) | 0
  }
  if (whole < length) {
    let rest = 0
    for (let i = length - 1; i >= whole; i--) rest = (rest << 8) | (data[i] as number)
    h ^= scrambled(rest)
  }
  h ^= length
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  return h >>> 0
}

const scrambled = (word: number): number => {
  const k = Math.imul(word, C1)
  return Math.imul((k << 15) | (k >>> 17), C2)
}
