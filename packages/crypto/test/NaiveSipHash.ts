/** SipHash-2-4 as its paper writes it, in 64-bit words: what the fast one is tested and timed against. */
const MASK = 0xffff_ffff_ffff_ffffn

const rotate = (word: bigint, by: bigint): bigint => ((word << by) | (word >> (64n - by))) & MASK

const littleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n)

type State = readonly [bigint, bigint, bigint, bigint]

const round = ([a, b, c, d]: State): State => {
  const left = (a + b) & MASK
  const v1 = rotate(b, 13n) ^ left
  const right = (c + d) & MASK
  const v3 = rotate(d, 16n) ^ right
  const v0 = (rotate(left, 32n) + v3) & MASK
  const v2 = (right + v1) & MASK
  return [v0, rotate(v1, 17n) ^ v2, rotate(v2, 32n), rotate(v3, 21n) ^ v0]
}

const absorb = (state: State, word: bigint): State => {
  const [v0, v1, v2, v3] = round(round([state[0], state[1], state[2], state[3] ^ word]))
  return [v0 ^ word, v1, v2, v3]
}

export const naiveSipHash24 = (key: Uint8Array, input: Uint8Array): bigint => {
  const k0 = littleEndian(key.subarray(0, 8))
  const k1 = littleEndian(key.subarray(8, 16))
  let state: State = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n
  ]
  const whole = input.length - (input.length % 8)
  for (let at = 0; at < whole; at += 8) state = absorb(state, littleEndian(input.subarray(at, at + 8)))
  const last = littleEndian(input.subarray(whole)) | (BigInt(input.length & 0xff) << 56n)
  const [v0, v1, v2, v3] = absorb(state, last)
  const end = round(round(round(round([v0, v1, v2 ^ 0xffn, v3]))))
  return end[0] ^ end[1] ^ end[2] ^ end[3]
}
