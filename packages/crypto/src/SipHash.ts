/**
 * SipHash-2-4 (Aumasson and Bernstein) with 64-bit words as 32-bit halves: a `bigint` is thirty to fifty times slower (measured,
 * `bench/siphash.bench.ts`). A keyed hash for short inputs: salts of tables whose keys peers choose, short ids of BIP-0152.
 */

/** A 128-bit key as four little-endian 32-bit words. */
export interface SipKey {
  readonly k0Low: number
  readonly k0High: number
  readonly k1Low: number
  readonly k1High: number
}

/** The key in 16 bytes, as BIP-0152 and SipHash's paper write it. */
export const sipKey = (bytes: Uint8Array): SipKey => {
  if (bytes.length !== 16) throw new RangeError(`a SipHash key has 16 bytes, not ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  return {
    k0Low: view.getUint32(0, true) | 0,
    k0High: view.getUint32(4, true) | 0,
    k1Low: view.getUint32(8, true) | 0,
    k1High: view.getUint32(12, true) | 0
  }
}

// The state is in module variables: V8 keeps small integers unboxed there, and nothing here is re-entrant.
let v0l = 0
let v0h = 0
let v1l = 0
let v1h = 0
let v2l = 0
let v2h = 0
let v3l = 0
let v3h = 0

const round = (): void => {
  let sum = (v0l >>> 0) + (v1l >>> 0)
  v0h = (v0h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
  v0l = sum | 0
  let low = (v1l << 13) | (v1h >>> 19)
  v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
  v1l = low ^ v0l
  low = v0l
  v0l = v0h
  v0h = low

  sum = (v2l >>> 0) + (v3l >>> 0)
  v2h = (v2h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0
  v2l = sum | 0
  low = (v3l << 16) | (v3h >>> 16)
  v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
  v3l = low ^ v2l

  sum = (v0l >>> 0) + (v3l >>> 0)
  v0h = (v0h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0
  v0l = sum | 0
  low = (v3l << 21) | (v3h >>> 11)
  v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
  v3l = low ^ v0l

  sum = (v2l >>> 0) + (v1l >>> 0)
  v2h = (v2h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
  v2l = sum | 0
  low = (v1l << 17) | (v1h >>> 15)
  v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
  v1l = low ^ v2l
  low = v2l
  v2l = v2h
  v2h = low
}

const absorb = (low: number, high: number): void => {
  v3l ^= low
  v3h ^= high
  round()
  round()
  v0l ^= low
  v0h ^= high
}

/** SipHash-2-4 of `input[start, end)` as two 32-bit halves, written to `out` as [low, high]. */
export const sipHash24 = (key: SipKey, input: Uint8Array, start: number, end: number, out: Uint32Array): void => {
  v0l = key.k0Low ^ 0x70736575
  v0h = key.k0High ^ 0x736f6d65
  v1l = key.k1Low ^ 0x6e646f6d
  v1h = key.k1High ^ 0x646f7261
  v2l = key.k0Low ^ 0x6e657261
  v2h = key.k0High ^ 0x6c796765
  v3l = key.k1Low ^ 0x79746573
  v3h = key.k1High ^ 0x74656462
  const length = end - start
  const whole = end - (length % 8)
  let at = start
  for (; at < whole; at += 8) absorb(word(input, at), word(input, at + 4))
  let low = 0
  let high = (length & 0xff) << 24
  for (let i = 0; at + i < end; i++) {
    const byte = input[at + i] as number
    if (i < 4) low |= byte << (8 * i)
    else high |= byte << (8 * (i - 4))
  }
  absorb(low, high)
  v2l ^= 0xff
  round()
  round()
  round()
  round()
  out[0] = v0l ^ v1l ^ v2l ^ v3l
  out[1] = v0h ^ v1h ^ v2h ^ v3h
}

const word = (input: Uint8Array, at: number): number =>
  (input[at] as number) |
  ((input[at + 1] as number) << 8) |
  ((input[at + 2] as number) << 16) |
  ((input[at + 3] as number) << 24)
