/**
 * The generator behind every random choice: ChaCha20 under a 32-byte seed, counted up. With a seed of entropy nobody who sees its
 * outputs (a nonce in a `version`) can tell the next ones; with a seed from a number the simulator replays a run exactly.
 */
import { chacha20 } from "@noble/ciphers/chacha.js"
import type { Random } from "@satwire/machine"

const BUFFER_BYTES = 1024
const NO_NONCE = new Uint8Array(12)
const ZEROS = new Uint8Array(BUFFER_BYTES)

export class ChaChaRandom implements Random {
  readonly #seed: Uint8Array
  readonly #buffer: Uint8Array = new Uint8Array(BUFFER_BYTES)
  readonly #view: DataView = new DataView(this.#buffer.buffer)
  #used = BUFFER_BYTES
  #block = 0

  /** @param seed 32 bytes */
  constructor(seed: Uint8Array) {
    if (seed.length !== 32) throw new RangeError(`a seed has 32 bytes, not ${seed.length}`)
    this.#seed = new Uint8Array(seed)
  }

  /** A generator for tests and simulations, from a number in 0 .. 2^53. */
  static fromNumber(seed: number): ChaChaRandom {
    const bytes = new Uint8Array(32)
    new DataView(bytes.buffer).setFloat64(0, seed, true)
    return new ChaChaRandom(bytes)
  }

  /** The offset of `length` fresh bytes in the buffer, at most 64. What is left of a buffer too short for them is dropped. */
  #draw(length: number): number {
    if (this.#used + length > BUFFER_BYTES) {
      // 2^32 blocks are 256 GiB: the counter is worn out long after the node is.
      if (this.#block > 0xffff_0000) throw new RangeError("the generator is exhausted")
      chacha20(this.#seed, NO_NONCE, ZEROS, this.#buffer, this.#block)
      this.#block += BUFFER_BYTES / 64
      this.#used = 0
    }
    const at = this.#used
    this.#used += length
    return at
  }

  u32(): number {
    return this.#view.getUint32(this.#draw(4), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#draw(8), true)
  }

  below(bound: number): number {
    if (!(bound >= 1 && bound <= 0x1_0000_0000)) throw new RangeError(`a bound lies in 1 .. 2^32, not ${bound}`)
    for (;;) {
      const drawn = this.u32()
      // What lies above the largest multiple of bound would favour small results. Below the last `bound` numbers nothing does, and the
      // division that finds out is most of the cost (measured, `packages/addrman/bench/addrman.bench.ts`).
      if (drawn <= 0x1_0000_0000 - bound || drawn < 0x1_0000_0000 - (0x1_0000_0000 % bound)) return drawn % bound
    }
  }

  unit(): number {
    const high = this.u32() >>> 5
    const low = this.u32() >>> 6
    return (high * 0x400_0000 + low) / 0x20_0000_0000_0000
  }

  bytes(length: number): Uint8Array {
    const drawn = new Uint8Array(length)
    for (let done = 0; done < length;) {
      const step = Math.min(length - done, 64)
      const at = this.#draw(step)
      drawn.set(this.#buffer.subarray(at, at + step), done)
      done += step
    }
    return drawn
  }

  fork(): ChaChaRandom {
    return new ChaChaRandom(this.bytes(32))
  }
}
