/**
 * SipHash-2-4 (Aumasson and Bernstein) with 64-bit words as 32-bit halves: a `bigint` is fifty times slower and more (measured,
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

/**
 * SipHash-2-4 of `input[start, end)` as two 32-bit halves, written to `out` as [low, high].
 *
 * One loop absorbs the words of the message, then the last bytes with the length, then finishes with four rounds. The state lies in
 * locals, which is twice as fast as module variables, and a carry is worked out by bits: as a comparison it is a branch on random
 * data, and half as fast again (measured, as above).
 */
export const sipHash24 = (key: SipKey, input: Uint8Array, start: number, end: number, out: Uint32Array): void => {
  let v0l = key.k0Low ^ 0x70736575
  let v0h = key.k0High ^ 0x736f6d65
  let v1l = key.k1Low ^ 0x6e646f6d
  let v1h = key.k1High ^ 0x646f7261
  let v2l = key.k0Low ^ 0x6e657261
  let v2h = key.k0High ^ 0x6c796765
  let v3l = key.k1Low ^ 0x79746573
  let v3h = key.k1High ^ 0x74656462
  const whole = end - ((end - start) % 8)
  for (let at = start; at <= whole + 8; at += 8) {
    let low = 0
    let high = 0
    if (at < whole) {
      low = word(input, at)
      high = word(input, at + 4)
    } else if (at === whole) {
      low = partialWord(input, at, end)
      high = partialWord(input, at + 4, end) | ((end - start) << 24)
    } else {
      v2l ^= 0xff
    }
    v3l ^= low
    v3h ^= high
    for (let round = at > whole ? 4 : 2; round > 0; round--) {
      let sum = (v0l + v1l) | 0
      v0h = (v0h + v1h + carry(v0l, v1l, sum)) | 0
      let turned = (v1l << 13) | (v1h >>> 19)
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
      v1l = turned ^ sum
      v0l = v0h
      v0h = sum

      sum = (v2l + v3l) | 0
      v2h = (v2h + v3h + carry(v2l, v3l, sum)) | 0
      v2l = sum
      turned = (v3l << 16) | (v3h >>> 16)
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
      v3l = turned ^ v2l

      sum = (v0l + v3l) | 0
      v0h = (v0h + v3h + carry(v0l, v3l, sum)) | 0
      v0l = sum
      turned = (v3l << 21) | (v3h >>> 11)
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
      v3l = turned ^ v0l

      sum = (v2l + v1l) | 0
      v2h = (v2h + v1h + carry(v2l, v1l, sum)) | 0
      turned = (v1l << 17) | (v1h >>> 15)
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
      v1l = turned ^ sum
      v2l = v2h
      v2h = sum
    }
    v0l ^= low
    v0h ^= high
  }
  out[0] = v0l ^ v1l ^ v2l ^ v3l
  out[1] = v0h ^ v1h ^ v2h ^ v3h
}

/** The carry out of a + b, whose low 32 bits are `sum`. */
const carry = (a: number, b: number, sum: number): number => ((a & b) | ((a | b) & ~sum)) >>> 31

const word = (input: Uint8Array, at: number): number =>
  (input[at] as number) |
  ((input[at + 1] as number) << 8) |
  ((input[at + 2] as number) << 16) |
  ((input[at + 3] as number) << 24)

/** As {@link word}, with zeros from `end` on. */
const partialWord = (input: Uint8Array, at: number, end: number): number => {
  let partial = 0
  for (let i = 0; i < 4 && at + i < end; i++) partial |= (input[at + i] as number) << (8 * i)
  return partial
}
