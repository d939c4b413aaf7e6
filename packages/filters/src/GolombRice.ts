/**
 * Numbers in bits, as BIP-0158 §"Golomb-Rice Coding" writes them: the quotient by 2^P in ones and a zero, then the remainder in P bits,
 * most significant first. Numbers here are up to 2^45 or so, exact in a `number`.
 */

/** How many bits `value` takes. */
export const golombRiceBits = (p: number, value: number): number => Math.floor(value / 2 ** p) + 1 + p

export class BitWriter {
  readonly bytes: Uint8Array
  #bit: number

  /** Writes into `bytes`, which are zeros, from the byte at `offset` on. */
  constructor(bytes: Uint8Array, offset: number) {
    this.bytes = bytes
    this.#bit = 8 * offset
  }

  golombRice(p: number, value: number): void {
    const modulus = 2 ** p
    for (let ones = Math.floor(value / modulus); ones > 0; ones--) this.#one()
    this.#bit += 1
    const remainder = value % modulus
    for (let i = p - 1; i >= 0; i--) {
      if (((remainder >>> i) & 1) === 1) this.#one()
      else this.#bit += 1
    }
  }

  #one(): void {
    const at = this.#bit >>> 3
    this.bytes[at] = (this.bytes[at] as number) | (0x80 >>> (this.#bit & 7))
    this.#bit += 1
  }
}

export class BitReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #bit: number

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes
    this.#bit = 8 * offset
    this.#end = 8 * bytes.length
  }

  /** Whole bytes that nothing was read of. */
  get bytesLeft(): number {
    return (this.#end - this.#bit) >>> 3
  }

  /** The next number, or -1 where the bits end within it. `p` is at most 24. */
  golombRice(p: number): number {
    const quotient = this.#ones()
    if (quotient < 0 || this.#end - this.#bit < p) return -1
    return quotient * 2 ** p + this.#bits(p)
  }

  /** How many ones stand before the next zero, which is read as well. */
  #ones(): number {
    const bytes = this.#bytes
    const start = this.#bit
    while (this.#bit < this.#end) {
      const at = this.#bit >>> 3
      // The bits of this byte that were not read, at the top of a word, and inverted: the first zero is the first one.
      const inverted = ~(bytes[at] as number) & (0xff >>> (this.#bit & 7))
      if (inverted !== 0) {
        const zero = 8 * at + Math.clz32(inverted) - 24
        this.#bit = zero + 1
        return zero - start
      }
      this.#bit = 8 * at + 8
    }
    return -1
  }

  #bits(count: number): number {
    const bytes = this.#bytes
    const at = this.#bit >>> 3
    const shift = this.#bit & 7
    this.#bit += count
    // Four bytes hold up to 24 bits that begin anywhere in the first.
    const word =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    return (word << shift) >>> (32 - count)
  }
}
